// Sums over GPUs by NCCL, which LibTorch's CUDA library brings with it.
//
// NCCL's own C interface rather than c10d's ProcessGroupNCCL: that one's header needs NVIDIA's, which neither the build
// nor a machine without a GPU has. Functions are looked up at run time, after libtorch_cuda was loaded.
#ifndef TROUPE_LEARNER_RANKS_NCCL_H_
#define TROUPE_LEARNER_RANKS_NCCL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// nccl.h's types and functions of version 2, as far as used.
struct NcclLibrary {
  using Communicator = void*;
  struct Id {
    char bytes[128];
  };
  int (*get_unique_id)(Id* id) = nullptr;
  int (*comm_init_rank)(Communicator* communicator, int size, Id id, int rank) = nullptr;
  int (*all_reduce)(const void* send, void* receive, size_t count, int data_type, int operation,
                    Communicator communicator, void* stream) = nullptr;
  int (*comm_get_async_error)(Communicator communicator, int* result) = nullptr;
  int (*comm_abort)(Communicator communicator) = nullptr;
  const char* (*get_error_string)(int result) = nullptr;
};

// FAILED_PRECONDITION naming what is missing.
absl::StatusOr<NcclLibrary> LoadNccl();

// What all ranks of a new group must be given.
std::string NewNcclId(const NcclLibrary& library);

// Not thread-safe. Throws std::runtime_error when NCCL reports an error or a call takes longer than `timeout`; the
// group is of no use then.
class NcclGroup {
 public:
  // Returns when all ranks are here.
  NcclGroup(const NcclLibrary& library, const std::string& id, int rank, int size, at::Device device,
            absl::Duration timeout);
  ~NcclGroup();
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  // In place, float32, contiguous. Waits for the result: a rank that is gone would otherwise stall the device for ever,
  // unseen until something is read back.
  void Sum(at::Tensor* values);

 private:
  void Check(int result) const;

  const NcclLibrary library_;
  const at::Device device_;
  const absl::Duration timeout_;
  NcclLibrary::Communicator communicator_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RANKS_NCCL_H_
