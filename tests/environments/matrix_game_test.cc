#include "actor_worker/environments/matrix_game/matrix_game.h"

#include "actor_worker/environments/registry/registry.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings) {
  return (*FindEnvironment("matrix_game"))->create(settings);
}

std::string Refusal(const std::string& payoffs) {
  const auto created = Create({{"game", "custom"}, {"payoffs", payoffs}});
  EXPECT_EQ(created.status().code(), absl::StatusCode::kInvalidArgument) << payoffs;
  EXPECT_EQ(created.status().message().find("environment.settings.payoffs: "), 0) << created.status();
  return std::string(created.status().message());
}

// The rewards of joint actions played one after the other; the last one ends the episode.
std::vector<float> Play(Environment& environment, const std::vector<std::vector<int32_t>>& joint_actions) {
  EXPECT_TRUE(environment.Reset(1).ok());
  std::vector<float> paid;
  for (size_t step = 0; step < joint_actions.size(); ++step) {
    std::vector<float> rewards(joint_actions[step].size());
    JointAction action;
    action.groups.push_back({.discrete = joint_actions[step]});
    StepOutcome outcome;
    outcome.rewards.push_back(absl::MakeSpan(rewards));
    EXPECT_TRUE(environment.Step(action, outcome).ok());
    EXPECT_EQ(outcome.terminated, step + 1 == joint_actions.size());
    for (const float reward : rewards) EXPECT_EQ(reward, rewards[0]);
    paid.push_back(rewards[0]);
  }
  return paid;
}

TEST(MatrixGameTest, PlaysTheTwoStepGameOfTheQmixPaper) {
  const auto game = Create({});
  ASSERT_TRUE(game.ok()) << game.status();
  for (int32_t first = 0; first < 2; ++first) {
    for (int32_t second = 0; second < 2; ++second) {
      EXPECT_EQ(Play(**game, {{0, 1}, {first, second}}), (std::vector<float>{0, 7}));
    }
  }
  EXPECT_EQ(Play(**game, {{1, 0}, {0, 0}}), (std::vector<float>{0, 0}));
  EXPECT_EQ(Play(**game, {{1, 0}, {0, 1}}), (std::vector<float>{0, 1}));
  EXPECT_EQ(Play(**game, {{1, 0}, {1, 0}}), (std::vector<float>{0, 1}));
  EXPECT_EQ(Play(**game, {{1, 0}, {1, 1}}), (std::vector<float>{0, 8}));
  std::vector<double> statistics(3);
  (*game)->EpisodeStatistics(absl::MakeSpan(statistics));
  EXPECT_EQ(statistics, (std::vector<double>{1, 8, 1}));
}

TEST(MatrixGameTest, TheOptimalPlayerGetsThePublishedOptima) {
  for (const auto& [game, optimum] : {std::pair{"two_step", 8.0f}, {"climbing", 8.0f}, {"penalty", 10.0f}}) {
    const auto environment = Create({{"game", game}});
    ASSERT_TRUE(environment.ok());
    const auto controller = (*FindEnvironment("matrix_game"))->baselines({})[0].make();
    EnvironmentBuffers buffers((*environment)->spec());
    ASSERT_TRUE((*environment)->Reset(3).ok());
    controller->Begin(**environment);
    while (!buffers.over()) {
      buffers.Observe(**environment);
      buffers.ChooseBy(*controller, **environment);
      buffers.Step(**environment);
    }
    std::vector<double> statistics(3);
    (*environment)->EpisodeStatistics(absl::MakeSpan(statistics));
    EXPECT_EQ(statistics[1], optimum) << game;
    EXPECT_EQ(statistics[2], 1) << game;
  }
}

TEST(MatrixGameTest, TellsTheStateAndThePlayer) {
  const auto game = Create({});
  ASSERT_TRUE((*game)->Reset(1).ok());
  EnvironmentBuffers buffers((*game)->spec());
  buffers.Observe(**game);
  std::vector<float> seen = buffers.Everything();
  seen.resize(10);
  // choosing, matrix 0, matrix 1; player 0, player 1
  EXPECT_EQ(seen, (std::vector<float>{1, 0, 0, 1, 0, 1, 0, 0, 0, 1}));
  Play(**game, {{1, 0}, {0, 0}});
  buffers.Observe(**game);
  seen = buffers.Everything();
  seen.resize(10);
  EXPECT_EQ(seen, (std::vector<float>{0, 0, 1, 1, 0, 0, 0, 1, 0, 1}));
}

TEST(MatrixGameTest, MasksActionsThatAPlayerDoesNotHave) {
  const auto game = Create({{"game", "custom"}, {"payoffs", "[[1, 2, 3], [4, 5, 6]]"}});
  ASSERT_TRUE(game.ok()) << game.status();
  ASSERT_TRUE((*game)->Reset(1).ok());
  EnvironmentBuffers buffers((*game)->spec());
  buffers.Observe(**game);
  const std::vector<float> seen = buffers.Everything();
  // Two players' state and identity, then the masks: player 0 has two of three actions.
  EXPECT_EQ(std::vector<float>(seen.begin() + 6, seen.begin() + 12), (std::vector<float>{1, 1, 0, 1, 1, 1}));
  EXPECT_EQ(Play(**game, {{1, 2}}), (std::vector<float>{6}));
}

TEST(PayoffsTest, ReadsALevelForEachPlayer) {
  const auto matrices = ParsePayoffs("[[[1, 2], [3, 4]], [[5, 6], [7, 8.5]]]");
  ASSERT_TRUE(matrices.ok()) << matrices.status();
  ASSERT_EQ(matrices->size(), 1);
  EXPECT_EQ((*matrices)[0].num_actions, (std::vector<int>{2, 2, 2}));
  EXPECT_EQ((*matrices)[0].At({1, 0, 1}), 6);
  const BestJointAction best = FindBest((*matrices)[0]);
  EXPECT_EQ(best.actions, (std::vector<int32_t>{1, 1, 1}));
  EXPECT_EQ(best.payoff, 8.5);
}

TEST(PayoffsTest, RefusesWhatIsNoGameAndSaysWhy) {
  EXPECT_NE(Refusal("").find("nested lists"), std::string::npos);
  EXPECT_NE(Refusal("8").find("nested lists"), std::string::npos);
  EXPECT_NE(Refusal("[[1, 2], [3]]").find("player 1 has 2 actions in one place and 1 in another"), std::string::npos);
  EXPECT_NE(Refusal("[[1, 2], 3]").find("unequally deep"), std::string::npos);
  EXPECT_NE(Refusal("[1, [2]]").find("unequally deep"), std::string::npos);
  EXPECT_NE(Refusal("[[1, 2], []]").find("0 in another"), std::string::npos);
  EXPECT_NE(Refusal("[[\"a\", 2], [1, 1]]").find("unequally deep"), std::string::npos);
  EXPECT_NE(Refusal("[[1e7]]").find("1e6"), std::string::npos);
  EXPECT_NE(Refusal("[[1]]").find("nobody has a choice"), std::string::npos);
  EXPECT_NE(Refusal("[1, 2]; [[1, 2], [3, 4]]").find("different numbers of players"), std::string::npos);
  EXPECT_NE(Refusal("[[[[[[[[[1, 2]]]]]]]]]").find("at most 8 players"), std::string::npos);
}

TEST(MatrixGameTest, RefusesPayoffsOfANamedGame) {
  const auto refused = Create({{"game", "climbing"}, {"payoffs", "[1, 2]"}});
  EXPECT_NE(refused.status().message().find("environment.settings.payoffs"), std::string::npos);
}

}  // namespace
}  // namespace troupe
