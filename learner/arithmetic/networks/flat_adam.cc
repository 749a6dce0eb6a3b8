#include "learner/arithmetic/networks/flat_adam.h"

#include <algorithm>
#include <cmath>

#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/host/vector_math.h"

namespace troupe {
namespace {

constexpr double kFirstDecay = 0.9, kSecondDecay = 0.999;
// Parameters per part of StepOnHost.
constexpr int64_t kPart = 8192;

}  // namespace

FlatAdam::FlatAdam(at::Tensor parameters, const Options& options)
    : first_moment(at::zeros_like(parameters.detach())),
      second_moment(at::zeros_like(parameters.detach())),
      steps(at::zeros({}, parameters.options().requires_grad(false))),
      parameters_(std::move(parameters)),
      options_(options),
      partial_((parameters_.numel() + kPart - 1) / kPart) {}

template <typename LearningRate>
FlatAdam::StepResult FlatAdam::Take(const LearningRate& learning_rate, const at::Tensor& gradient,
                                    const at::Tensor& loss) {
  const at::NoGradGuard no_gradient;
  StepResult result;
  result.gradient_norm = at::linalg_vector_norm(gradient, 2);
  result.skipped = at::logical_not(at::isfinite(result.gradient_norm + loss)).to(at::kFloat);
  std::optional<at::Tensor> scale;
  if (options_.max_gradient_norm > 0) {
    scale = at::clamp_min((result.gradient_norm + 1e-6) / options_.max_gradient_norm, 1.0);
  }
  steps += 1.0 - result.skipped;
  at::Tensor parameters = parameters_.detach();
  at::_fused_adam_({parameters}, {gradient}, {first_moment}, {second_moment}, {}, {steps}, learning_rate, kFirstDecay,
                   kSecondDecay, options_.weight_decay, options_.epsilon, /*amsgrad=*/false, /*maximize=*/false, scale,
                   result.skipped);
  return result;
}

FlatAdam::StepResult FlatAdam::Step(double learning_rate, const at::Tensor& loss) {
  const StepResult result = Take(learning_rate, parameters_.grad(), loss);
  parameters_.mutable_grad().reset();
  return result;
}

FlatAdam::StepResult FlatAdam::StepOnDevice(const at::Tensor& learning_rate, const at::Tensor& gradient,
                                            const at::Tensor& loss) {
  return Take(learning_rate, gradient, loss);
}

FlatAdam::HostStepResult FlatAdam::StepOnHost(double learning_rate, const float* gradient, float loss) {
  const int64_t size = parameters_.numel();
  const auto parts = static_cast<int64_t>(partial_.size());
  const auto count = [&](int64_t part) { return std::min(kPart, size - part * kPart); };
  ParallelFor(parts, [&](int, int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      partial_[part] = vector_math::SumSquares(gradient + part * kPart, count(part));
    }
  });
  double squares = 0;
  for (const double partial : partial_) squares += partial;
  HostStepResult result;
  result.gradient_norm = static_cast<float>(std::sqrt(squares));
  result.skipped = !std::isfinite(result.gradient_norm + loss);
  if (result.skipped) return result;

  float& taken = *steps.data_ptr<float>();
  taken += 1.0f;
  vector_math::AdamFactors factors{};
  factors.gradient_scale = 1.0f;
  if (options_.max_gradient_norm > 0) {
    const double excess = (result.gradient_norm + 1e-6) / options_.max_gradient_norm;
    factors.gradient_scale = static_cast<float>(1.0 / std::max(1.0, excess));
  }
  factors.weight_decay = static_cast<float>(options_.weight_decay);
  factors.first_rate = static_cast<float>(1.0 - kFirstDecay);
  factors.second_rate = static_cast<float>(1.0 - kSecondDecay);
  factors.step_size = static_cast<float>(learning_rate / (1.0 - std::pow(kFirstDecay, taken)));
  factors.second_scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(kSecondDecay, taken)));
  factors.epsilon = static_cast<float>(options_.epsilon);
  float* parameters = parameters_.data_ptr<float>();
  float* first = first_moment.data_ptr<float>();
  float* second = second_moment.data_ptr<float>();
  ParallelFor(parts, [&](int, int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t at = part * kPart;
      vector_math::AdamStep(factors, gradient + at, count(part), parameters + at, first + at, second + at);
    }
  });
  return result;
}

}  // namespace troupe
