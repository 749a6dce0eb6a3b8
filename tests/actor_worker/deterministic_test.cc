#include "actor_worker/acting/deterministic.h"

#include <algorithm>
#include <cmath>

#include "actor_worker/acting/recurrent_state.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

struct Drawn {
  std::vector<float> sampled, taken, log_probabilities;
};

// Rows of one number each, with noise of this deviation; `uniforms` [rows, 2], or empty for the modes.
Drawn Act(const std::vector<float>& outputs, double noise, const std::vector<float>& uniforms) {
  Deterministic deterministic(int(outputs.size()), 1);
  EXPECT_EQ(deterministic.draws_per_agent(), 2);
  EXPECT_TRUE(deterministic.SetSnapshot({}, {1, {}, {{"action_noise", noise}}}).ok());
  Drawn drawn{std::vector<float>(outputs.size()), std::vector<float>(outputs.size()),
              std::vector<float>(outputs.size())};
  deterministic.Choose(outputs, {}, uniforms,
                       {.sampled = absl::MakeSpan(drawn.sampled),
                        .taken = absl::MakeSpan(drawn.taken),
                        .log_probabilities = absl::MakeSpan(drawn.log_probabilities)});
  return drawn;
}

std::vector<float> Uniforms(size_t count) {
  RandomStream random(5);
  std::vector<float> uniforms(count);
  for (float& uniform : uniforms) uniform = random.Uniform();
  return uniforms;
}

// Tables: tanh 0.5 = 0.46211716, tanh 2 = 0.96402758.
TEST(DeterministicTest, TheModeIsTheHyperbolicTangentWhateverTheNoise) {
  for (const double noise : {0.0, 0.3}) {
    const Drawn drawn = Act({0.5f, -2.0f, 0.0f}, noise, {});
    EXPECT_FLOAT_EQ(drawn.sampled[0], 0.46211716f);
    EXPECT_FLOAT_EQ(drawn.sampled[1], -0.96402758f);
    EXPECT_EQ(drawn.sampled[2], 0.0f);
    EXPECT_EQ(drawn.taken, drawn.sampled);
  }
}

TEST(DeterministicTest, WithoutNoiseNothingIsLeftToChance) {
  const Drawn drawn = Act({0.5f, -2.0f}, 0, Uniforms(4));
  EXPECT_EQ(drawn.sampled, Act({0.5f, -2.0f}, 0, {}).sampled);
  EXPECT_THAT(drawn.log_probabilities, testing::Each(0.0f));
  Deterministic silent(1, 1);
  EXPECT_TRUE(silent.SetSnapshot({}, {1, {}, {}}).ok()) << "no scalar, no noise";
}

TEST(DeterministicTest, NoiseIsNormalAroundTheMode) {
  constexpr int kDraws = 100000;
  const Drawn drawn = Act(std::vector<float>(kDraws, 0.5f), 0.25, Uniforms(2 * kDraws));
  double mean = 0, square = 0, log_probability = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double z = (drawn.sampled[i] - 0.46211716) / 0.25;
    mean += z / kDraws;
    square += z * z / kDraws;
    log_probability += drawn.log_probabilities[i] / kDraws;
  }
  EXPECT_NEAR(mean, 0, 4 / std::sqrt(double{kDraws}));
  EXPECT_NEAR(square, 1, 4 * std::sqrt(2.0 / kDraws));
  // Minus the entropy of N(·, 0.25²): −½ − ½ log 2π − log 0.25.
  EXPECT_NEAR(log_probability, -0.5 - 0.918938533 + 1.386294361, 4 * std::sqrt(0.5 / kDraws));
}

TEST(DeterministicTest, RecordsTheSampleAndGivesTheEnvironmentWhatLiesWithinItsBounds) {
  constexpr int kDraws = 4000;
  const Drawn drawn = Act(std::vector<float>(kDraws, 2.0f), 0.5, Uniforms(2 * kDraws));
  int beyond = 0;
  for (int i = 0; i < kDraws; ++i) {
    EXPECT_EQ(drawn.taken[i], std::min(1.0f, std::max(-1.0f, drawn.sampled[i])));
    beyond += drawn.sampled[i] > 1;
  }
  // P(N(0.96402758, 0.5²) > 1) = Φ(−0.0719448) = 0.471323.
  EXPECT_NEAR(beyond / double{kDraws}, 0.471323, 4 * std::sqrt(0.25 / kDraws));
}

