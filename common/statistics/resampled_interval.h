// The interquartile mean and bootstrap intervals: what few runs with outliers among them are compared by (Agarwal et
// al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021, arXiv:2108.13264, section
// 4).
#ifndef TROUPE_COMMON_STATISTICS_RESAMPLED_INTERVAL_H_
#define TROUPE_COMMON_STATISTICS_RESAMPLED_INTERVAL_H_

#include <cstdint>
#include <functional>

#include "absl/types/span.h"

namespace troupe {

// The mean of what is left when the smallest and the largest ⌊n/4⌋ of n samples are left out: the mean itself for n
// < 4. NaN for no samples or when one is NaN.
double InterquartileMean(absl::Span<const double> samples);

struct Interval {
  double low = 0, high = 0;
};

// The percentile bootstrap's 95 % interval of `statistic`: the 2.5th and 97.5th percentile (linear between neighbours)
// of its values on `resamples` ≥ 1 sets drawn from `samples` with replacement. The same `seed`, the same interval. NaN
// for fewer than two samples.
Interval BootstrapInterval(absl::Span<const double> samples,
                           const std::function<double(absl::Span<const double>)>& statistic, int resamples,
                           uint64_t seed);

}  // namespace troupe

#endif  // TROUPE_COMMON_STATISTICS_RESAMPLED_INTERVAL_H_
