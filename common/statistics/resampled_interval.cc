#include "common/statistics/resampled_interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/base/random.h"

namespace troupe {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double Percentile(const std::vector<double>& sorted, double share) {
  const double position = share * (sorted.size() - 1);
  const size_t below = static_cast<size_t>(position), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

}  // namespace

double InterquartileMean(absl::Span<const double> samples) {
  // NaN has no place in an order.
  if (samples.empty() || std::any_of(samples.begin(), samples.end(), [](double x) { return std::isnan(x); })) {
    return kNone;
  }
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const size_t cut = sorted.size() / 4;
  return std::accumulate(sorted.begin() + cut, sorted.end() - cut, 0.0) / (sorted.size() - 2 * cut);
}

Interval BootstrapInterval(absl::Span<const double> samples,
                           const std::function<double(absl::Span<const double>)>& statistic, int resamples,
                           uint64_t seed) {
  if (samples.size() < 2) return {kNone, kNone};
  RandomStream random(seed);
  std::vector<double> values, drawn(samples.size());
  for (int i = 0; i < resamples; ++i) {
    for (double& sample : drawn) sample = samples[random.Below(samples.size())];
    values.push_back(statistic(drawn));
    if (std::isnan(values.back())) return {kNone, kNone};
  }
  std::sort(values.begin(), values.end());
  return {Percentile(values, 0.025), Percentile(values, 0.975)};
}

}  // namespace troupe
