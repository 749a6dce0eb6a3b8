// What critics and actors see of a batch: global state, agent one-hots, dead agents, truncated episodes' final states.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learner/algorithms/modules/actor_rows.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/algorithms/modules/minibatches.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kSteps = 6, kColumns = 3;

EnvironmentSpec TwoGroups() {
  EnvironmentSpec environment;
  environment.groups = {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 7, 3)};
  environment.state_extras_size = 2;
  return environment;
}

std::vector<CriticLayout> Layouts(CriticInput input, ValueHeads heads, const EnvironmentSpec& environment) {
  CriticSettings settings;
  settings.set_input(input);
  settings.set_heads(heads);
  settings.add_hidden_sizes(8);
  return MakeCriticLayouts(settings, environment).value();
}

std::vector<float> Inputs(const CriticLayout& layout, const EnvironmentSpec& environment, const TrainingBatch& batch) {
  const size_t states = (batch.rollout_length + 1) * batch.columns + batch.truncated_at.size() / 2;
  std::vector<float> inputs(states * layout.rows_per_step * layout.stack.input_size);
  WriteCriticInputs(layout, environment, batch, inputs.data());
  return inputs;
}

TEST(CriticLayout, HasTheColumnsItsSettingsName) {
  const EnvironmentSpec environment = TwoGroups();
  const auto team = Layouts(GLOBAL_STATE, TEAM, environment);
  ASSERT_EQ(team.size(), 1);
  EXPECT_EQ(team[0].columns(), 1);
  EXPECT_EQ(team[0].stack.input_size, 3 * 5 + 2 * 7 + 2);
  const auto each = Layouts(GLOBAL_STATE, EACH_AGENT, environment);
  ASSERT_EQ(each.size(), 1);
  EXPECT_EQ(each[0].stack.output_size, 5);
  const auto specific = Layouts(AGENT_SPECIFIC_STATE, EACH_AGENT, environment);
  ASSERT_EQ(specific.size(), 2);
  EXPECT_EQ(specific[1].stack.input_size, 31 + 7 + 2);
  EXPECT_EQ(specific[1].rows_per_step, 2);
  EXPECT_EQ(Layouts(LOCAL_OBSERVATION, EACH_AGENT, environment)[0].stack.input_size, 5);
  CriticSettings settings;
  settings.set_input(LOCAL_OBSERVATION);
  settings.set_heads(TEAM);
  EXPECT_EQ(MakeCriticLayouts(settings, environment).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CriticLayout, GlobalStateIsAllObservationsThenTheExtras) {
  const EnvironmentSpec environment = TwoGroups();
  const TrainingBatch batch = RandomBatch(environment, kSteps, kColumns, 1);
  const CriticLayout layout = Layouts(GLOBAL_STATE, TEAM, environment)[0];
  const std::vector<float> inputs = Inputs(layout, environment, batch);
  const int cell = 2 * kColumns + 1;
  const float* state = inputs.data() + cell * 31;
  EXPECT_EQ(state[0], batch.groups[0].observations[cell * 15]);
  EXPECT_EQ(state[14], batch.groups[0].observations[cell * 15 + 14]);
  EXPECT_EQ(state[15], batch.groups[1].observations[cell * 14]);
  EXPECT_EQ(state[30], batch.state_extras[cell * 2 + 1]);
  ASSERT_FALSE(batch.truncated_at.empty());
  EXPECT_EQ(inputs[(kSteps + 1) * kColumns * 31], batch.groups[0].final_observations[0]);
  EXPECT_EQ(inputs.back(), batch.final_state_extras.back());
}

TEST(CriticLayout, AgentSpecificStateEndsWithOwnObservationAndOneHot) {
  const EnvironmentSpec environment = TwoGroups();
  const TrainingBatch batch = RandomBatch(environment, kSteps, kColumns, 1);
  const CriticLayout layout = Layouts(AGENT_SPECIFIC_STATE, EACH_AGENT, environment)[1];
  const std::vector<float> inputs = Inputs(layout, environment, batch);
  const float* row = inputs.data() + (5 * 2 + 1) * layout.stack.input_size;  // cell 5, agent 1
  EXPECT_EQ(row[31], batch.groups[1].observations[(5 * 2 + 1) * 7]);
  EXPECT_EQ(row[38], 0.0f);
  EXPECT_EQ(row[39], 1.0f);
}

// A critic that attends, and its input rows for a batch in which agent 1 of the cars is dead at cell 4 and in the first
// last state.
struct Attending {
  explicit Attending(bool death_masking, ValueHeads heads = TEAM) {
    CriticSettings settings;
    settings.set_input(GLOBAL_STATE);
    settings.set_heads(heads);
    settings.set_attention_heads(2);
    settings.set_attention_layers(1);
    settings.set_token_size(8);
    settings.set_agent_id_input(true);
    settings.set_death_masking(death_masking);
    layout = MakeCriticLayouts(settings, environment).value()[0];
    std::ranges::fill(batch.groups[0].alive, 1);
    std::ranges::fill(batch.groups[1].alive, 1);
    batch.groups[0].alive[kCell * 3 + 1] = 0;
    const size_t finals = batch.truncated_at.size() / 2;
    batch.groups[0].final_alive.assign(finals * 3, 1);
    batch.groups[1].final_alive.assign(finals * 2, 1);
    batch.groups[0].final_alive[1] = 0;
    inputs = Inputs(layout, environment, batch);
  }
  const float* Row(int row) const { return inputs.data() + row * layout.stack.input_size; }

  static constexpr int kCell = 4;
  EnvironmentSpec environment = TwoGroups();
  TrainingBatch batch = RandomBatch(environment, kSteps, kColumns, 1);
  CriticLayout layout;
  std::vector<float> inputs;
};

TEST(CriticLayout, AnAttendingCriticsRowIsTokensExtrasAndWhoLives) {
  const Attending made(/*death_masking=*/false);
  ASSERT_EQ(made.layout.stack.input_size, 3 * (5 + 3) + 2 * (7 + 2) + 2 + 5);
  EXPECT_EQ(made.layout.stack.attention.kinds,
            (std::vector<AttentionSpec::Kind>{{3, 8, true}, {2, 9, true}, {1, 2, false}}));
  EXPECT_EQ(made.layout.stack.output_size, 1);
  const float* const row = made.Row(Attending::kCell);
  const GroupBatch &cars = made.batch.groups[0], &lights = made.batch.groups[1];
  for (int agent = 0; agent < 3; ++agent) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(row[agent * 8 + i], cars.observations[(4 * 3 + agent) * 5 + i]);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(row[agent * 8 + 5 + i], i == agent ? 1.0f : 0.0f);
  }
  EXPECT_EQ(row[24 + 9], lights.observations[(4 * 2 + 1) * 7]);
  EXPECT_EQ(row[24 + 9 + 8], 1.0f);
  EXPECT_EQ(row[42], made.batch.state_extras[4 * 2]);
  EXPECT_EQ(std::vector<float>(row + 44, row + 49), (std::vector<float>{1, 0, 1, 1, 1}));
  const float* const last = made.Row((kSteps + 1) * kColumns);
  EXPECT_EQ(last[8], cars.final_observations[5]);
  EXPECT_EQ(std::vector<float>(last + 44, last + 49), (std::vector<float>{1, 0, 1, 1, 1}));
  // With a head for each agent the same row has as many values.
  const Attending each(false, EACH_AGENT);
  EXPECT_EQ(each.inputs, made.inputs);
  EXPECT_EQ(each.layout.stack.output_size, 5);
  EXPECT_TRUE(each.layout.stack.attention.per_token);
}

