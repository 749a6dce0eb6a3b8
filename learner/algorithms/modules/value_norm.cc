#include "learner/algorithms/modules/value_norm.h"

#include <algorithm>
#include <cmath>

namespace troupe {

void ValueNorm::Update(const std::vector<float>& values, const std::vector<uint8_t>& active) {
  double sum = 0, squares = 0;
  int64_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (active[i] == 0) continue;
    sum += values[i];
    squares += static_cast<double>(values[i]) * values[i];
    ++count;
  }
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
