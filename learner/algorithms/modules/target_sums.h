// Sums over a batch's active value targets, from which the normaliser's moments and the explained variance follow. Sums
// of parts of a batch add up to the batch's.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_TARGET_SUMS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_TARGET_SUMS_H_

#include <array>
#include <cstdint>
#include <vector>

namespace troupe {

struct TargetSums {
  enum Sum { kCount, kTarget, kTargetSquare, kError, kErrorSquare, kSize };
  std::array<double, kSize> sums{};

  // Of the first targets.size() entries of `values` and `active`; errors are target − value.
  static TargetSums Of(const std::vector<float>& targets, const std::vector<float>& values,
                       const std::vector<uint8_t>& active);

  // 1 − Var(error) / Var(target); 0 of no targets or equal ones.
  double ExplainedVariance() const;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_TARGET_SUMS_H_