TEST(CriticLayout, ZerosStandForTheDeadWhereTheyAreMasked) {
  const Attending kept(false), masked(true);
  ASSERT_EQ(kept.inputs.size(), masked.inputs.size());
  const int size = kept.layout.stack.input_size;
  const auto of_the_dead = [&](size_t i) {
    const int row = static_cast<int>(i) / size, place = static_cast<int>(i) % size;
    return (row == Attending::kCell || row == (kSteps + 1) * kColumns) && place >= 8 && place < 13;
  };
  for (size_t i = 0; i < kept.inputs.size(); ++i) {
    EXPECT_EQ(masked.inputs[i], of_the_dead(i) ? 0.0f : kept.inputs[i]) << i;
  }
  // In a dense critic's rows the same numbers, wherever they stand.
  for (const CriticInput input : {GLOBAL_STATE, AGENT_SPECIFIC_STATE, LOCAL_OBSERVATION}) {
    CriticLayout layout = Layouts(input, EACH_AGENT, kept.environment)[0];
    const std::vector<float> before = Inputs(layout, kept.environment, kept.batch);
    layout.masks_dead = true;
    const std::vector<float> after = Inputs(layout, kept.environment, kept.batch);
    int64_t changed = 0;
    for (size_t i = 0; i < before.size(); ++i) {
      changed += before[i] != after[i];
      if (before[i] != after[i]) {
        EXPECT_EQ(after[i], 0.0f);
      }
    }
    // Five numbers at two states: once a state, in the rows of three agents and its own again, in its own.
    EXPECT_EQ(changed, 2 * 5 * (input == GLOBAL_STATE ? 1 : input == AGENT_SPECIFIC_STATE ? 4 : 1));
  }
}

