// Choosing what the learner computes on.
#ifndef TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_H_
#define TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct ChosenDevice {
  std::string name;         // "cpu", "cuda" or, of GPUs beyond the first, "cuda:N"
  std::string description;  // for people: "CPU, 2 threads" or "CUDA: NVIDIA …"
};

// `local_rank` is this process among the learners of this machine: it says which GPU.
//
// Sets the process's arithmetic threads and, for AUTO and CUDA, loads libtorch_cuda at run time. AUTO falls back to the
// CPU; CUDA without a usable GPU is FAILED_PRECONDITION with one line saying what is missing. Call once, before any
// algorithm.
absl::StatusOr<ChosenDevice> ChooseDevice(const ComputeSettings& settings, int local_rank = 0);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_GPU_DEVICE_H_
