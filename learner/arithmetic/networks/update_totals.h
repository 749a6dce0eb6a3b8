// What an update's gradient steps report, summed on the device; read back once, when the update ends.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_UPDATE_TOTALS_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_UPDATE_TOTALS_H_

#include "learner/arithmetic/networks/flat_adam.h"
#include "learner/arithmetic/objectives/losses.h"

namespace troupe {

struct UpdateTotals {
  explicit UpdateTotals(at::Device device) {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
    actor = at::zeros({PolicyLossResult::kCount + 2}, options);
    critic = at::zeros({3}, options);
    skipped = at::zeros({}, options);
    minibatch_skipped = at::zeros({}, options);
  }
  // Sums 0 again, in the same memory.
  void Clear() {
    for (at::Tensor* sums : {&actor, &critic, &skipped, &minibatch_skipped}) sums->zero_();
  }
  // Adds a step's values, gradient norm and a 1 to `into`, in place, unless the step was skipped.
  void Add(const at::Tensor& values, const FlatAdam::StepResult& step, at::Tensor* into) {
    const at::NoGradGuard no_gradient;
    const at::Tensor all =
        at::cat({values.reshape({-1}), step.gradient_norm.reshape({1}), at::ones({1}, values.options())});
    *into += at::where(step.skipped > 0, at::zeros_like(all), all);
    at::maximum_out(minibatch_skipped, minibatch_skipped, step.skipped);
  }
  // The same with host values, on the CPU.
  void AddOnHost(const float* values, int64_t count, const FlatAdam::HostStepResult& step, at::Tensor* into) {
    if (step.skipped) {
      *minibatch_skipped.data_ptr<float>() = 1.0f;
      return;
    }
    float* sums = into->data_ptr<float>();
    for (int64_t i = 0; i < count; ++i) sums[i] += values[i];
    sums[count] += step.gradient_norm;
    sums[count + 1] += 1.0f;
  }
  // A minibatch counts as skipped when any network skipped it.
  void EndMinibatch() {
    skipped += minibatch_skipped;
    minibatch_skipped.zero_();
  }

  at::Tensor actor;   // PolicyLossResult's sums, gradient norm, steps taken
  at::Tensor critic;  // loss, gradient norm, steps taken
  at::Tensor skipped, minibatch_skipped;
  // This update's place in the schedules.
  double actor_learning_rate = 0, critic_learning_rate = 0, entropy_coefficient = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_UPDATE_TOTALS_H_