ValueStreams Streams(const CriticLayout& layout, const EnvironmentSpec& environment, const TrainingBatch& batch,
                     const RewardSettings& reward = {}) {
  const size_t states = (batch.rollout_length + 1) * batch.columns + batch.truncated_at.size() / 2;
  std::vector<float> values(states * layout.columns());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return MakeValueStreams(layout, environment, batch, reward, values, {});
}

// Five agents in two groups; those that live are paid 4 and −1, a dead one 7.
TEST(ValueStreams, TeamRewardIsWhatItsSettingSays) {
  const EnvironmentSpec environment = TwoGroups();
  TrainingBatch batch = RandomBatch(environment, kSteps, kColumns, 1);
  for (int agent = 0; agent < 3; ++agent) batch.groups[0].alive[agent] = agent == 1;
  batch.groups[1].alive[0] = 1;
  batch.groups[1].alive[1] = 0;
  for (int agent = 0; agent < 3; ++agent) batch.groups[0].rewards[agent] = agent == 1 ? 4.0f : 0.0f;
  batch.groups[1].rewards[0] = -1.0f;
  batch.groups[1].rewards[1] = 7.0f;
  const CriticLayout layout = Layouts(GLOBAL_STATE, TEAM, environment)[0];
  EXPECT_FLOAT_EQ(Streams(layout, environment, batch).rewards[0], 2.0f);
  EXPECT_FLOAT_EQ(Streams(layout, environment, batch, {.team = SUM}).rewards[0], 10.0f);
  EXPECT_FLOAT_EQ(Streams(layout, environment, batch, {.team = MEAN_LIVING}).rewards[0], 1.5f);
  EXPECT_FLOAT_EQ(Streams(layout, environment, batch, {.scale = 0.5, .team = SUM}).rewards[0], 5.0f);
}

// Cars of red and lights of blue play against each other; a third group is on red's side.
EnvironmentSpec TwoTeams() {
  EnvironmentSpec environment = TwoGroups();
  environment.groups.push_back(DiscreteGroup("trams", 1, 4, 2));
  environment.groups[0].team = environment.groups[2].team = "red";
  environment.groups[1].team = "blue";
  return environment;
}

