// Sums over a batch's active value targets, from which the normaliser's moments and the explained variance follow. Sums
// of parts of a batch add up to the batch's.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_TARGET_SUMS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_TARGET_SUMS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "learner/ranks/collective.h"

namespace troupe {

struct TargetSums {
  enum Sum { kCount, kTarget, kTargetSquare, kError, kErrorSquare, kSize };
  std::array<double, kSize> sums{};

  // Of the first targets.size() entries of `values` and `active`; errors are target − value.
  static TargetSums Of(const std::vector<float>& targets, const std::vector<float>& values,
                       const std::vector<uint8_t>& active);

  // The same of the joint steps listed, `columns` entries each.
  static TargetSums OfSteps(const std::vector<float>& targets, const std::vector<float>& values,
                            const std::vector<uint8_t>& active, int64_t columns, const std::vector<int64_t>& steps);

  // 1 − Var(error) / Var(target); 0 of no targets or equal ones.
  double ExplainedVariance() const;
};

// Turns each of the sums into those over all ranks.
void SumOverRanks(Collective* ranks, std::vector<TargetSums>* sums);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_TARGET_SUMS_H_
