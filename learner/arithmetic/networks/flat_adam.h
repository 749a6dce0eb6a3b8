// Adam (arXiv:1412.6980) over one flat parameter tensor, with gradient norm clipping and a guard against non-finite
// steps. A tensor may hold several parameter sets that share nothing: each has its own norm, guard and number of steps.
// StepOnDevice is made of LibTorch's operators, for any device, and no value leaves the device; StepOnHost is two
// passes over memory on all ComputeThreads() and allocates nothing. Tests hold them to each other.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_FLAT_ADAM_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_FLAT_ADAM_H_

#include <cstdint>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

class FlatAdam {
 public:
  // A run of the flat tensor that belongs to one set.
  struct Slice {
    int set = 0;
    int64_t first = 0;
    int64_t size = 0;
  };
  // What one step did, on the device.
  struct StepResult {
    at::Tensor gradient_norms;  // [sets], before clipping
    at::Tensor skipped;         // [sets]: 1 when the norm or the loss was not finite and nothing changed, else 0
  };
  struct HostStepResult {
    float gradient_norm = 0;
    bool skipped = false;
  };

  // All of `parameters` is one set.
  FlatAdam(at::Tensor parameters, const AdamSettings& settings);
  // `slices` cover `parameters` [P] without overlap.
  FlatAdam(at::Tensor parameters, const AdamSettings& settings, int sets, std::vector<Slice> slices);

  // A gradient [P], whose values are of no use afterwards, losses [sets], looked at only for being finite, and the
  // learning rates [sets], float32, on the device: the operators are the same at every step, whatever the values. Sets
  // whose learning rate is below 0 stay as they are.
  StepResult StepOnDevice(const at::Tensor& learning_rates, const at::Tensor& gradient, const at::Tensor& losses);

  // The same for parameters on the CPU. losses and stepped [sets]; without `stepped` all sets are stepped. Same inputs,
  // same bits, on any number of threads. The result is valid until the next call.
  const std::vector<HostStepResult>& StepOnHost(double learning_rate, const float* gradient, const float* losses,
                                                const uint8_t* stepped = nullptr);

  // State: both moments [P] and the number of steps taken [sets], all float32.
  at::Tensor first_moment, second_moment, steps;

 private:
  // A slice, or a part of a long one.
  struct Piece {
    int set;
    int64_t first, size;
    double squares;  // of the gradient there
  };

  at::Tensor parameters_;
  const AdamSettings settings_;
  std::vector<std::vector<Slice>> slices_;  // of each set
  std::vector<Piece> pieces_;
  std::vector<HostStepResult> results_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_FLAT_ADAM_H_
