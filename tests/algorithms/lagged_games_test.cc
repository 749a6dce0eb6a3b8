// Batches four updates old: what the two corrections of ASYNCHRONOUS collection are for. Every case is averaged over
// seeds and deterministic.
#include <gtest/gtest.h>

#include "tests/algorithms/tiny_game.h"

namespace troupe {
namespace {

constexpr int kLag = 4, kSeeds = 4;

// The mean reward after `updates` updates on batches `lag` updates old, over the seeds.
double Learn(const Game& game, const std::string& settings, LagCorrection correction, int updates, int lag) {
  double sum = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    AlgorithmContext context = ContextOf(game, settings);
    context.experiment.set_seed(seed);
    context.experiment.mutable_ppo()->set_lag_correction(correction);
    sum += Learn(game, context, updates, lag, 1000 * seed);
  }
  return sum / kSeeds;
}

// PPO keeps close to the policy that acted. Where that one is four updates old, the learner may only go one step in
// five; the decoupled objective keeps close to the learner's own policy instead (arXiv:2110.00641, section 3).
TEST(LaggedGames, TheDecoupledObjectiveLearnsAtFullSpeedWhereThePlainOneStandsStill) {
  const std::string settings = kPerAgent + Fast();
  const double fresh = Learn(Coordination(), settings, NONE, 9, 0),
               plain = Learn(Coordination(), settings, NONE, 9, kLag),
               decoupled = Learn(Coordination(), settings, DECOUPLED, 9, kLag);
  EXPECT_GT(fresh, 4.7);
  EXPECT_GT(decoupled, 4.7) << "5 is the optimum";
  EXPECT_LT(plain, 2.5);
}

// A safe way out at the first step pays 0.5. Going on pays 0.5 at each of two more steps for action 1 and −3 for
// others: worth it for those who have learnt to take it. Returns of an older policy tell of its mistakes, which V-trace
// leaves out as the learner's own policy would not make them.
Game Crossing() {
  return {.groups = {DiscreteGroup("player", 1, 6, 3)},
          .length = 3,
          .reward =
              [](const JointActions& past) {
                if (past.size() == 1) return std::vector<float>{past[0][0] == 0 ? 0.5f : 0.0f};
                if (past[0][0] == 0) return std::vector<float>{0.0f};
                return std::vector<float>{past.back()[0] == 1 ? 0.5f : -3.0f};
              },
          .observe = [](const JointActions& past, int,
                        float* to) { to[past.size() + (!past.empty() && past[0][0] != 0 ? 3 : 0)] = 1.0f; }};
}

// The ratio is left unclipped (clip 10), so that only the returns tell the two apart.
TEST(LaggedGames, VTraceJudgesByThePolicyOfTodayRatherThanByItsOldMistakes) {
  const std::string settings =
      "policy { hidden_sizes: [16] } critic { hidden_sizes: [32] } collection { num_shards: 1 copies_per_shard: 32 "
      "rollout_length: 12 } ppo { clip: 10 epochs: 4 actor_learning_rate: 0.01 critic_learning_rate: 0.02 clip_value: "
      "false discount: 1 entropy_coefficient: 0.02 }";
  const auto score = [&](LagCorrection correction, int lag) {
    return 3 * Learn(Crossing(), settings, correction, 18, lag);  // per episode
  };
  const double fresh = score(NONE, 0), plain = score(NONE, kLag), corrected = score(V_TRACE, kLag);
  EXPECT_GT(fresh, 0.82) << "1 is the optimum, 0.5 the safe way";
  EXPECT_GT(corrected, 0.78);
  EXPECT_LT(plain, 0.66);
}

}  // namespace
}  // namespace troupe