// Rows of one number each, whose mode is 0, over `steps` steps of episodes that begin with them: [steps][rows].
std::vector<std::vector<float>> Walk(int rows, int steps, double correlation, double noise) {
  Deterministic deterministic(rows, 1);
  EXPECT_EQ(deterministic.noise_size(), 1);
  EXPECT_TRUE(
      deterministic.SetSnapshot({}, {1, {}, {{"action_noise", noise}, {"action_noise_correlation", correlation}}})
          .ok());
  const std::vector<float> outputs(rows, 0.0f), uniforms = Uniforms(size_t{2} * rows * steps);
  RecurrentState state({0}, {1}, rows);
  std::vector<float> taken(rows), log_probabilities(rows);
  std::vector<std::vector<float>> sampled(steps, std::vector<float>(rows));
  for (int step = 0; step < steps; ++step) {
    deterministic.Choose(outputs, {}, absl::MakeConstSpan(uniforms).subspan(size_t{2} * rows * step, size_t{2} * rows),
                         {.sampled = absl::MakeSpan(sampled[step]),
                          .taken = absl::MakeSpan(taken),
                          .log_probabilities = absl::MakeSpan(log_probabilities),
                          .noise = state.noise(0)});
  }
  return sampled;
}

double Mean(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum / static_cast<double>(a.size());
}

// The process of Uhlenbeck and Ornstein, "On the theory of the Brownian motion" (1930), begun at 0 and looked at in
// steps between which it keeps k: variance s² (1 − k^2t) after t of them, covariance of t and t + d k^d times that.
TEST(DeterministicTest, CorrelatedNoiseIsAnOrnsteinUhlenbeckProcessFromZero) {
  constexpr int kRows = 40000, kSteps = 40;
  constexpr double kKept = 0.85, kNoise = 0.2;
  const auto sampled = Walk(kRows, kSteps, kKept, kNoise);
  const std::vector<float> ones(kRows, 1.0f);
  for (const int step : {1, 2, 5, 30, 40}) {
    const double variance = kNoise * kNoise * (1 - std::pow(kKept, 2 * step));
    const double error = std::sqrt(2.0 / kRows);  // relative, of a normal's sample variance
    EXPECT_NEAR(Mean(sampled[step - 1], ones), 0, 4 * std::sqrt(variance / kRows)) << step;
    EXPECT_NEAR(Mean(sampled[step - 1], sampled[step - 1]) / variance, 1, 4 * error) << step;
  }
  const double settled = kNoise * kNoise * (1 - std::pow(kKept, 60));
  for (const int apart : {1, 3, 10}) {
    EXPECT_NEAR(Mean(sampled[29], sampled[29 + apart]) / settled, std::pow(kKept, apart), 4 * std::sqrt(2.0 / kRows))
        << apart;
  }
}

TEST(DeterministicTest, WithoutCorrelationEveryStepsNoiseIsItsOwn) {
  const auto sampled = Walk(1000, 2, 0, 0.25);
  const std::vector<float> outputs(1000, 0.0f);
  const std::vector<float> uniforms = Uniforms(4000);
  EXPECT_EQ(sampled[0], Act(outputs, 0.25, {uniforms.begin(), uniforms.begin() + 2000}).sampled);
  EXPECT_EQ(sampled[1], Act(outputs, 0.25, {uniforms.begin() + 2000, uniforms.end()}).sampled);
}

TEST(DeterministicTest, AnEpisodeBeginsWithoutNoiseInItsCopyAlone) {
  RecurrentState state({0, 2}, {1, 3}, 2);
  for (const int group : {0, 1}) std::ranges::fill(state.noise(group), 0.5f);
  std::ranges::fill(state.group(1), 0.25f);
  state.Reset(1);
  EXPECT_THAT(state.noise(0), testing::ElementsAre(0.5f, 0.0f));
  EXPECT_THAT(state.noise(1), testing::ElementsAre(0.5f, 0.5f, 0.5f, 0.0f, 0.0f, 0.0f));
  EXPECT_THAT(state.group(1), testing::ElementsAre(0.25f, 0.25f, 0.0f, 0.0f));
}

TEST(DeterministicTest, RefusesNoiseThatKeepsAllOfItselfByName) {
  Deterministic deterministic(1, 1);
  const absl::Status status =
      deterministic.SetSnapshot({}, {4, {}, {{"action_noise", 0.5}, {"action_noise_correlation", 1}}});
  EXPECT_EQ(std::string(status.message()),
            "policy version 4: scalar \"action_noise_correlation\" is 1, expected a number in [0, 1)");
}

TEST(DeterministicTest, RefusesNegativeNoiseByName) {
  Deterministic deterministic(1, 1);
  const absl::Status status = deterministic.SetSnapshot({}, {4, {}, {{"action_noise", -0.5}}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            "policy version 4: scalar \"action_noise\" is -0.5, expected a number of at least 0");
}

}  // namespace
}  // namespace troupe
