// What every algorithm of the registry promises (learner/algorithms/algorithm.h), held for each of them alike.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/specs/algorithm_card.h"
#include "learner/algorithms/warm_start.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "tests/algorithms/batch_builder.h"
#include "tests/algorithms/not_finite_updates.h"
#include "tests/algorithms/rank_shares.h"
#include "tests/algorithms/tiny_game.h"
#include "tests/algorithms/trained.h"

namespace troupe {
namespace {

constexpr int kSteps = 12, kColumns = 4;

// An algorithm for a small team, with everything that makes it draw random numbers and keep state.
struct Case {
  std::string algorithm, settings;
  // Where it learns: settings with which it comes to 94 % of a tiny game's optimum (tiny_game.h) in 60 updates, or, of
  // what such games do not have, the suite that shows it.
  std::string learns{}, learnt_in{};
  AgentGroupSpec lights = DiscreteGroup("lights", 2, 7, 3);
  // Words of the error with which it refuses several ranks; empty: it trains on them.
  std::string refuses_ranks{};
  Game game = Coordination();
  double optimum = 5;
};

const std::map<std::string, Case>& Cases() {
  static const std::string mappo =
      "policy { hidden_sizes: [16] } group_policies { key: \"cars\" value { sharing: PER_AGENT hidden_sizes: [8] } } "
      "critic { hidden_sizes: [16] } ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 "
      "critic_learning_rate: 0.003 anneal_learning_rate: true ";
  static const std::string by_state =
      "noise_scale: 1.5 final_noise_scale: 0.7 } group_policies { key: \"lights\" value { distribution: "
      "SQUASHED_GAUSSIAN state_dependent_std: true } }";
  static const std::string recurrent =
      "policy { hidden_sizes: [16] } group_policies { key: \"cars\" value { sharing: PER_AGENT hidden_sizes: [8] "
      "recurrent_cell: GRU recurrent_size: 9 } } critic { hidden_sizes: [16] recurrent_cell: LSTM recurrent_size: 7 } "
      "ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 critic_learning_rate: 0.003 ";
  static const std::string recalls =
      "policy { hidden_sizes: [16] recurrent_cell: GRU recurrent_size: 16 } critic { heads: EACH_AGENT hidden_sizes: "
      "[32] } collection { num_shards: 1 copies_per_shard: 32 rollout_length: 12 sequence_length: 6 } ";
  static const std::string talks =
      "policy { hidden_sizes: [16] agent_id_input: true message_size: 3 } group_policies { key: \"cars\" value { "
      "sharing: "
      "PARTITIONED partition: [0, 1, 0] hidden_sizes: [8] recurrent_cell: GRU recurrent_size: 5 concatenate_messages: "
      "true } } critic { hidden_sizes: [16] } ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 "
      "critic_learning_rate: 0.003 target_kl: 1 ";
  static const std::string tells =
      "policy { hidden_sizes: [16] agent_id_input: true message_size: 2 } critic { heads: EACH_AGENT hidden_sizes: "
      "[32] "
      "} collection { num_shards: 1 copies_per_shard: 32 rollout_length: 12 sequence_length: 6 } ";
  // A group that follows options beside one that does not.
  static const std::string follows =
      "policy { hidden_sizes: [16] num_options: 3 option_steps: 4 } group_policies { key: \"cars\" value { sharing: "
      "PER_AGENT hidden_sizes: [8] agent_id_input: true num_options: MORE } } critic { hidden_sizes: [16] } ppo { "
      "epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 critic_learning_rate: 0.003 target_kl: 1 "
      "manager_discount: 0.9 manager_entropy_coefficient: 0.03 ";
  static const std::string holds =
      "policy { hidden_sizes: [16] } group_policies { key: \"listener\" value { num_options: 2 option_steps: 2 } } "
      "critic { heads: EACH_AGENT hidden_sizes: [32] } ";
  static const std::string sequential = "update_order: SEQUENTIAL ";
  // Groups of both kinds of sharing, and rewards over three steps.
  static const std::string values =
      "policy { hidden_sizes: [16] } group_policies { key: \"cars\" value { sharing: PER_AGENT hidden_sizes: [8] } } ";
  static const std::string replay = values +
                                    "q_learning { learning_rate: 0.003 n_step: 3 learning_starts: 1 minibatch_size: 24 "
                                    "gradient_steps: 3 target_interval: 4 ";
  static const std::string joint =
      values +
      "critic { hidden_sizes: [16] HEADS } maddpg { actor_learning_rate: 0.003 critic_learning_rate: 0.003 "
      "n_step: 3 learning_starts: 1 minibatch_size: 24 gradient_steps: 3 target_rate: 0.1 MORE }";
  const auto joint_with = [](const std::string& heads, const std::string& more) {
    return absl::StrReplaceAll(joint, {{"HEADS", "heads: " + heads}, {"MORE", more}});
  };
  static const std::string climbs =
      std::string(kPerAgent) +
      "collection { num_shards: 1 copies_per_shard: 32 rollout_length: 4 } maddpg { actor_learning_rate: 0.01 "
      "critic_learning_rate: 0.01 learning_starts: 1 minibatch_size: 128 gradient_steps: 16 replay_bytes: 1000000 "
      "target_rate: 0.05 output_penalty: 0 ";
  // A feed-forward group beside a recurrent one; sequences over two parts of a piece.
  static const std::string remembers =
      "policy { hidden_sizes: [16] } group_policies { key: \"cars\" value { sharing: PER_AGENT hidden_sizes: [8] "
      "recurrent_cell: ";
  static const std::string along =
      " recurrent_size: 7 } } q_learning { learning_rate: 0.003 n_step: 3 learning_starts: 1 minibatch_size: 40 "
      "gradient_steps: 3 target_interval: 4 replay_sequence_length: 8 burn_in: 2 ";
  static const std::string prioritised = "priority_exponent: 0.6 ";
  static const auto* const cases = new std::map<std::string, Case>{
      {"mappo", {.algorithm = "mappo", .settings = mappo + "}", .learns = kPerAgent + Fast()}},
      {"mappo_gaussian",
       {.algorithm = "mappo",
        .settings = mappo + "}",
        .learnt_in = "ContinuousGames",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"mappo_multi_discrete",
       {.algorithm = "mappo",
        .settings = mappo + "}",
        .learnt_in = "MultiDiscreteGames",
        .lights = MultiDiscreteGroup("lights", 2, 7, {3, 2, 4})}},
      {"mappo_squashed_by_state",
       {.algorithm = "mappo",
        .settings = mappo + by_state,
        .learnt_in = "ContinuousGames",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"mappo_recurrent",
       {.algorithm = "mappo", .settings = recurrent + "}", .learns = recalls + Ppo(), .game = Recall(), .optimum = 1}},
      {"mappo_recurrent_gaussian",
       {.algorithm = "mappo",
        .settings =
            "policy { hidden_sizes: [16] recurrent_cell: LSTM recurrent_size: 8 } critic { hidden_sizes: [16] } ppo { "
            "epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 critic_learning_rate: 0.003 }",
        .learnt_in = "ContinuousGames",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"mappo_talk",
       {.algorithm = "mappo",
        .settings = talks + "}",
        .learns = tells + Ppo("advantage_normalization: false"),
        .game = Tell(),
        .optimum = 1}},
      {"mappo_talk_gaussian",
       {.algorithm = "mappo",
        .settings = talks + "noise_scale: 1.5 }",
        .learnt_in = "ContinuousGames",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"mappo_options",
       {.algorithm = "mappo",
        .settings = absl::StrReplaceAll(follows, {{"MORE", "2 option_steps: 3"}}) + "}",
        .learns = holds + Fast(),
        .game = Cue(),
        .optimum = 1}},
      {"mappo_options_gaussian",
       {.algorithm = "mappo",
        .settings = absl::StrReplaceAll(follows, {{"MORE", "0"}}) + "dead_agents: ZERO noise_scale: 1.5 }",
        .learnt_in = "ContinuousGames",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"mappo_sequential",
       {.algorithm = "mappo", .settings = mappo + sequential + "}", .learns = kPerAgent + Fast(sequential)}},
      {"mappo_sequential_recurrent",
       {.algorithm = "mappo",
        .settings = recurrent + sequential + "}",
        .learns = recalls + Ppo(sequential),
        .game = Recall(),
        .optimum = 1}},
      {"mappo_attention",
       {.algorithm = "mappo",
        .settings = "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] attention_heads: 2 attention_layers: 2 "
                    "token_size: 8 input_layer_norm: true } ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: "
                    "0.003 critic_learning_rate: 0.003 }",
        .learns = "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { hidden_sizes: [16] attention_heads: 2 "
                  "token_size: 16 } " +
                  Fast()}},
      {"mappo_attention_each_agent",
       {.algorithm = "mappo",
        .settings = "policy { hidden_sizes: [16] recurrent_cell: GRU recurrent_size: 7 } critic { hidden_sizes: [16] "
                    "heads: EACH_AGENT attention_heads: 3 token_size: 12 agent_id_input: true hidden_layer_norm: true "
                    "death_masking: true } ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 "
                    "critic_learning_rate: 0.003 dead_agents: ZERO }",
        .learns = "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { heads: EACH_AGENT hidden_sizes: [16] "
                  "attention_heads: 2 token_size: 16 } " +
                  Fast()}},
      {"iql", {.algorithm = "iql", .settings = replay + "}", .learnt_in = "ValueLearning"}},
      {"vdn", {.algorithm = "vdn", .settings = replay + "}", .learnt_in = "ValueLearning"}},
      {"qmix", {.algorithm = "qmix", .settings = replay + "}", .learnt_in = "ValueLearning"}},
      {"vdn_prioritised",
       {.algorithm = "vdn", .settings = replay + prioritised + "}", .learnt_in = "PrioritisedReplay"}},
      {"iql_recurrent",
       {.algorithm = "iql", .settings = remembers + "GRU" + along + "}", .learnt_in = "RecurrentValues"}},
      {"vdn_recurrent_prioritised",
       {.algorithm = "vdn",
        .settings = remembers + "LSTM" + along + prioritised + "}",
        .learnt_in = "RecurrentValues"}},
      {"qmix_recurrent",
       {.algorithm = "qmix", .settings = remembers + "GRU" + along + "}", .learnt_in = "RecurrentValues"}},
      {"pqn_vdn_recurrent",
       {.algorithm = "pqn_vdn",
        .settings = remembers + "GRU recurrent_size: 7 } } pqn { learning_rate: 0.003 minibatch_size: 16 }",
        .learnt_in = "RecurrentValues"}},
      {"pqn_vdn",
       {.algorithm = "pqn_vdn",
        .settings = values + "pqn { learning_rate: 0.003 minibatch_size: 16 anneal_learning_rate: true }",
        .learnt_in = "ValueLearning"}},
      {"maddpg", {.algorithm = "maddpg", .settings = joint_with("EACH_AGENT", ""), .learns = climbs + "}"}},
      {"maddpg_team",
       {.algorithm = "maddpg",
        .settings = joint_with("TEAM", "joint_actions_of_actors: true"),
        .learnt_in = "DeterministicPolicies",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"maddpg_multi_discrete",
       {.algorithm = "maddpg",
        .settings = joint_with("TEAM death_masking: true", ""),
        .learnt_in = "DeterministicPolicies",
        .lights = MultiDiscreteGroup("lights", 2, 7, {3, 2, 4})}},
      {"matd3",
       {.algorithm = "matd3",
        .settings = joint_with("EACH_AGENT", ""),
        .learnt_in = "DeterministicPolicies",
        .lights = ContinuousGroup("lights", 2, 7, 3)}},
      {"matd3_greedy",
       {.algorithm = "matd3",
        .settings = joint_with("TEAM", "policy_delay: 1") +
                    " group_policies { key: \"lights\" value { distribution: EPSILON_GREEDY } }",
        .learns = climbs + "policy_delay: 1 }"}},
  };
  return *cases;
}

AlgorithmContext ContextOf(const std::string& name) {
  const Case& one = Cases().at(name);
  return MakeContext("algorithm { name: \"" + one.algorithm + "\" } " + one.settings +
                         " collection { num_shards: 1 copies_per_shard: 4 rollout_length: 12 sequence_length: 5 }",
                     {DiscreteGroup("cars", 3, 5, 4), one.lights}, 2);
}

// Streams begin anew with every batch, as after a stop.
TrainingBatch BatchOf(const AlgorithmContext& context, uint64_t update) {
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 100 + update);
  FillRemembered(context, static_cast<uint32_t>(update), &batch);
  FillOptions(context, update, &batch);
  ShapeForAlgorithm(context, &batch);
  FillFinalAlive(context, &batch);
  return batch;
}

UpdateProgress ProgressAt(uint64_t update) {
  return {.update = update, .env_steps = update * kSteps * kColumns, .total_env_steps = 10 * kSteps * kColumns};
}

// Updates first … last − 1.
std::map<std::string, double> Train(Algorithm* algorithm, const AlgorithmContext& context, uint64_t first,
                                    uint64_t last) {
  std::map<std::string, double> statistics;
  for (uint64_t update = first; update < last; ++update) {
    const auto done = algorithm->Update(BatchOf(context, update), ProgressAt(update));
    EXPECT_TRUE(done.ok()) << done.status();
    if (done.ok()) statistics = {done->values.begin(), done->values.end()};
  }
  return statistics;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& [name, one] : Cases()) names.push_back(name);
  // Those without a case of their name fail.
  for (const AlgorithmEntry& entry : AllAlgorithms()) {
    if (!Cases().contains(entry.name)) names.push_back(entry.name);
  }
  return names;
}

class AlgorithmConformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_EQ(Cases().count(GetParam()), 1) << "an algorithm of the registry that this suite has no settings for";
    context_ = ContextOf(GetParam());
  }
  void TearDown() override { SetComputeThreads(1); }
  std::unique_ptr<Algorithm> Make() const { return CreateAlgorithm(context_).value(); }
  GuardedLearner Learner() const {
    return {Make(), [this](uint64_t update) { return BatchOf(context_, update); }, ProgressAt};
  }

  AlgorithmContext context_;
};

TEST_P(AlgorithmConformance, StartsFromTheSeedAlone) {
  EXPECT_EQ(Make()->SaveState(), Make()->SaveState());
  AlgorithmContext other = context_;
  other.experiment.set_seed(context_.experiment.seed() + 1);
  EXPECT_NE(CreateAlgorithm(other).value()->SaveState(), Make()->SaveState());
}

// What another run's actors are is what this one's are then, target networks and all; the rest is its own.
TEST_P(AlgorithmConformance, BeginsWithTheActorsItIsGiven) {
  const auto trained = Make(), own = Make();
  Train(trained.get(), context_, 0, 2);
  std::vector<HostTensor> actors = trained->ExportPolicy(ProgressAt(0)).tensors;
  const std::vector<HostTensor> before = own->ExportPolicy(ProgressAt(0)).tensors;
  ASSERT_NE(actors, before);
  const HostTensor left = actors.back();
  actors.pop_back();
  const absl::Status status = WarmStart(actors, own.get());
  ASSERT_TRUE(status.ok()) << status;
  actors.push_back(before.back());
  EXPECT_EQ(own->ExportPolicy(ProgressAt(0)).tensors, actors);
  // Nothing but networks under the prefixes has changed.
  const std::vector<HostTensor> state = own->SaveState(), fresh = Make()->SaveState();
  for (size_t i = 0; i < state.size(); ++i) {
    const auto named = own->actor_prefixes();
    const bool is_actors = std::any_of(named.begin(), named.end(),
                                       [&](const std::string& prefix) { return state[i].name.starts_with(prefix); });
    if (!is_actors) {
      EXPECT_EQ(state[i], fresh[i]) << state[i].name;
    }
  }
  // And it trains.
  Train(own.get(), context_, 0, 1);
  HostTensor unknown = left;
  unknown.name = "lights/not_there";
  EXPECT_THAT(std::string(WarmStart({unknown}, own.get()).message()), ::testing::HasSubstr("\"lights/not_there\""));
  HostTensor wide = left;
  wide.shape.back() += 1;
  EXPECT_THAT(std::string(WarmStart({wide}, own.get()).message()), ::testing::HasSubstr(left.name));
}

TEST_P(AlgorithmConformance, GivesTheSameBitsTwiceAndOnAnyNumberOfThreads) {
  const auto first = Make();
  const auto statistics = Train(first.get(), context_, 0, 3);
  for (const int threads : {1, 2, 3}) {
    SetComputeThreads(threads);
    const auto again = Make();
    EXPECT_EQ(Train(again.get(), context_, 0, 3), statistics) << threads;
    EXPECT_EQ(again->SaveState(), first->SaveState()) << threads;
  }
}

TEST_P(AlgorithmConformance, LearnsSomethingEveryUpdate) {
  const auto algorithm = Make();
  std::vector<HostTensor> before = algorithm->SaveState();
  for (uint64_t update = 0; update < 3; ++update) {
    Train(algorithm.get(), context_, update, update + 1);
    const std::vector<HostTensor> now = algorithm->SaveState();
    EXPECT_NE(now, before) << update;
    before = now;
  }
}

TEST_P(AlgorithmConformance, GoesOnFromASavedStateAsIfNeverStopped) {
  const auto straight = Make(), stopped = Make(), resumed = Make();
  Train(straight.get(), context_, 0, 4);
  Train(stopped.get(), context_, 0, 2);
  ASSERT_TRUE(resumed->LoadState(stopped->SaveState()).ok());
  EXPECT_EQ(resumed->SaveState(), stopped->SaveState());
  Train(resumed.get(), context_, 2, 4);
  if (FindAlgorithmCard(context_.experiment.algorithm().name()).value()->experience == Experience::kReplay) {
    // What it may draw is not in the state; all that goes on from there is alike.
    const auto alike = Make();
    ASSERT_TRUE(alike->LoadState(stopped->SaveState()).ok());
    Train(alike.get(), context_, 2, 4);
    EXPECT_EQ(resumed->SaveState(), alike->SaveState());
    EXPECT_NE(resumed->SaveState(), stopped->SaveState());
  } else {
    EXPECT_EQ(resumed->SaveState(), straight->SaveState());
  }
}

TEST_P(AlgorithmConformance, SeveralRanksLearnWhatOneLearns) {
  const Case& one = Cases().at(GetParam());
  const auto batch_of = [&](uint64_t update) { return BatchOf(context_, update); };
  if (!one.refuses_ranks.empty()) {
    AlgorithmContext shared = context_;
    MeetingPlace place(2);
    shared.ranks = std::make_shared<ThreadRank>(&place, 0, FloatsOf);
    EXPECT_THAT(std::string(CreateAlgorithm(shared).status().message()), ::testing::HasSubstr(one.refuses_ranks));
    return;
  }
  const auto algorithm = Make();
  ExpectWhatOneLearns(TrainInShares(context_, {1, 3}, 3, batch_of),
                      TrainOn(algorithm.get(), 3, kSteps * kColumns, batch_of));
}

TEST_P(AlgorithmConformance, LearnsAGameWhoseOptimumIsKnown) {
  const Case& one = Cases().at(GetParam());
  if (!one.learnt_in.empty()) {
    const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
    std::vector<std::string> suites;
    for (int i = 0; i < all.total_test_suite_count(); ++i) suites.emplace_back(all.GetTestSuite(i)->name());
    EXPECT_THAT(suites, ::testing::Contains(one.learnt_in));
    return;
  }
  ASSERT_FALSE(one.learns.empty()) << "a row says how its algorithm learns";
  const std::string settings = "algorithm { name: \"" + one.algorithm + "\" } " + one.learns;
  EXPECT_GT(Learn(one.game, ContextOf(one.game, settings), 60), 0.94 * one.optimum);
}

TEST_P(AlgorithmConformance, NamesEveryTensorOfItsStateOnceAndRefusesAnother) {
  const auto algorithm = Make();
  const std::vector<HostTensor> state = algorithm->SaveState();
  std::set<std::string> names;
  for (const HostTensor& tensor : state) EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
  for (size_t i = 0; i < state.size(); ++i) {
    std::vector<HostTensor> without = state;
    without.erase(without.begin() + static_cast<int64_t>(i));
    const absl::Status status = algorithm->LoadState(without);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(state[i].name));
  }
  EXPECT_EQ(algorithm->SaveState(), state);
}

TEST_P(AlgorithmConformance, ExportsEveryGroupsParametersInTheSpecsOrder) {
  const PolicySnapshot weights = Make()->ExportPolicy({.update = 7});
  EXPECT_EQ(weights.policy_version, 7);
  std::vector<std::string> expected;
  for (const PolicySpec& policy : context_.policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
      expected.push_back(policy.group + "/" + parameter.name);
    }
  }
  std::vector<std::string> names;
  for (const HostTensor& tensor : weights.tensors) names.push_back(tensor.name);
  EXPECT_EQ(names, expected);
}

TEST_P(AlgorithmConformance, ReportsFiniteFiguresInOneOrder) {
  const auto algorithm = Make();
  std::vector<std::string> order;
  for (uint64_t update = 0; update < 2; ++update) {
    const auto done = algorithm->Update(BatchOf(context_, update), ProgressAt(update));
    ASSERT_TRUE(done.ok());
    std::vector<std::string> names;
    for (const auto& [name, value] : done->values) {
      names.push_back(name);
      EXPECT_TRUE(std::isfinite(value)) << name;
    }
    if (update > 0) {
      EXPECT_EQ(names, order);
    }
    order = names;
  }
  EXPECT_THAT(order, ::testing::Contains("skipped_minibatches"));
}

TEST_P(AlgorithmConformance, ANanLeavesTheWeightsAsTheyAreAndIsCounted) {
  TrainingBatch batch = RandomBatch(context_.environment, kSteps, kColumns, 5, /*ends=*/false);
  FillRemembered(context_, 9, &batch);
  FillOptions(context_, 9, &batch);
  ShapeForAlgorithm(context_, &batch);
  ExpectANanMovesNothing(Learner(), std::move(batch));
}

TEST_P(AlgorithmConformance, ARewardThatNoLossCanHoldLeavesEveryNumberOfTheStateFinite) {
  ExpectHugeRewardsLeaveAllFinite(Learner());
}

TEST_P(AlgorithmConformance, GoesBackToAnEarlierStateAndOnFromThere) { ExpectItGoesBack(Learner()); }

TEST_P(AlgorithmConformance, LearningRatesScaledToNothingMoveNothing) { ExpectNoRateMovesNothing(Learner()); }

// Another action that is allowed, where there is one, in row `row` of a group.
void ActOtherwise(const AgentGroupSpec& spec, size_t row, GroupBatch* group) {
  if (spec.action_kind == ActionKind::kContinuous) {
    std::fill_n(group->continuous_actions.begin() + static_cast<int64_t>(row * spec.action_size), spec.action_size, 5);
    return;
  }
  const bool multi = spec.action_kind == ActionKind::kMultiDiscrete;
  const int count = spec.num_choices();
  int32_t* action = multi ? &group->multi_discrete_actions[row * count] : &group->discrete_actions[row];
  const uint8_t* mask = &group->action_masks[row * spec.action_size];
  for (int i = 0; i < count; ++i, ++action) {
    const int size = spec.choices_of(i);
    do *action = (*action + 1) % size;
    while (mask[*action] == 0);
    mask += size;
  }
}

TEST_P(AlgorithmConformance, WhatTheDeadDidAndHowLikelyChangesNothing) {
  const auto first = Make(), second = Make();
  for (uint64_t update = 0; update < 2; ++update) {
    TrainingBatch batch = BatchOf(context_, update);
    const auto before = first->Update(batch, ProgressAt(update));
    RandomStream random(update);
    int64_t changed = 0;
    for (size_t g = 0; g < batch.groups.size(); ++g) {
      GroupBatch& group = batch.groups[g];
      for (size_t row = 0; row < group.rewards.size(); ++row) {
        if (group.alive[row] != 0) continue;
        ++changed;
        if (!group.log_probabilities.empty()) group.log_probabilities[row] = -3.0f - random.Uniform();
        ActOtherwise(context_.environment.groups[g], row, &group);
      }
    }
    ASSERT_GT(changed, 10);
    const auto after = second->Update(batch, ProgressAt(update));
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_EQ(before->values, after->values) << update;
    EXPECT_EQ(first->SaveState(), second->SaveState()) << update;
  }
}

TEST_P(AlgorithmConformance, ABatchWithoutWhatWasRememberedIsRefusedWhereNetworksAreRecurrent) {
  const DenseStackSpec& actor = context_.policies[0].stack;
  if (!actor.is_recurrent()) GTEST_SKIP() << "no actor is";
  TrainingBatch batch = BatchOf(context_, 0);
  batch.streams.clear();
  EXPECT_EQ(std::string(Make()->Update(batch, ProgressAt(0)).status().message()),
            "batch.streams: 0 elements, expected 4");
  batch = BatchOf(context_, 0);
  batch.groups[0].network_states.pop_back();
  // Three sequences in each of four columns, of three agents.
  const int numbers = 3 * 4 * 3 * actor.state_size();
  EXPECT_EQ(std::string(Make()->Update(batch, ProgressAt(0)).status().message()),
            absl::StrCat("batch.groups[cars].network_states: ", numbers - 1, " elements, expected ", numbers));
}

TEST_P(AlgorithmConformance, ABatchOfTheWrongShapeIsRefusedAndChangesNothing) {
  const auto algorithm = Make();
  const std::vector<HostTensor> before = algorithm->SaveState();
  TrainingBatch batch = BatchOf(context_, 0);
  batch.groups[1].rewards.pop_back();
  const auto done = algorithm->Update(batch, ProgressAt(0));
  EXPECT_EQ(done.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(done.status().message()), ::testing::HasSubstr("rewards"));
  EXPECT_EQ(algorithm->SaveState(), before);
}

INSTANTIATE_TEST_SUITE_P(Registry, AlgorithmConformance, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace troupe
