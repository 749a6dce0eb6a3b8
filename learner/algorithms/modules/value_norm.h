// Running normalisation of value targets (ValueNorm of arXiv:2103.01955, section 4.1): debiased exponential moving
// averages of the first two moments, updated once per batch. Host code; not thread-safe.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_VALUE_NORM_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_VALUE_NORM_H_

#include <array>

#include "learner/algorithms/modules/target_sums.h"

namespace troupe {

class ValueNorm {
 public:
  static constexpr double kDecay = 0.99999;
  static constexpr double kVarianceFloor = 1e-2;

  // A disabled one leaves everything as it is: mean 0, deviation 1.
  explicit ValueNorm(bool enabled) : enabled_(enabled) {}

  // Takes in a batch's targets. None, or sums that are not finite: nothing changes.
  void Update(const TargetSums& targets);

  double mean() const;       // 0 before the first update
  double deviation() const;  // 1 before the first update, at least √kVarianceFloor afterwards

  // The moving averages of value, value², and of 1 (what debiases them).
  const std::array<double, 3>& state() const { return state_; }
  void set_state(const std::array<double, 3>& state) { state_ = state; }

 private:
  bool enabled_;
  std::array<double, 3> state_{};
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_VALUE_NORM_H_
