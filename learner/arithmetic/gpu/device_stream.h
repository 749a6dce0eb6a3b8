// Queues of device work and marks in them, for any device. On the CPU, where work is done when its call returns, all of
// this does nothing.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STREAM_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STREAM_H_

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>

#include <optional>

#include "learner/torch/torch_headers.h"

namespace troupe {

class DeviceStream {
 public:
  // A stream besides the device's default one.
  explicit DeviceStream(at::Device device);

  // While it lives, work goes to the stream, after what the stream that was current before held then; what comes to
  // that one later waits for the work in turn. One thread at a time.
  class Scope {
   public:
    explicit Scope(const DeviceStream& stream);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    std::optional<c10::Stream> outer_;
    std::optional<c10::StreamGuard> guard_;
  };
  // The same without waiting for each other; marks say what waits for what.
  class FreeScope {
   public:
    explicit FreeScope(const DeviceStream& stream);

   private:
    std::optional<c10::StreamGuard> guard_;
  };

 private:
  std::optional<c10::Stream> stream_;
};

// A mark in a stream. Not thread-safe.
class DeviceMark {
 public:
  explicit DeviceMark(at::Device device);

  // After all that the current stream holds now.
  void Set();
  // The current stream goes on once the mark, as last set, was passed; at once if it never was set.
  void Await() const;
  // The same for the calling thread.
  void AwaitOnHost() const;
  bool IsPassed() const;

 private:
  at::Device device_;
  std::optional<c10::Event> event_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_STREAM_H_
