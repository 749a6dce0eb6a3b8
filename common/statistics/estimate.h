// A mean with the half-width of its 95 % confidence interval.
#ifndef TROUPE_COMMON_STATISTICS_ESTIMATE_H_
#define TROUPE_COMMON_STATISTICS_ESTIMATE_H_

#include "absl/types/span.h"

namespace troupe {

struct Estimate {
  double mean = 0;
  double half_width = 0;  // NaN for fewer than two samples
};

// Student's t over independent samples. Samples that are not finite (a statistic an episode does not have) are left
// out; mean is NaN when none is left.
Estimate EstimateMean(absl::Span<const double> samples);

// The 97.5 % quantile of Student's t with `degrees` ≥ 1 degrees of freedom, to 0.3 % (expansion in 1/degrees:
// Abramowitz and Stegun, 26.7.5; exact values for the first three).
double StudentQuantile975(int degrees);

}  // namespace troupe

#endif  // TROUPE_COMMON_STATISTICS_ESTIMATE_H_
