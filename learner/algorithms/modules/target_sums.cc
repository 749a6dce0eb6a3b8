#include "learner/algorithms/modules/target_sums.h"

#include <cstddef>

namespace troupe {

TargetSums TargetSums::Of(const std::vector<float>& targets, const std::vector<float>& values,
                          const std::vector<uint8_t>& active) {
  TargetSums result;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (active[i] == 0) continue;
    const double target = targets[i], error = target - values[i];
    result.sums[kCount] += 1;
    result.sums[kTarget] += target;
    result.sums[kTargetSquare] += target * target;
    result.sums[kError] += error;
    result.sums[kErrorSquare] += error * error;
  }
  return result;
}

double TargetSums::ExplainedVariance() const {
  const double count = sums[kCount];
  if (count == 0) return 0;
  const double variance = sums[kTargetSquare] / count - (sums[kTarget] / count) * (sums[kTarget] / count);
  const double residual = sums[kErrorSquare] / count - (sums[kError] / count) * (sums[kError] / count);
  return variance < 1e-12 ? 0.0 : 1.0 - residual / variance;
}

}  // namespace troupe
