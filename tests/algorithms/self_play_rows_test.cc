// What MAPPO leaves out: frozen groups, and rows that saved versions of the actors played.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/algorithms/batch_builder.h"
#include "tests/algorithms/trained.h"

namespace troupe {
namespace {

constexpr char kSmall[] =
    "policy { hidden_sizes: [8] } critic { hidden_sizes: [8] } "
    "collection { mode: ASYNCHRONOUS num_shards: 1 copies_per_shard: 4 rollout_length: 12 } ";
constexpr char kPool[] = "self_play { save_interval_updates: 1 } ";

// Everything that looks at rows in a way of its own.
const std::vector<std::string> kWays = {"lag_correction: NONE",
                                        "lag_correction: NONE target_kl: 0.01",
                                        "lag_correction: V_TRACE",
                                        "lag_correction: DECOUPLED advantage_normalization_per_agent: true",
                                        "update_order: SEQUENTIAL value_norm_update: PER_MINIBATCH",
                                        "dead_agents: ZERO minibatch_size: 0"};

AlgorithmContext Context(const std::string& way, const std::string& more = "") {
  std::vector<AgentGroupSpec> groups = {DiscreteGroup("red", 2, 3, 3), DiscreteGroup("blue", 1, 4, 2),
                                        DiscreteGroup("pink", 1, 2, 2)};
  groups[0].team = groups[2].team = "warm";
  groups[1].team = "cold";
  const std::string ppo = "ppo { " +
                          FieldsWith(way,
                                     "epochs: 2 minibatch_size: 16 actor_learning_rate: 0.01 "
                                     "critic_learning_rate: 0.01") +
                          " } ";
  return MakeContext(kSmall + ppo + more, groups, 1);
}

// Episodes that end, agents that die; in the last two columns a saved version plays the cold team.
TrainingBatch Batch(const AlgorithmContext& context, uint64_t seed, bool meets_saved) {
  TrainingBatch batch = RandomBatch(context.environment, 12, 4, seed);
  for (int column = 0; column < batch.columns; ++column)
    batch.streams.push_back({.copy = static_cast<uint32_t>(column)});
  ShapeForAlgorithm(context, &batch);
  for (int cell = 0; meets_saved && cell < 48; ++cell) batch.groups[1].learns[cell] = cell % 4 < 2;
  return batch;
}

std::vector<HostTensor> TrainedWith(const AlgorithmContext& context, const auto& batch_of) {
  const auto algorithm = CreateAlgorithm(context).value();
  return TrainOn(algorithm.get(), 3, 48, batch_of).state;
}

void ExpectSame(const std::vector<HostTensor>& actual, const std::vector<HostTensor>& expected,
                const std::string& prefix = "") {
  ASSERT_EQ(actual.size(), expected.size());
  int compared = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (!actual[i].name.starts_with(prefix)) continue;
    EXPECT_EQ(actual[i].bytes, expected[i].bytes) << actual[i].name;
    ++compared;
  }
  EXPECT_GT(compared, 0) << prefix;
}

bool Differ(const std::vector<HostTensor>& a, const std::vector<HostTensor>& b, const std::string& prefix) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].name.starts_with(prefix) && a[i].bytes != b[i].bytes) return true;
  }
  return false;
}

TEST(SelfPlayRows, WhereNobodySavedPlaysAPoolChangesNoBit) {
  for (const std::string& way : kWays) {
    const AlgorithmContext with = Context(way, kPool), without = Context(way);
    ExpectSame(TrainedWith(with, [&](uint64_t update) { return Batch(with, update, false); }),
               TrainedWith(without, [&](uint64_t update) { return Batch(without, update, false); }));
  }
}

TEST(SelfPlayRows, WhatSavedVersionsDidChangesNothing) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::string& way : kWays) {
    const AlgorithmContext context = Context(way, kPool);
    const auto plain = [&](uint64_t update) { return Batch(context, update, true); };
    const auto otherwise = [&](uint64_t update) {
      TrainingBatch batch = plain(update);
      GroupBatch& cold = batch.groups[1];
      for (int cell = 0; cell < 48; ++cell) {
        if (cold.learns[cell] != 0) continue;
        const int other = 1 - cold.discrete_actions[cell];
        if (cold.action_masks[2 * cell + other] != 0) cold.discrete_actions[cell] = other;
        cold.log_probabilities[cell] = nan;
        cold.rewards[cell] = 1e6f;
      }
      return batch;
    };
    const std::vector<HostTensor> expected = TrainedWith(context, plain);
    ExpectSame(TrainedWith(context, otherwise), expected);
    // And what they are played against is learnt from.
    const auto paid = [&](uint64_t update) {
      TrainingBatch batch = plain(update);
      for (int cell = 0; cell < 48; ++cell) {
        if (cell % 4 >= 2) batch.groups[2].rewards[cell] += 5.0f * static_cast<float>(cell % 3);
      }
      return batch;
    };
    const std::vector<HostTensor> changed = TrainedWith(context, paid);
    EXPECT_TRUE(Differ(changed, expected, "actor/red")) << way;
    EXPECT_TRUE(Differ(changed, expected, "critic/team_warm")) << way;
  }
}

TEST(SelfPlayRows, AFrozenGroupAndItsCriticStayAsTheyBegan) {
  for (const std::string& way : kWays) {
    const AlgorithmContext context = Context(way, "group_policies { key: 'blue' value { frozen: true } } ");
    const std::vector<HostTensor> before = CreateAlgorithm(context).value()->SaveState();
    const std::vector<HostTensor> after =
        TrainedWith(context, [&](uint64_t update) { return Batch(context, update, false); });
    ExpectSame(after, before, "actor/blue");
    ExpectSame(after, before, "critic/team_cold");
    for (const char* const trained : {"actor/red", "actor/pink", "critic/team_warm"}) {
      EXPECT_TRUE(Differ(after, before, trained)) << way << " " << trained;
    }
  }
}

TEST(SelfPlayRows, OneOfATeamMayBeFrozen) {
  const AlgorithmContext context = Context(kWays[0], "group_policies { key: 'pink' value { frozen: true } } ");
  const std::vector<HostTensor> before = CreateAlgorithm(context).value()->SaveState();
  const std::vector<HostTensor> after =
      TrainedWith(context, [&](uint64_t update) { return Batch(context, update, false); });
  ExpectSame(after, before, "actor/pink");
  EXPECT_TRUE(Differ(after, before, "actor/red"));
  EXPECT_TRUE(Differ(after, before, "critic/team_warm"));
}

TEST(SelfPlayRows, ValueHeadsOfFrozenAgentsAreInNoLoss) {
  const std::string heads = "critic { heads: EACH_AGENT hidden_sizes: [8] } ";
  const AlgorithmContext context =
      MakeContext(std::string("policy { hidden_sizes: [8] } ") + heads +
                      "collection { num_shards: 1 copies_per_shard: 4 rollout_length: 12 } ppo { epochs: 2 } "
                      "group_policies { key: 'blue' value { frozen: true } } ",
                  {DiscreteGroup("red", 2, 3, 3), DiscreteGroup("blue", 1, 4, 2)}, 1);
  const auto plain = [&](uint64_t update) { return Batch(context, update, false); };
  const auto paid = [&](uint64_t update) {
    TrainingBatch batch = plain(update);
    for (float& reward : batch.groups[1].rewards) reward += 7;
    return batch;
  };
  ExpectSame(TrainedWith(context, paid), TrainedWith(context, plain));
}

}  // namespace
}  // namespace troupe