TEST(CriticLayout, HasACriticForEveryTeam) {
  const auto teams = Layouts(GLOBAL_STATE, TEAM, TwoTeams());
  ASSERT_EQ(teams.size(), 2);
  EXPECT_EQ(teams[0].name, "team_red");
  EXPECT_EQ(teams[1].name, "team_blue");
  EXPECT_EQ(teams[0].team_groups, (std::vector<int>{0, 2}));
  EXPECT_EQ(teams[1].team_groups, (std::vector<int>{1}));
  for (const CriticLayout& layout : teams) {
    EXPECT_EQ(layout.columns(), 1);
    EXPECT_EQ(layout.stack.input_size, 3 * 5 + 2 * 7 + 1 * 4 + 2) << "every critic sees everybody";
  }
  // A team's name is of account only where there is another.
  EnvironmentSpec alone = TwoTeams();
  for (AgentGroupSpec& group : alone.groups) group.team = "red";
  ASSERT_EQ(Layouts(GLOBAL_STATE, TEAM, alone).size(), 1);
  EXPECT_EQ(Layouts(GLOBAL_STATE, TEAM, alone)[0].name, "team");
  alone.groups[1].team = "";
  ASSERT_EQ(Layouts(GLOBAL_STATE, TEAM, alone).size(), 2);
  EXPECT_EQ(Layouts(GLOBAL_STATE, TEAM, alone)[1].name, "team");
  EXPECT_EQ(Layouts(GLOBAL_STATE, EACH_AGENT, TwoTeams()).size(), 1);
}

// Red's living agents are paid 1 each, blue's −1: over all of them that is 0.
TEST(ValueStreams, OpposedTeamsDoNotCancelAndGroupsOfOneTeamShare) {
  const EnvironmentSpec environment = TwoTeams();
  TrainingBatch batch = EmptyBatch(environment, kSteps, kColumns);
  const auto pay = [&](int group, float reward) {
    std::ranges::fill_n(batch.groups[group].rewards.begin(), environment.groups[group].num_agents(), reward);
  };
  pay(0, 1);   // three cars
  pay(2, 1);   // a tram
  pay(1, -1);  // two lights
  const auto layouts = Layouts(GLOBAL_STATE, TEAM, environment);
  const auto reward = [&](int team, TeamReward kind) {
    return Streams(layouts[team], environment, batch, {.team = kind}).rewards[0];
  };
  for (const TeamReward kind : {MEAN_ALL, MEAN_LIVING}) {
    EXPECT_FLOAT_EQ(reward(0, kind), 1.0f);
    EXPECT_FLOAT_EQ(reward(1, kind), -1.0f);
  }
  EXPECT_FLOAT_EQ(reward(0, SUM), 4.0f);
  EXPECT_FLOAT_EQ(reward(1, SUM), -2.0f);
  // A dead car was paid 5 all the same; the tram, which lives, 2.
  batch.groups[0].alive[1] = 0;
  batch.groups[0].rewards[1] = 5;
  batch.groups[2].rewards[0] = 2;
  EXPECT_FLOAT_EQ(reward(0, MEAN_ALL), (1 + 5 + 1 + 2) / 4.0f);
  EXPECT_FLOAT_EQ(reward(0, MEAN_LIVING), (1 + 1 + 2) / 3.0f);
  EXPECT_FLOAT_EQ(reward(0, SUM), 9.0f);
  EXPECT_FLOAT_EQ(reward(1, MEAN_LIVING), -1.0f) << "and blue has no part in it";
  // Where all of a team are dead it takes no part, whoever else lives.
  batch.groups[1].alive[0] = batch.groups[1].alive[1] = 0;
  EXPECT_EQ(Streams(layouts[1], environment, batch).active[0], 0);
  EXPECT_EQ(Streams(layouts[0], environment, batch).active[0], 1);
  EXPECT_FLOAT_EQ(reward(1, MEAN_LIVING), 0.0f);
}

TEST(ValueStreams, ATeamsImportanceIsOfItsOwnLivingAgents) {
  const EnvironmentSpec environment = TwoTeams();
  TrainingBatch batch = EmptyBatch(environment, kSteps, kColumns);
  batch.groups[0].alive[2] = 0;
  std::vector<std::vector<float>> importance;
  for (const GroupBatch& group : batch.groups) importance.emplace_back(group.rewards.size(), 1.0f);
  std::ranges::copy(std::vector<float>{2.0f, 0.5f, 9.0f}, importance[0].begin());
  std::ranges::copy(std::vector<float>{3.0f, 5.0f}, importance[1].begin());
  importance[2][0] = 4.0f;
  const std::vector<float> values((kSteps + 1) * kColumns);
  const auto layouts = Layouts(GLOBAL_STATE, TEAM, environment);
  const auto of = [&](int team) {
    return MakeValueStreams(layouts[team], environment, batch, {}, values, importance).importance[0];
  };
  EXPECT_FLOAT_EQ(of(0), 2.0f * 0.5f * 4.0f);
  EXPECT_FLOAT_EQ(of(1), 15.0f);
}

