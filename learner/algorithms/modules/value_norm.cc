#include "learner/algorithms/modules/value_norm.h"

#include <algorithm>
#include <cmath>

namespace troupe {

void ValueNorm::Update(const TargetSums& targets) {
  const double count = targets.sums[TargetSums::kCount], sum = targets.sums[TargetSums::kTarget],
               squares = targets.sums[TargetSums::kTargetSquare];
  if (!enabled_ || count == 0 || !std::isfinite(sum) || !std::isfinite(squares)) return;
  const std::array<double, 3> moments = {sum / count, squares / count, 1.0};
  for (size_t i = 0; i < 3; ++i) state_[i] = kDecay * state_[i] + (1.0 - kDecay) * moments[i];
}

double ValueNorm::mean() const { return enabled_ && state_[2] > 0 ? state_[0] / state_[2] : 0.0; }

double ValueNorm::deviation() const {
  if (!enabled_ || state_[2] <= 0) return 1.0;
  return std::sqrt(std::max(state_[1] / state_[2] - mean() * mean(), kVarianceFloor));
}

}  // namespace troupe
