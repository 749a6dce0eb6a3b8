#include "learner/algorithms/modules/target_sums.h"

#include <algorithm>
#include <cstddef>

namespace troupe {

namespace {

void Add(float target_value, float value, TargetSums* to) {
  const double target = target_value, error = target - value;
  to->sums[TargetSums::kCount] += 1;
  to->sums[TargetSums::kTarget] += target;
  to->sums[TargetSums::kTargetSquare] += target * target;
  to->sums[TargetSums::kError] += error;
  to->sums[TargetSums::kErrorSquare] += error * error;
}

}  // namespace

TargetSums TargetSums::Of(const std::vector<float>& targets, const std::vector<float>& values,
                          const std::vector<uint8_t>& active) {
  TargetSums result;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (active[i] != 0) Add(targets[i], values[i], &result);
  }
  return result;
}

TargetSums TargetSums::OfSteps(const std::vector<float>& targets, const std::vector<float>& values,
                               const std::vector<uint8_t>& active, int64_t columns, const std::vector<int64_t>& steps) {
  TargetSums result;
  for (const int64_t step : steps) {
    for (int64_t i = step * columns; i < (step + 1) * columns; ++i) {
      if (active[i] != 0) Add(targets[i], values[i], &result);
    }
  }
  return result;
}

void SumOverRanks(Collective* ranks, std::vector<TargetSums>* sums) {
  std::vector<double> flat;
  for (const TargetSums& each : *sums) flat.insert(flat.end(), each.sums.begin(), each.sums.end());
  ranks->Sum(absl::MakeSpan(flat));
  for (std::size_t i = 0; i < sums->size(); ++i) {
    std::copy_n(flat.begin() + static_cast<int64_t>(i) * TargetSums::kSize, TargetSums::kSize, (*sums)[i].sums.begin());
  }
}

double TargetSums::ExplainedVariance() const {
  const double count = sums[kCount];
  if (count == 0) return 0;
  const double variance = sums[kTargetSquare] / count - (sums[kTarget] / count) * (sums[kTarget] / count);
  const double residual = sums[kErrorSquare] / count - (sums[kError] / count) * (sums[kError] / count);
  return variance < 1e-12 ? 0.0 : 1.0 - residual / variance;
}

}  // namespace troupe