// The episode is cut while agent 2 of the cars is dead: it is owed its final state's value all the same, unless dead
// agents count as worth nothing.
TEST(ValueStreams, ADeadAgentBootstrapsFromTheFinalStateToo) {
  const EnvironmentSpec environment = TwoGroups();
  TrainingBatch batch = EmptyBatch(environment, kSteps, kColumns);
  Truncate(environment, 2, 1, 0.5f, &batch);
  const int cell = 2 * kColumns + 1;
  batch.groups[0].alive[cell * 3 + 2] = 0;
  const CriticLayout layout = Layouts(GLOBAL_STATE, EACH_AGENT, environment)[0];
  EXPECT_EQ(Streams(layout, environment, batch).next_values[cell * 5 + 2], (kSteps + 1) * kColumns * 5 + 2);
  EXPECT_EQ(Streams(layout, environment, batch, {.bootstrap_dead = false}).next_values[cell * 5 + 2], 0.0f);
}

TEST(ValueStreams, TruncationBootstrapsFromTheFinalStateAndTerminationFromNothing) {
  const EnvironmentSpec environment = TwoGroups();
  TrainingBatch batch = EmptyBatch(environment, kSteps, kColumns);
  Truncate(environment, 2, 1, 0.5f, &batch);
  batch.terminated[3 * kColumns + 2] = 1;
  const CriticLayout layout = Layouts(GLOBAL_STATE, EACH_AGENT, environment)[0];
  const ValueStreams streams = Streams(layout, environment, batch);
  const int final_state = (kSteps + 1) * kColumns;
  for (int head = 0; head < 5; ++head) {
    const int truncated = (2 * kColumns + 1) * 5 + head, terminated = (3 * kColumns + 2) * 5 + head;
    EXPECT_EQ(streams.next_values[truncated], final_state * 5 + head);
    EXPECT_EQ(streams.next_values[terminated], 0.0f);
    EXPECT_EQ(streams.next_values[0 + head], kColumns * 5 + head);
    EXPECT_EQ(streams.continues[truncated] + streams.continues[terminated], 0);
    EXPECT_EQ(streams.continues[head], 1);
  }
}

// What of the dead an update does not see, by what its critics look at: whatever they did anywhere; what they observed
// where dead agents are worth nothing and critics see nobody else, or do not see the dead, or see zeros; what they were
// paid where the team is what lives.
struct Unseen {
  std::string name, critic;
  bool in_state = true;  // observations are part of the global state
  bool paid = false;
  std::string ppo = "dead_agents: ZERO";
};

class DeadAgents : public ::testing::TestWithParam<Unseen> {};

