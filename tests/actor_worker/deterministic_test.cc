#include "actor_worker/acting/deterministic.h"

#include <cmath>

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

TEST(DeterministicTest, RefusesNegativeNoiseByName) {
  Deterministic deterministic(1, 1);
  const absl::Status status = deterministic.SetSnapshot({}, {4, {}, {{"action_noise", -0.5}}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            "policy version 4: scalar \"action_noise\" is -0.5, expected a number of at least 0");
}

}  // namespace
}  // namespace troupe
