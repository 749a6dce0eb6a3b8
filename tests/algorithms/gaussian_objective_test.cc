// The loss of Gaussian policies row by row: densities and entropies against numbers of SciPy's, gradients against
// differences. objectives_test.cc holds it to autograd in every arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "learner/arithmetic/objectives/clipped_gaussian.h"

namespace troupe {
namespace {

// Rows of one set in one dimension, as the objective is asked for them on the CPU.
struct GaussianResult {
  std::vector<float> gradient;
  float free_gradient = 0;
  Objective::Figures figures{};
};

GaussianResult OfRows(const DistributionSpec& distribution, std::vector<float> outputs, float log_std,
                      std::vector<float> fields, double entropy_coefficient, double denominator) {
  const ClippedGaussianObjective objective(distribution, 1, 0.2);
  GaussianResult result{std::vector<float>(outputs.size(), 7.0f)};
  objective.Rows({.outputs = outputs.data(),
                  .rows = static_cast<int64_t>(fields.size()) / 5,
                  .width = distribution.NumOutputs(1),
                  .fields = fields.data(),
                  .free = &log_std,
                  .free_gradient = &result.free_gradient},
                 denominator, {entropy_coefficient}, result.gradient.data(), &result.figures);
  return result;
}

constexpr DistributionSpec kPlain{DistributionKind::kGaussian, false}, kPlainByState{DistributionKind::kGaussian, true},
    kSquashed{DistributionKind::kSquashedGaussian, false};

// N(0.3, e^−1) at u = 0.7: scipy.stats.norm(0.3, exp(-0.5)).logpdf(0.7) = −0.6364010794813963 and .entropy() =
// 0.9189385332046727; scipy.integrate.quad of log(1 − tanh²) times its density: −0.38914958688225937.
TEST(GaussianObjective, DensitiesAndEntropiesAreThoseOfScipy) {
  const float row[] = {0, 1, 1, 1, 0.7f};
  const float mean = 0.3f, log_std = -0.5f, u = 0.7f;
  EXPECT_NEAR(GaussianLogProbability(kPlain, 1, &mean, &log_std, &u), -0.6364010794813963, 1e-6);
  // 2 log cosh 0.7 = 0.45454045871701126.
  EXPECT_NEAR(GaussianLogProbability(kSquashed, 1, &mean, &log_std, &u), -0.6364010794813963 + 0.45454045871701126,
              1e-6);
  const GaussianResult plain = OfRows(kPlain, {mean}, log_std, {row, row + 5}, 0, 1);
  // The ratio to a reference of density 1 is the density, below 1 − 0.2.
  EXPECT_NEAR(plain.figures[PolicyLossSum::kSurrogate], -std::exp(-0.6364010794813963), 1e-6);
  EXPECT_NEAR(plain.figures[PolicyLossSum::kEntropy], 0.9189385332046727, 1e-6);
  EXPECT_NEAR(plain.figures[GaussianLossSum::kDeviation], std::exp(-0.5), 1e-6);
  const GaussianResult squashed = OfRows(kSquashed, {mean}, log_std, {row, row + 5}, 0, 1);
  EXPECT_NEAR(squashed.figures[PolicyLossSum::kEntropy], 0.9189385332046727 - 0.38914958688225937, 1e-5);
}

// Entropies of tanh(u) by scipy.integrate.quad, as above, over the whole range that training meets and beyond it.
TEST(GaussianObjective, EntropiesOfSquashedOnesAreThoseOfAnIntegral) {
  const struct {
    float mean, deviation;
    double entropy, within;
  } known[] = {
      {0.0f, 0.1f, -0.893597212688, 1e-05}, {0.8f, 0.5f, 0.002335385147, 1e-05}, {-2.0f, 1.0f, -1.366658496291, 0.0001},
      {0.5f, 1.5f, 0.308502665538, 0.003},  {0.0f, 2.0f, -0.001233418701, 0.01}, {1.0f, 4.0f, -2.546430877633, 0.1},
  };
  for (const auto& one : known) {
    const GaussianResult result = OfRows(kSquashed, {one.mean}, std::log(one.deviation), {0, 1, 0, 1, 0}, 0, 1);
    EXPECT_NEAR(result.figures[PolicyLossSum::kEntropy], one.entropy, one.within) << one.mean << " " << one.deviation;
  }
}

TEST(GaussianObjective, APolicysRatioToItselfIsOne) {
  const float outputs[] = {0.3f, -1.2f, 0.4f, -0.9f}, samples[] = {0.5f, -1.1f}, log_std[] = {-0.7f, 0.2f};
  for (const bool by_state : {false, true}) {
    const DistributionSpec distribution{DistributionKind::kGaussian, by_state};
    const float reference = GaussianLogProbability(distribution, 2, outputs, log_std, samples);
    const float row[] = {reference, 1, 1, 1, samples[0], samples[1]};
    float gradient[4], free_gradient[2] = {};
    Objective::Figures figures{};
    ClippedGaussianObjective(distribution, 2, 0.2)
        .Rows({.outputs = outputs,
               .rows = 1,
               .width = by_state ? 4 : 2,
               .fields = row,
               .free = log_std,
               .free_gradient = free_gradient},
              1, {}, gradient, &figures);
    EXPECT_NEAR(figures[PolicyLossSum::kSurrogate], -1, 1e-6);
    EXPECT_NEAR(figures[PolicyLossSum::kApproxKl], 0, 1e-6);
    EXPECT_EQ(figures[PolicyLossSum::kClipFraction], 0);
  }
}

// The loss that the figures add up to, differentiated numerically, for rows on all sides of the clip.
TEST(GaussianObjective, GradientsAreThoseOfTheFiguresReported) {
  // Ratios of about 1.29, 1.41, 0.63, 10 and 1.05.
  const std::vector<float> fields = {-1.2f, 1.3f,  0.8f,  1,     0.9f, -1.0f, 0.7f,  -1.1f, 1,
                                     -0.4f, -0.2f, 1.0f,  -0.5f, 1,    -0.1f, -3.0f, 1.0f,  0.6f,
                                     1,     0.2f,  -0.7f, 1.1f,  1.4f, 1,     0.6f};
  const std::vector<float> outputs = {0.3f, -0.2f, 0.1f, 0.0f, 0.4f};
  const auto loss = [&](const DistributionSpec& distribution, const std::vector<float>& y, float log_std) {
    const auto figures = OfRows(distribution, y, log_std, fields, 0.3, 5).figures;
    return (figures[PolicyLossSum::kSurrogate] - 0.3 * figures[PolicyLossSum::kEntropy]) / 5;
  };
  for (const DistributionSpec& distribution : {kPlain, kSquashed}) {
    const GaussianResult came = OfRows(distribution, outputs, -0.3f, fields, 0.3, 5);
    const float step = 4e-3f;
    for (size_t i = 0; i < outputs.size(); ++i) {
      std::vector<float> above = outputs, below = outputs;
      above[i] += step, below[i] -= step;
      const double slope =
          (loss(distribution, above, -0.3f) - loss(distribution, below, -0.3f)) / (above[i] - below[i]);
      EXPECT_NEAR(came.gradient[i], slope, 2e-4) << i;
    }
    const double slope =
        (loss(distribution, outputs, -0.3f + step) - loss(distribution, outputs, -0.3f - step)) / (2 * step);
    EXPECT_NEAR(came.free_gradient, slope, 2e-4);
  }
}

TEST(GaussianObjective, DeviationsBeyondTheirBoundsCountAsTheBoundAndDoNotMove) {
  for (const auto& [log_std, bound] : {std::pair(3.0f, 2.0f), std::pair(-25.0f, -20.0f)}) {
    const std::vector<float> row = {0, 1, 1, 1, 0};  // u is the mean
    const GaussianResult out = OfRows(kPlainByState, {0, log_std}, 0, row, 0.5, 1),
                         at = OfRows(kPlainByState, {0, bound}, 0, row, 0.5, 1);
    EXPECT_EQ(out.figures, at.figures);
    EXPECT_EQ(out.gradient[1], 0) << log_std;
    EXPECT_NE(at.gradient[1], 0);
    EXPECT_EQ(OfRows(kPlain, {0}, log_std, row, 0.5, 1).free_gradient, 0);
  }
}

TEST(GaussianObjective, DeadRowsBringNothingAndANanReachesTheFigures) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const GaussianResult dead = OfRows(kPlain, {nan, 0.5f}, 0, {nan, nan, nan, 0, nan, -1, 1, 1, 1, 0.5f}, 0.1, 1);
  const GaussianResult alone = OfRows(kPlain, {0.5f}, 0, {-1, 1, 1, 1, 0.5f}, 0.1, 1);
  EXPECT_EQ(dead.figures, alone.figures);
  EXPECT_EQ(dead.gradient, (std::vector<float>{0, alone.gradient[0]}));
  EXPECT_EQ(dead.free_gradient, alone.free_gradient);
  EXPECT_TRUE(std::isnan(OfRows(kPlain, {nan}, 0, {-1, 1, 1, 1, 0}, 0.1, 1).figures[PolicyLossSum::kSurrogate]));
  EXPECT_TRUE(std::isnan(OfRows(kPlain, {0}, nan, {-1, 1, 1, 1, 0}, 0.1, 1).figures[PolicyLossSum::kEntropy]));
}

}  // namespace
}  // namespace troupe
