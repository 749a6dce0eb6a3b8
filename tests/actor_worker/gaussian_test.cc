#include "actor_worker/acting/gaussian.h"

#include <cmath>

#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/reference_distribution.h"

namespace troupe {
namespace {

// Of rows that all have these means and log-deviations; uniforms [rows, draws], or empty for one row's mode.
struct Drawn {
  std::vector<float> sampled, taken, log_probabilities;
};

PolicySpec SpecOf(int size, DistributionKind kind) {
  return WithDistribution(MakeTestSpec(1, 1, size, {}, {0}), {kind, false});
}

Drawn Draw(DistributionKind kind, const std::vector<float>& means, const std::vector<float>& log_stds,
           const std::vector<float>& uniforms, std::vector<NamedScalar> scalars = {}) {
  const int size = int(means.size()), draws = 2 * ((size + 1) / 2);
  const int rows = uniforms.empty() ? 1 : int(uniforms.size()) / draws;
  Gaussian gaussian(SpecOf(size, kind), rows);
  EXPECT_EQ(gaussian.draws_per_agent(), draws);
  const HostTensor parameter = HostTensor::Float32("team/log_std", {1, size}, log_stds.data());
  EXPECT_TRUE(gaussian.SetSnapshot(absl::MakeConstSpan(&parameter, 1), {1, {}, std::move(scalars)}).ok());
  std::vector<float> outputs;
  for (int row = 0; row < rows; ++row) outputs.insert(outputs.end(), means.begin(), means.end());
  Drawn drawn{std::vector<float>(outputs.size()), std::vector<float>(outputs.size()), std::vector<float>(rows)};
  gaussian.Choose(outputs, {}, uniforms,
                  {.sampled = absl::MakeSpan(drawn.sampled),
                   .taken = absl::MakeSpan(drawn.taken),
                   .log_probabilities = absl::MakeSpan(drawn.log_probabilities)});
  return drawn;
}

std::vector<float> Uniforms(size_t count, uint64_t seed) {
  RandomStream random(seed);
  std::vector<float> uniforms(count);
  for (float& uniform : uniforms) uniform = random.Uniform();
  return uniforms;
}

// Uniform numbers that draw one dimension at every z of a fine grid from -5.5 to 5.5, in order.
std::vector<float> GridUniforms() {
  std::vector<float> uniforms;
  for (int k = -5500; k <= 5500; ++k) {
    const double z = k / 1000.0;
    uniforms.push_back(float(-std::expm1(-z * z / 2)));
    uniforms.push_back(z < 0 ? 0.5f : 0.0f);
  }
  return uniforms;
}

// Trapezoids of f over the points x.
template <typename X, typename F>
double Integrate(size_t count, X x, F f) {
  double sum = 0;
  for (size_t i = 1; i < count; ++i) sum += (x(i) - x(i - 1)) * (f(i) + f(i - 1)) / 2;
  return sum;
}

TEST(GaussianTest, TheModeIsTheMeanWithTheLogDensityOfClosedForm) {
  // -½ log 2π = -0.918938533204673 of a standard normal; of N(·, 0.5²) × N(·, 0.25²): -log 2π + log 8.
  EXPECT_FLOAT_EQ(Draw(DistributionKind::kGaussian, {0.0f}, {0.0f}, {}).log_probabilities[0], -0.918938533f);
  const Drawn two = Draw(DistributionKind::kGaussian, {0.25f, -3.0f}, {std::log(0.5f), std::log(0.25f)}, {});
  EXPECT_THAT(two.sampled, testing::ElementsAre(0.25f, -3.0f));
  EXPECT_THAT(two.taken, testing::ElementsAre(0.25f, -1.0f));
  EXPECT_NEAR(two.log_probabilities[0], -1.837877066 + 2.079441542, 1e-6);
}

TEST(GaussianTest, DensityAndEntropyByNumericalIntegration) {
  for (const double deviation : {0.2, 1.0, 3.0}) {
    const Drawn grid = Draw(DistributionKind::kGaussian, {0.7f}, {float(std::log(deviation))}, GridUniforms());
    const auto x = [&](size_t i) { return double{grid.sampled[i]}; };
    const auto p = [&](size_t i) { return std::exp(double{grid.log_probabilities[i]}); };
    EXPECT_NEAR(Integrate(grid.sampled.size(), x, p), 1, 1e-4);
    const double entropy =
        Integrate(grid.sampled.size(), x, [&](size_t i) { return -p(i) * grid.log_probabilities[i]; });
    // ½ log(2πe σ²) = 1.4189385332046727 + log σ.
    EXPECT_NEAR(entropy, 1.4189385332 + std::log(deviation), 1e-3);
  }
}

TEST(GaussianTest, TheMeanSurpriseOfDrawsIsTheEntropy) {
  constexpr int kDraws = 200000;
  const Drawn drawn = Draw(DistributionKind::kGaussian, {0.1f, -0.4f, 2.0f}, {std::log(0.5f), 0.0f, std::log(2.0f)},
                           Uniforms(4 * kDraws, 5));
  double sum = 0;
  for (const float log_probability : drawn.log_probabilities) sum -= log_probability;
  // The variance of the surprise is N / 2.
  EXPECT_NEAR(sum / kDraws, 3 * 1.4189385332, 4 * std::sqrt(1.5 / kDraws));
}

TEST(GaussianTest, DrawsAreNormalAndIndependentOfEachOther) {
  constexpr int kDraws = 200000;
  const Drawn drawn = Draw(DistributionKind::kGaussian, {0.0f, 0.0f}, {0.0f, 0.0f}, Uniforms(2 * kDraws, 6));
  double mean = 0, square = 0, fourth = 0, product = 0;
  int below_minus_one = 0, above_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double a = drawn.sampled[2 * i], b = drawn.sampled[2 * i + 1];
    mean += (a + b) / (2 * kDraws);
    square += (a * a + b * b) / (2 * kDraws);
    fourth += (a * a * a * a + b * b * b * b) / (2 * kDraws);
    product += a * b / kDraws;
    below_minus_one += (a < -1) + (b < -1);
    above_two += (a > 2) + (b > 2);
  }
  const double root = std::sqrt(2.0 * kDraws);
  EXPECT_NEAR(mean, 0, 4 / root);
  EXPECT_NEAR(square, 1, 4 * std::sqrt(2.0) / root);
  EXPECT_NEAR(fourth, 3, 4 * std::sqrt(96.0) / root);
  EXPECT_NEAR(product, 0, 4 / std::sqrt(double{kDraws}));
  // Tables of the normal distribution: Φ(-1) = 0.158655, Φ(-2) = 0.022750.
  EXPECT_NEAR(below_minus_one / (2.0 * kDraws), 0.158655, 4 * std::sqrt(0.158655 * 0.841345) / root);
  EXPECT_NEAR(above_two / (2.0 * kDraws), 0.022750, 4 * std::sqrt(0.022750 * 0.977250) / root);
}

TEST(GaussianTest, RecordsTheSampleAndGivesTheEnvironmentWhatLiesWithinItsBounds) {
  const std::vector<float> uniforms = Uniforms(2 * 4000, 7);
  const Drawn clipped = Draw(DistributionKind::kGaussian, {0.5f, -0.5f}, {0.0f, 0.0f}, uniforms);
  const Drawn squashed = Draw(DistributionKind::kSquashedGaussian, {0.5f, -0.5f}, {0.0f, 0.0f}, uniforms);
  int beyond = 0;
  for (size_t i = 0; i < clipped.sampled.size(); ++i) {
    EXPECT_EQ(squashed.sampled[i], clipped.sampled[i]);
    EXPECT_EQ(clipped.taken[i], std::min(1.0f, std::max(-1.0f, clipped.sampled[i])));
    EXPECT_NEAR(squashed.taken[i], std::tanh(double{squashed.sampled[i]}), 1e-7);
    EXPECT_LE(std::abs(squashed.taken[i]), 1.0f);
    beyond += std::abs(clipped.sampled[i]) > 1;
  }
  // P(|N(0.5, 1)| > 1) = Φ(-0.5) + Φ(-1.5) = 0.308538 + 0.066807.
  EXPECT_NEAR(beyond / 8000.0, 0.375345, 4 * std::sqrt(0.375345 * 0.624655 / 8000));
}

TEST(GaussianTest, ASquashedDensityIsTheDerivativeOfItsDistributionFunction) {
  const float mean = 0.3f, log_std = std::log(0.8f);
  const Drawn grid = Draw(DistributionKind::kSquashedGaussian, {mean}, {log_std}, GridUniforms());
  // P(tanh(u) ≤ a) with u ~ N(mean, 0.8²).
  const auto cumulative = [&](double a) {
    return 0.5 * std::erfc(-(std::atanh(a) - mean) / (std::exp(double{log_std}) * std::numbers::sqrt2));
  };
  int compared = 0;
  for (size_t i = 0; i < grid.sampled.size(); i += 50) {
    const double a = std::tanh(double{grid.sampled[i]});
    if (std::abs(a) > 0.9999) continue;
    const double step = 1e-5 * (1 - a * a);
    const double slope = (cumulative(a + step) - cumulative(a - step)) / (2 * step);
    if (slope * (1 - a * a) < 1e-3) continue;  // where the difference of two numbers near one says little
    EXPECT_NEAR(std::exp(double{grid.log_probabilities[i]}) / slope, 1, 2e-5) << a;
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

TEST(GaussianTest, ASquashedDensityIntegratesToOne) {
  for (const float mean : {-1.5f, 0.0f, 0.6f}) {
    const Drawn grid = Draw(DistributionKind::kSquashedGaussian, {mean}, {std::log(0.7f)}, GridUniforms());
    EXPECT_NEAR(Integrate(
                    grid.sampled.size(), [&](size_t i) { return std::tanh(double{grid.sampled[i]}); },
                    [&](size_t i) { return std::exp(double{grid.log_probabilities[i]}); }),
                1, 1e-4);
  }
}

TEST(GaussianTest, SquashedSamplesFarOutHaveFiniteLogProbabilities) {
  for (const float mean : {-60.0f, 60.0f}) {
    const Drawn far = Draw(DistributionKind::kSquashedGaussian, {mean}, {0.0f}, {});
    EXPECT_EQ(far.taken[0], mean < 0 ? -1.0f : 1.0f);
    // 1 − tanh²(u) → 4 e^(−2|u|).
    EXPECT_NEAR(far.log_probabilities[0], -0.918938533 - std::log(4.0) + 120, 1e-4);
  }
}

TEST(GaussianTest, NoiseScalesTheDeviations) {
  const std::vector<float> uniforms = Uniforms(2 * 50, 8);
  const Drawn once = Draw(DistributionKind::kGaussian, {0.0f, 0.0f}, {0.5f, -1.0f}, uniforms);
  const Drawn twice = Draw(DistributionKind::kGaussian, {0.0f, 0.0f}, {0.5f, -1.0f}, uniforms, {{"noise_scale", 2}});
  for (size_t i = 0; i < once.sampled.size(); ++i) EXPECT_FLOAT_EQ(twice.sampled[i], 2 * once.sampled[i]);
  for (size_t i = 0; i < once.log_probabilities.size(); ++i) {
    EXPECT_NEAR(twice.log_probabilities[i], once.log_probabilities[i] - 2 * std::log(2.0), 1e-5);
  }
}

TEST(GaussianTest, RefusesANoiseScaleThatIsNotPositive) {
  Gaussian gaussian(SpecOf(1, DistributionKind::kGaussian), 1);
  const float zero = 0;
  const HostTensor parameter = HostTensor::Float32("team/log_std", {1, 1}, &zero);
  for (const double bad : {0.0, -1.0}) {
    const absl::Status status =
        gaussian.SetSnapshot(absl::MakeConstSpan(&parameter, 1), {4, {}, {{"noise_scale", bad}}});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("policy version 4: scalar \"noise_scale\" is "));
  }
}

TEST(GaussianTest, LogDeviationsAreHeldWithinTheirBounds) {
  EXPECT_NEAR(Draw(DistributionKind::kGaussian, {0.0f}, {50.0f}, {}).log_probabilities[0], -0.918938533 - 2, 1e-5);
  EXPECT_NEAR(Draw(DistributionKind::kGaussian, {0.0f}, {-50.0f}, {}).log_probabilities[0], -0.918938533 + 20, 1e-5);
}

}  // namespace
}  // namespace troupe