TEST_P(DeadAgents, ChangeNothing) {
  const Unseen& of = GetParam();
  for (const std::string sharing : {"SHARED", "PER_AGENT", "PARTITIONED partition: [1, 0, 1]"}) {
    AlgorithmContext context =
        MakeContext("policy { hidden_sizes: [16] sharing: " + sharing + " } critic { hidden_sizes: [16] " + of.critic +
                        " team_reward: MEAN_LIVING } collection { num_shards: 1 copies_per_shard: 3 "
                        "rollout_length: 6 } ppo { epochs: 2 minibatch_size: 8 " +
                        of.ppo + " }",
                    {DiscreteGroup("cars", 3, 5, 4)}, 1);
    context.environment.state_includes_observations = of.in_state;
    TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 2);
    FillFinalAlive(context, &batch);
    GroupBatch& group = batch.groups[0];
    // Agent 2 dies at step 2 for good, so that no later step of its own could be owed its rewards.
    for (int cell = 0; cell < (kSteps + 1) * kColumns; ++cell) group.alive[cell * 3 + 2] = cell < 2 * kColumns;
    for (int cell = 2 * kColumns; cell < kSteps * kColumns; ++cell) group.rewards[cell * 3 + 2] = 0.0f;
    for (size_t k = 0; k < group.final_alive.size(); k += 3) group.final_alive[k + 2] = 0;
    const auto first = CreateAlgorithm(context).value(), second = CreateAlgorithm(context).value();
    const UpdateProgress progress{.update = 0, .env_steps = 0, .total_env_steps = 100};
    const auto before = first->Update(batch, progress).value();
    for (int cell = 2 * kColumns; cell < kSteps * kColumns; ++cell) {
      for (int o = 0; o < 5; ++o) group.observations[(cell * 3 + 2) * 5 + o] = 77.0f;
      group.discrete_actions[cell * 3 + 2] = 3;
      group.log_probabilities[cell * 3 + 2] = -9.0f;
      if (of.paid) group.rewards[cell * 3 + 2] = 1e4f;
    }
    for (size_t k = 0; k < group.final_alive.size(); k += 3) group.final_observations[(k + 2) * 5] = 77.0f;
    const auto after = second->Update(batch, progress).value();
    EXPECT_EQ(before.values, after.values) << sharing;
    EXPECT_EQ(first->SaveState(), second->SaveState()) << sharing;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DeadAgents,
    ::testing::Values(Unseen{"TeamOfExtras", "heads: TEAM", false, true},
                      Unseen{"OwnObservations", "input: LOCAL_OBSERVATION heads: EACH_AGENT", false},
                      Unseen{"AttendedTeam", "attention_heads: 2 token_size: 8", true, true},
                      Unseen{"AttendedTeamThatBootstraps", "attention_heads: 2 token_size: 8", true, true,
                             "dead_agents: BOOTSTRAP"},
                      Unseen{"AttendedAgents", "heads: EACH_AGENT attention_heads: 2 token_size: 8"},
                      Unseen{"ZerosInTheState", "death_masking: true", true, true},
                      Unseen{"ZerosForEachAgent", "heads: EACH_AGENT death_masking: true"},
                      Unseen{"ZerosForEachAgentThatBootstraps", "heads: EACH_AGENT death_masking: true", true, false,
                             "dead_agents: BOOTSTRAP"},
                      Unseen{"ZerosInAgentsRows", "input: AGENT_SPECIFIC_STATE heads: EACH_AGENT death_masking: true"},
                      Unseen{"AttendedZeros", "heads: EACH_AGENT attention_heads: 2 token_size: 8 death_masking: true",
                             true, false, "dead_agents: BOOTSTRAP"}),
    [](const auto& info) { return info.param.name; });

TEST(SlotMap, PutsEveryAgentInItsSetAndPadsTheRest) {
  PolicySpec policy{.num_agents = 4, .set_of_agent = {1, 0, 1, 1}};
  policy.stack.num_sets = 2;
  const SlotMap map(policy);
  EXPECT_EQ(map.slots, 3);
  EXPECT_EQ(map.agent_of, (std::vector<int>{1, -1, -1, 0, 2, 3}));
}

TEST(DealMinibatches, HoldEveryStepOnceInEvenSharesAndFollowTheKeyAlone) {
  const auto dealt = DealMinibatches(100, 30, 5);
  ASSERT_EQ(dealt.size(), 4);
  std::vector<int> count(100, 0);
  for (const auto& minibatch : dealt) {
    EXPECT_EQ(minibatch.size(), 25);
    for (const int64_t step : minibatch) ++count[step];
  }
  EXPECT_EQ(count, std::vector<int>(100, 1));
  EXPECT_EQ(dealt, DealMinibatches(100, 30, 5));
  EXPECT_NE(dealt, DealMinibatches(100, 30, 6));
  EXPECT_EQ(DealMinibatches(100, 0, 5).size(), 1);
}

}  // namespace
}  // namespace troupe
