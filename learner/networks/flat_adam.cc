#include "learner/networks/flat_adam.h"

namespace troupe {

FlatAdam::FlatAdam(at::Tensor parameters, const Options& options)
    : first_moment(at::zeros_like(parameters.detach())),
      second_moment(at::zeros_like(parameters.detach())),
      steps(at::zeros({}, parameters.options().requires_grad(false))),
      parameters_(std::move(parameters)),
      options_(options) {}

FlatAdam::StepResult FlatAdam::Step(double learning_rate, const at::Tensor& loss) {
  const at::NoGradGuard no_gradient;
  at::Tensor gradient = parameters_.grad();
  StepResult result;
  result.gradient_norm = at::linalg_vector_norm(gradient, 2);
  result.skipped = at::logical_not(at::isfinite(result.gradient_norm + loss)).to(at::kFloat);
  std::optional<at::Tensor> scale;
  if (options_.max_gradient_norm > 0) {
    scale = at::clamp_min((result.gradient_norm + 1e-6) / options_.max_gradient_norm, 1.0);
  }
  steps += 1.0 - result.skipped;
  at::Tensor parameters = parameters_.detach();
  at::_fused_adam_({parameters}, {gradient}, {first_moment}, {second_moment}, {}, {steps}, learning_rate, 0.9, 0.999,
                   options_.weight_decay, options_.epsilon, /*amsgrad=*/false, /*maximize=*/false, scale,
                   result.skipped);
  parameters_.mutable_grad().reset();
  return result;
}

}  // namespace troupe
