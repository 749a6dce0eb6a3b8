// Brings an update's tensors to a device while it still works on those of the update before: host memory that the
// device reads by itself (pinned), a stream of its own, and two sets of both, used in turn.
//
//   Begin ─► { Host* ─► (fill) ─► Send* }* ─► …   on the host, while the device trains on the other set
//   Await ─► (operations that read what was sent) ─► Release       on the stream that trains
//
// The same tensors in the same order every time: memory is allocated once, and again only when one grows. On the CPU
// the copies are made at once.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_UPLOAD_BUFFERS_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_UPLOAD_BUFFERS_H_

#include <array>
#include <cstddef>
#include <vector>

#include "learner/arithmetic/gpu/device_stream.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// Not thread-safe.
class UploadBuffers {
 public:
  explicit UploadBuffers(at::Device device);
  // Waits for copies under way.
  ~UploadBuffers();

  // Turns to the other set, and waits until its host memory is free again.
  void Begin();
  // Host memory for the next tensor of the set, uninitialised; the caller fills it and passes it to Send, in the order
  // in which it came.
  at::Tensor Host(at::IntArrayRef sizes, at::ScalarType type);
  // Starts the copy; returns the tensor on the device, to be read after Await.
  at::Tensor Send(const at::Tensor& host);

  // The current stream goes on when all that was sent since Begin is there.
  void Await();
  // What the current stream holds by now is all that reads this set.
  void Release();

 private:
  struct Set {
    explicit Set(at::Device device) : sent(device), released(device) {}
    std::vector<at::Tensor> host, device;  // flat bytes
    size_t handed_out = 0, sent_off = 0;
    DeviceMark sent, released;
  };

  const at::Device device_;
  const DeviceStream stream_;
  std::array<Set, 2> sets_;
  int current_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_UPLOAD_BUFFERS_H_
