// Algorithms learn games whose optimum is known, from batches their own exported policies collect.
#include <gtest/gtest.h>

#include "learner/arithmetic/blocks/block_kernels.h"
#include "tests/algorithms/tiny_game.h"

namespace troupe {
namespace {

double Learn(const Game& game, const std::string& settings, int updates) {
  return Learn(game, ContextOf(game, settings), updates);
}

// What both did at the first of four steps pays at the last.
Game DelayedReward() {
  return {
      .groups = {DiscreteGroup("players", 2, 4, 3)}, .length = 4, .extras = 2, .reward = [](const JointActions& past) {
        const float payoff = past.size() == 4 ? static_cast<float>((past[0][0] == 1) + (past[0][1] == 2)) : 0.0f;
        return std::vector<float>{payoff, payoff};
      }};
}

TEST(TinyGames, PerAgentPoliciesWithATeamCriticCoordinate) {
  EXPECT_GT(Learn(Coordination(), kPerAgent + Fast(), 40), 4.7);
}

TEST(TinyGames, ASharedPolicyWithAgentIdsCoordinates) {
  EXPECT_GT(
      Learn(Coordination(),
            std::string("policy { agent_id_input: true hidden_sizes: [16] } critic { hidden_sizes: [32] } ") + Fast(),
            40),
      4.7);
}

TEST(TinyGames, IndependentLearnersWithLocalCriticsCoordinate) {
  EXPECT_GT(Learn(Coordination(),
                  std::string("policy { sharing: PER_AGENT hidden_sizes: [16] }"
                              "critic { input: LOCAL_OBSERVATION heads: EACH_AGENT hidden_sizes: [32] } ") +
                      Fast(),
                  40),
            4.7);
}

TEST(TinyGames, ARewardFourStepsLaterIsCreditedToTheFirstStep) {
  EXPECT_GT(Learn(DelayedReward(), kPerAgent + Fast(), 60), 0.46) << "0.5 is the optimum, chance 1/6";
}

TEST(TinyGames, AlsoWhenEpisodesEndByTruncation) {
  Game game = DelayedReward();
  game.truncates = true;
  EXPECT_GT(Learn(game, kPerAgent + Fast(), 60), 0.46);
}

// Each agent is paid for its own choice only, unlike the other's: heads of their own tell them apart.
TEST(TinyGames, ValueHeadsOfEachAgentLearnFromOwnRewards) {
  for (const char* input : {"GLOBAL_STATE", "AGENT_SPECIFIC_STATE"}) {
    const Game game{.groups = {DiscreteGroup("players", 2, 1, 3)}, .reward = [](const JointActions& past) {
                      return std::vector<float>{past[0][0] == 0 ? 1.0f : 0.0f, past[0][1] == 2 ? 1.0f : 0.0f};
                    }};
    EXPECT_GT(Learn(game,
                    std::string("policy { sharing: PER_AGENT hidden_sizes: [16] } critic { heads: EACH_AGENT input: ") +
                        input + " hidden_sizes: [32] } " + Fast(),
                    40),
              0.93);
  }
}

// Action 2 pays most and is forbidden at every other step, then 1 does. Nobody sees which step it is: masks alone tell.
TEST(TinyGames, TheBestOfTheAllowedActionsIsLearntWhereMasksChange) {
  const Game game{
      .groups = {DiscreteGroup("players", 2, 1, 3)},
      .length = 4,
      .reward =
          [](const JointActions& past) {
            const std::vector<int>& now = past.back();
            return std::vector<float>{now[0] + 0.0f, now[1] + 0.0f};
          },
      .allowed = [](const JointActions& past, int, int action) { return action < 2 || past.size() % 2 == 0; },
      .observe = [](const JointActions&, int, float* to) { to[0] = 1.0f; }};
  EXPECT_GT(Learn(game, kPerAgent + Fast(), 40), 1.45) << "1.5 is the optimum, chance 0.75";
}

// Whoever takes action 2 is paid 1 and dies; living on pays 0.6 at each of four steps.
Game Temptation() {
  const auto died = [](const JointActions& past, int agent) {
    return std::any_of(past.begin(), past.end(), [&](const auto& actions) { return actions[agent] == 2; });
  };
  return {.groups = {DiscreteGroup("players", 2, 4, 3)},
          .length = 4,
          .reward =
              [died](const JointActions& past) {
                const JointActions before(past.begin(), past.end() - 1);
                std::vector<float> rewards;
                for (int agent = 0; agent < 2; ++agent) {
                  rewards.push_back(died(before, agent) ? 0.0f : past.back()[agent] == 2 ? 1.0f : 0.6f);
                }
                return rewards;
              },
          .alive = [died](const JointActions& past, int agent) { return !died(past, agent); }};
}

TEST(TinyGames, AgentsThatMayDieLearnToLiveUntilTheLastStep) {
  for (const std::string dead : {"ZERO", "BOOTSTRAP"}) {
    EXPECT_GT(Learn(Temptation(),
                    "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { input: LOCAL_OBSERVATION heads: "
                    "EACH_AGENT hidden_sizes: [32] } " +
                        Fast("dead_agents: " + dead),
                    40),
              0.66)
        << dead << ": 0.7 is the optimum, 0.25 for whoever dies at once";
  }
}

// Four agents, each of whom is there or not as what all have done so far decides, so that the team's size changes from
// step to step. Whoever is there is told an action, and the team is paid the share of them that takes it.
Game VaryingTeam() {
  const auto draw = [](const JointActions& past, int agent, uint64_t what) {
    uint64_t key = MixKey({past.size(), static_cast<uint64_t>(agent), what});
    for (const std::vector<int>& actions : past) {
      for (const int action : actions) key = MixKey({key, static_cast<uint64_t>(action)});
    }
    return key;
  };
  const auto lives = [draw](const JointActions& past, int agent) { return draw(past, agent, 0) % 2 == 0; };
  const auto told = [draw](const JointActions& past, int agent) { return static_cast<int>(draw(past, agent, 1) % 3); };
  return {.groups = {DiscreteGroup("crew", 4, 3, 3)},
          .length = 4,
          .truncates = true,
          .reward =
              [=](const JointActions& past) {
                const JointActions before(past.begin(), past.end() - 1);
                float living = 0, right = 0;
                for (int agent = 0; agent < 4; ++agent) {
                  living += lives(before, agent) ? 1.0f : 0.0f;
                  right += lives(before, agent) && past.back()[agent] == told(before, agent) ? 1.0f : 0.0f;
                }
                return std::vector<float>(4, living > 0 ? right / living : 1.0f);
              },
          .alive = lives,
          .observe = [=](const JointActions& past, int agent, float* to) { to[told(past, agent)] = 1.0f; }};
}

TEST(TinyGames, ATeamWhoseSizeVariesLearnsWithACriticThatAttends) {
  for (const std::string critic : {"", "heads: EACH_AGENT"}) {
    EXPECT_GT(Learn(VaryingTeam(),
                    "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] attention_heads: 2 token_size: 16 " +
                        critic + " } " + Fast(),
                    30),
              0.95)
        << critic << ": 1 is the optimum, chance a little over 1/3";
  }
}

TEST(TinyGames, CriticsThatAttendLearnWhoMayDie) {
  for (const std::string dead : {"ZERO", "BOOTSTRAP"}) {
    EXPECT_GT(Learn(Temptation(),
                    "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { heads: EACH_AGENT hidden_sizes: [16] "
                    "attention_heads: 2 token_size: 16 death_masking: true } " +
                        Fast("dead_agents: " + dead),
                    40),
              0.66)
        << dead << ": 0.7 is the optimum, 0.25 for whoever dies at once";
  }
}

// Agent 0 may die at the first step; both are then paid 1 at each later one, else 0.4.
TEST(TinyGames, AnAgentIsCreditedWithWhatItIsPaidAfterItsDeath) {
  const Game game{
      .groups = {DiscreteGroup("players", 2, 4, 2)},
      .length = 4,
      .reward =
          [](const JointActions& past) {
            const float pay = past.size() == 1 ? 0.0f : past[0][0] == 1 ? 1.0f : 0.4f;
            return std::vector<float>{pay, pay};
          },
      .alive = [](const JointActions& past, int agent) { return agent != 0 || past.empty() || past[0][0] != 1; }};
  EXPECT_GT(Learn(game,
                  std::string("policy { sharing: PER_AGENT hidden_sizes: [16] } critic { heads: EACH_AGENT "
                              "hidden_sizes: [32] } ") +
                      Fast("dead_agents: ZERO"),
                  40),
            0.72)
      << "0.75 is the optimum, 0.3 without a death";
}

// Two cars and a light, of other observations and actions: all must agree on the better of two arrangements.
Game CarsAndLight() {
  return {.groups = {DiscreteGroup("cars", 2, 2, 3), DiscreteGroup("light", 1, 4, 2)},
          .length = 2,
          .reward = [](const JointActions& past) {
            const std::vector<int>& now = past.back();
            const float pay = now == std::vector<int>{2, 2, 1} ? 5.0f : now == std::vector<int>{0, 0, 0} ? 1.0f : 0.0f;
            return std::vector<float>{pay, pay, pay};
          }};
}

TEST(TinyGames, SeveralGroupsLearnTogether) { EXPECT_GT(Learn(CarsAndLight(), kPerAgent + Fast(), 40), 4.7); }

TEST(TinyGames, ARecurrentPolicyRemembersWhatItSaw) {
  const std::string settings =
      "critic { heads: EACH_AGENT hidden_sizes: [32] } collection { num_shards: 1 copies_per_shard: 32 rollout_length: "
      "12 sequence_length: 6 } " +
      Ppo("advantage_normalization: false");  // or the teller, who is paid nothing, would follow noise
  EXPECT_GT(Learn(Recall(), "policy { hidden_sizes: [16] recurrent_cell: GRU recurrent_size: 16 } " + settings, 60),
            0.93)
      << "1 is the optimum, chance 0.5";
  EXPECT_LT(Learn(Recall(), "policy { hidden_sizes: [16] } " + settings, 60), 0.6) << "without memory it is chance";
}

// What is said at the second step is heard at the last. Nothing but what the listener's loss makes of a message teaches
// the teller, which is paid nothing.
TEST(TinyGames, AgentsThatTalkLearnWhatToSay) {
  const std::string settings =
      "critic { heads: EACH_AGENT hidden_sizes: [32] } collection { num_shards: 1 copies_per_shard: 32 rollout_length: "
      "12 sequence_length: 6 } " +
      Ppo("advantage_normalization: false");
  const std::string policy = "hidden_sizes: [16] agent_id_input: true ";
  for (const std::string talk : {"message_size: 2 ", "message_size: 1 recurrent_cell: GRU recurrent_size: 16 "}) {
    EXPECT_GT(Learn(Tell(), "policy { " + policy + talk + "} " + settings, 60), 0.93)
        << talk << ": 1 is the optimum, chance 0.5";
  }
  EXPECT_LT(Learn(Tell(), "policy { " + policy + "recurrent_cell: GRU recurrent_size: 16 } " + settings, 60), 0.6)
      << "in silence it is chance";
}

// One of two must give way. Action 0 is the better one against who is undecided: whoever steps far beside the other,
// both as if the other stayed, ends there with it, and is paid nothing.
TEST(TinyGames, LargeStepsNeedATurnEach) {
  const Game game{.groups = {DiscreteGroup("players", 2, 1, 2)}, .reward = [](const JointActions& past) {
                    const std::vector<int>& now = past.back();
                    const float pay = now[0] != now[1] ? 2.0f : now[0] == 0 ? 0.0f : -1.0f;
                    return std::vector<float>{pay, pay};
                  }};
  const std::string settings =
      std::string(kPerAgent) +
      "collection { num_shards: 1 copies_per_shard: 32 rollout_length: 4 } ppo { epochs: 20 clip: 2 "
      "actor_learning_rate: 0.05 critic_learning_rate: 0.01 update_order: ";
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto score = [&](const std::string& order) {
      AlgorithmContext context = ContextOf(game, settings + order);
      context.experiment.set_seed(seed);
      return Learn(game, context, 3, 0, 1000 * seed);
    };
    EXPECT_GT(score("SEQUENTIAL }"), 1.9) << seed << ": 2 is the optimum";
    EXPECT_LT(score("TOGETHER }"), 0.5) << seed;
  }
}

// Red's action 2 takes 2 from blue, blue's takes 1 from red: what one wins the other loses.
Game Opponents(const std::string& first_team, const std::string& second_team) {
  Game game{.groups = {DiscreteGroup("red", 1, 1, 3), DiscreteGroup("blue", 1, 1, 3)},
            .counted = 1,
            .reward = [](const JointActions& past) {
              const auto pay = static_cast<float>(2 * (past[0][0] == 2) - (past[0][1] == 2));
              return std::vector<float>{pay, -pay};
            }};
  game.groups[0].team = first_team;
  game.groups[1].team = second_team;
  return game;
}

TEST(TinyGames, TeamsOfOpposedInterestEachLearnTheirOwn) {
  EXPECT_NEAR(Learn(Opponents("red", "blue"), kPerAgent + Fast(), 40), 1.0, 0.1) << "both take what they can";
  EXPECT_NEAR(Learn(Opponents("", ""), kPerAgent + Fast(), 40), 1.0 / 3, 0.3) << "together they have nothing to win";
}

TEST(TinyGames, SetsThatFollowOneAnotherCoordinate) {
  EXPECT_GT(Learn(Coordination(), kPerAgent + Fast("update_order: SEQUENTIAL"), 40), 4.7);
  EXPECT_GT(Learn(DelayedReward(), kPerAgent + Fast("update_order: SEQUENTIAL"), 60), 0.46);
  EXPECT_GT(Learn(CarsAndLight(), kPerAgent + Fast("update_order: SEQUENTIAL minibatch_size: 64"), 20), 4.7);
}

TEST(TinyGames, SeveralGroupsLearnInMinibatches) {
  EXPECT_GT(Learn(CarsAndLight(), kPerAgent + Fast("minibatch_size: 64"), 20), 4.7);
}

TEST(TinyGames, SeveralGroupsAttendToEachOther) {
  EXPECT_GT(Learn(CarsAndLight(),
                  "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { hidden_sizes: [16] attention_heads: 2 "
                  "token_size: 16 } " +
                      Fast("minibatch_size: 64"),
                  20),
            4.7);
}

TEST(TinyGames, BfloatProductsLearnAsWell) {
  if (BlockKernelsBf16() == nullptr) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const std::string settings = kPerAgent + Fast() + " compute { precision: BF16 }";
  EXPECT_GT(Learn(Coordination(), settings, 40), 4.7);
  EXPECT_GT(Learn(DelayedReward(), settings, 60), 0.46);
  EXPECT_GT(Learn(CarsAndLight(), settings, 40), 4.7);
}

}  // namespace
}  // namespace troupe
