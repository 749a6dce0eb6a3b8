// Adam (arXiv:1412.6980) over one flat parameter tensor, with gradient norm clipping and a guard against non-finite
// steps. Step and StepOnDevice are made of LibTorch's operators, for any device, and no value leaves the device;
// StepOnHost is two passes over memory on all ComputeThreads() and allocates nothing. Tests hold them to each other.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_FLAT_ADAM_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_FLAT_ADAM_H_

#include <vector>

#include "learner/torch/torch_headers.h"

namespace troupe {

class FlatAdam {
 public:
  struct Options {
    double epsilon = 1e-5;
    double weight_decay = 0;        // added to the gradient, as in Adam's original form
    double max_gradient_norm = 10;  // 0: no clipping
  };
  // What one step did, as scalars on the device.
  struct StepResult {
    at::Tensor gradient_norm;  // before clipping
    at::Tensor skipped;        // 1 when the norm or the loss was not finite and nothing changed, else 0
  };

  struct HostStepResult {
    float gradient_norm = 0;
    bool skipped = false;
  };

  FlatAdam(at::Tensor parameters, const Options& options);

  // Takes parameters.grad(), which it consumes. `loss` is looked at only for being finite.
  StepResult Step(double learning_rate, const at::Tensor& loss);

  // The same with a gradient [P] elsewhere, whose values are of no use afterwards, and the learning rate [], float32,
  // on the device: the operators are the same at every step, whatever the values.
  StepResult StepOnDevice(const at::Tensor& learning_rate, const at::Tensor& gradient, const at::Tensor& loss);

  // The same with a gradient [P] elsewhere, for parameters on the CPU. Same inputs, same bits, on any number of
  // threads.
  HostStepResult StepOnHost(double learning_rate, const float* gradient, float loss);

  // State: both moments [P] and the number of steps taken [], all float32.
  at::Tensor first_moment, second_moment, steps;

 private:
  // LearningRate: a number or a tensor.
  template <typename LearningRate>
  StepResult Take(const LearningRate& learning_rate, const at::Tensor& gradient, const at::Tensor& loss);

  at::Tensor parameters_;
  Options options_;
  std::vector<double> partial_;  // squares of the gradient, part by part
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_FLAT_ADAM_H_
