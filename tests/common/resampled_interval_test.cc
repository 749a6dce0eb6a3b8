// Against numbers of rliable 1.2.0 (its metrics.aggregate_iqm, which is scipy.stats.trim_mean(x, 0.25), and
// library.get_interval_estimates with 100,000 resamples of RandomState(1)) on SciPy 1.17.1.
#include "common/statistics/resampled_interval.h"

#include <cmath>
#include <limits>
#include <vector>

#include "absl/types/span.h"
#include "common/statistics/estimate.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

const std::vector<double> kTen = {8.95, 8.90, 8.97, 8.10, 9.05, 8.60, 8.91, 7.20, 9.00, 8.88};
constexpr int kResamples = 100000;

absl::Span<const double> First(size_t count) { return absl::MakeConstSpan(kTen).subspan(0, count); }

TEST(ResampledInterval, InterquartileMeansAreRliables) {
  EXPECT_NEAR(InterquartileMean(kTen), 8.868333333333334, 1e-12);
  EXPECT_NEAR(InterquartileMean(First(5)), 8.94, 1e-12);
  // Of three nothing is left out: the mean.
  EXPECT_NEAR(InterquartileMean(First(3)), 8.94, 1e-12);
  EXPECT_EQ(InterquartileMean({2.5}), 2.5);
}

TEST(ResampledInterval, IntervalsAreRliables) {
  const Interval ten = BootstrapInterval(kTen, InterquartileMean, kResamples, 1);
  EXPECT_NEAR(ten.low, 8.38, 0.02);
  EXPECT_NEAR(ten.high, 8.96833333, 0.005);
  const Interval five = BootstrapInterval(First(5), InterquartileMean, kResamples, 2);
  EXPECT_NEAR(five.low, 8.36666667, 0.02);
  EXPECT_NEAR(five.high, 9.02333333, 0.005);
  // Three times the same of three is drawn in one of 27 sets, which is more than 2.5 %: the interval is the range.
  const Interval three = BootstrapInterval(First(3), InterquartileMean, kResamples, 3);
  EXPECT_EQ(three.low, 8.90);
  EXPECT_NEAR(three.high, 8.97, 1e-12);
}

TEST(ResampledInterval, TheSameSeedGivesTheSameInterval) {
  const Interval once = BootstrapInterval(kTen, InterquartileMean, 500, 7);
  const Interval again = BootstrapInterval(kTen, InterquartileMean, 500, 7);
  EXPECT_EQ(once.low, again.low);
  EXPECT_EQ(once.high, again.high);
  EXPECT_NE(once.low, BootstrapInterval(kTen, InterquartileMean, 500, 8).low);
}

TEST(ResampledInterval, WhatCannotBeSaidIsNotANumber) {
  EXPECT_TRUE(std::isnan(InterquartileMean({})));
  EXPECT_TRUE(std::isnan(InterquartileMean({1.0, std::numeric_limits<double>::quiet_NaN()})));
  EXPECT_TRUE(std::isnan(BootstrapInterval(First(1), InterquartileMean, 10, 0).low));
  const std::vector<double> gap = {1.0, std::numeric_limits<double>::quiet_NaN(), 2.0};
  EXPECT_TRUE(std::isnan(BootstrapInterval(gap, InterquartileMean, 1000, 0).high));
}

// scipy.stats.t.ppf(.975, n - 1) * scipy.stats.sem(x), SciPy 1.17.1; EstimateMean's quantile is good to 0.3 %.
TEST(ResampledInterval, StudentIntervalsOfMeansAreScipys) {
  const struct {
    size_t count;
    double mean, half_width;
  } kCases[] = {{2, 8.925, 0.31765511840436056},
                {3, 8.94, 0.0895668589502959},
                {5, 8.794, 0.4863615474078078},
                {10, 8.656, 0.4174645408587523}};
  for (const auto& [count, mean, half_width] : kCases) {
    const Estimate estimate = EstimateMean(First(count));
    EXPECT_NEAR(estimate.mean, mean, 1e-12) << count;
    EXPECT_NEAR(estimate.half_width, half_width, 0.003 * half_width) << count;
  }
}

}  // namespace
}  // namespace troupe
