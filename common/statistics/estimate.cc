#include "common/statistics/estimate.h"

#include <cmath>
#include <limits>

namespace troupe {

double StudentQuantile975(int degrees) {
  constexpr double kSmall[] = {12.7062, 4.30265, 3.18245};
  if (degrees <= 3) return kSmall[degrees - 1];
  const double z = 1.959964, v = degrees;
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

Estimate EstimateMean(absl::Span<const double> samples) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  int count = 0;
  double sum = 0;
  for (const double sample : samples) {
    if (!std::isfinite(sample)) continue;
    ++count;
    sum += sample;
  }
  if (count == 0) return {kNone, kNone};
  const double mean = sum / count;
  if (count == 1) return {mean, kNone};
  double squares = 0;
  for (const double sample : samples) {
    if (std::isfinite(sample)) squares += (sample - mean) * (sample - mean);
  }
  return {mean, StudentQuantile975(count - 1) * std::sqrt(squares / (count - 1) / count)};
}

}  // namespace troupe
