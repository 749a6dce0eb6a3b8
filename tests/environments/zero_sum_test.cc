#include <cmath>

#include "actor_worker/environments/registry/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings) {
  return (*FindEnvironment("zero_sum"))->create(settings);
}

// Row's and column's rewards of one round; `last` whether the episode is over after it.
std::pair<float, float> Play(Environment& environment, int32_t row, int32_t column, bool last = true) {
  float rewards[2];
  JointAction action;
  action.groups = {{.discrete = {&row, 1}, .continuous = {}}, {.discrete = {&column, 1}, .continuous = {}}};
  StepOutcome outcome;
  outcome.rewards = {absl::MakeSpan(&rewards[0], 1), absl::MakeSpan(&rewards[1], 1)};
  EXPECT_TRUE(environment.Step(action, outcome).ok());
  EXPECT_EQ(outcome.terminated, last);
  EXPECT_FALSE(outcome.truncated);
  return {rewards[0], rewards[1]};
}

// Theory: against an equilibrium no action is better than the game's value, 0.
TEST(ZeroSumTest, NothingIsWonAgainstTheEquilibria) {
  const std::vector<std::pair<const char*, std::vector<double>>> games = {
      {"rock_paper_scissors", {1.0 / 3, 1.0 / 3, 1.0 / 3}},
      {"heavy_rock", {0.25, 0.5, 0.25}},
      {"matching_pennies", {0.5, 0.5}}};
  for (const auto& [game, equilibrium] : games) {
    const auto environment = Create({{"game", game}}).value();
    const auto actions = static_cast<int32_t>(equilibrium.size());
    for (int32_t own = 0; own < actions; ++own) {
      double as_row = 0, as_column = 0;
      for (int32_t other = 0; other < actions; ++other) {
        ASSERT_TRUE(environment->Reset(1).ok());
        const auto [row, lost] = Play(*environment, own, other);
        EXPECT_EQ(row, -lost);
        as_row += equilibrium[other] * row;
        ASSERT_TRUE(environment->Reset(1).ok());
        as_column += equilibrium[other] * Play(*environment, other, own).second;
      }
      EXPECT_NEAR(as_row, 0, 1e-12) << game << " " << own;
      EXPECT_NEAR(as_column, 0, 1e-12) << game << " " << own;
    }
  }
}

TEST(ZeroSumTest, PlayersAreTeamsAndEpisodesCountWhatTheyPlay) {
  const auto environment =
      Create({{"game", "custom"}, {"payoffs", "[[1, 4], [0, 2], [5, 6]]"}, {"rounds", "2"}}).value();
  EXPECT_EQ(environment->spec().teams(), (std::vector<std::string>{"row", "column"}));
  EXPECT_EQ(environment->spec().statistics,
            (std::vector<std::string>{"payoff", "row_0", "row_1", "row_2", "column_0", "column_1"}));
  ASSERT_TRUE(environment->Reset(1).ok());
  EXPECT_EQ(Play(*environment, 0, 1, /*last=*/false), (std::pair<float, float>{4, -4}));
  EXPECT_EQ(Play(*environment, 2, 1), (std::pair<float, float>{6, -6}));
  std::vector<double> statistics(6);
  environment->EpisodeStatistics(absl::MakeSpan(statistics));
  EXPECT_EQ(statistics, (std::vector<double>{5, 0.5, 0, 0.5, 0, 1}));
}

// Row's worst are 1, 0 and 5, column's most 5 and 6.
TEST(ZeroSumTest, TheCautiousPlayWhatIsBestAtWorst) {
  const SettingsMap settings = {{"game", "custom"}, {"payoffs", "[[1, 4], [0, 2], [5, 6]]"}};
  const auto environment = Create(settings).value();
  const auto controller = (*FindEnvironment("zero_sum"))->baselines(settings)[0].make();
  controller->Begin(*environment);
  int32_t chosen[2] = {-1, -1};
  std::vector<absl::Span<int32_t>> actions = {absl::MakeSpan(&chosen[0], 1), absl::MakeSpan(&chosen[1], 1)};
  std::vector<absl::Span<float>> none(2);
  controller->Act(*environment, {}, actions, none);
  EXPECT_EQ(chosen[0], 2);
  EXPECT_EQ(chosen[1], 0);
}

TEST(ZeroSumTest, PayoffsThatAreNoGameOfTwoAreRefused) {
  const auto refusal = [](const SettingsMap& settings) { return std::string(Create(settings).status().message()); };
  EXPECT_THAT(refusal({{"game", "custom"}, {"payoffs", "[[[1, 2], [3, 4]], [[1, 2], [3, 4]]]"}}),
              HasSubstr("environment.settings.payoffs: expected one matrix of two players"));
  EXPECT_THAT(refusal({{"game", "custom"}, {"payoffs", "[[1, 2], [3]]"}}), HasSubstr("environment.settings.payoffs: "));
  EXPECT_THAT(refusal({{"payoffs", "[[1, 2], [3, 4]]"}}), HasSubstr("these are for game custom alone"));
}

}  // namespace
}  // namespace troupe
