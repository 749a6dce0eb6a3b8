// Sequences of up to four steps over two pieces of two, by hand: γ = 1/2, rewards of agent 0 are 1, 2, 4, 8 along
// column 1, agent 1's are 10 times that, and what is remembered says where.
#include "learner/replay/replay_sequences.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/learner/replay_batches.h"

namespace troupe {
namespace {

using testing::ElementsAre;

class ReplaySequencesTest : public ::testing::Test {
 protected:
  ReplaySequencesTest() : first_(ReplayBatch()), second_(NextReplayBatch(first_, 1)) {
    for (int t = 0; t < 4; ++t) {
      GroupBatch& group = (t < 2 ? first_ : second_).groups[0];
      const int cell = t % 2 * kReplayColumns + 1;
      group.rewards[cell * kReplayAgents] = static_cast<float>(1 << t);
      group.rewards[cell * kReplayAgents + 1] = 10.0f * static_cast<float>(1 << t);
      group.discrete_actions[cell * kReplayAgents] = t;
    }
    // [2 sequences of a step, 3 columns, 2 agents, 1]
    for (int i = 0; i < 12; ++i) {
      first_.groups[0].network_states.push_back(static_cast<float>(i));
      second_.groups[0].network_states.push_back(static_cast<float>(100 + i));
    }
  }
  // The episode of column 1 ends after step t of the four in a state where everything is 77.
  void Truncate(int t) {
    TrainingBatch& batch = t < 2 ? first_ : second_;
    batch.truncated[t % 2 * kReplayColumns + 1] = 1;
    batch.truncated_at = {t % 2, 1};
    batch.final_state_extras = {77};
    batch.groups[0].final_observations = {77, 77};
    batch.groups[0].final_alive = {1, 0};
    batch.groups[0].final_action_masks = {1, 1, 0, 1};
  }
  SequenceSample Sample(int t, int length, int n = 1) {
    ReplayStore store(1 << 20);
    EXPECT_TRUE(store.Add(first_, ReplayStore::Bytes(first_)).ok());
    EXPECT_TRUE(store.Add(second_, ReplayStore::Bytes(second_)).ok());
    return GatherSequences(
        store, {{static_cast<uint64_t>(t / 2), t % 2, 1}},
        {.length = length, .recorded_every = 1, .returns = {.n = n, .discount = 0.5, .team_reward = SUM}});
  }

  TrainingBatch first_, second_;
};

TEST_F(ReplaySequencesTest, RunsOnIntoThePieceThatFollows) {
  const SequenceSample sample = Sample(1, 3);
  EXPECT_EQ(sample.states.rollout_length, 3);
  EXPECT_EQ(sample.states.columns, 1);
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1010, 1011, 1100, 1101, 1110, 1111, 1120, 1121));
  EXPECT_THAT(sample.states.groups[0].discrete_actions, ElementsAre(1, 0, 2, 0, 3, 0));
  EXPECT_THAT(sample.states.groups[0].network_states, ElementsAre(8, 9)) << "of step 1, column 1";
  EXPECT_THAT(sample.states.state_extras, ElementsAre(4, 1, 4, 7));
  EXPECT_THAT(sample.kept, ElementsAre(1, 1, 1));
  EXPECT_THAT(sample.team_rewards, ElementsAre(22, 44, 88));
  EXPECT_THAT(sample.rewards[0], ElementsAre(2, 20, 4, 40, 8, 80));
  EXPECT_THAT(sample.discounts, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_THAT(sample.next_states, ElementsAre(1, 2, 3));
}

TEST_F(ReplaySequencesTest, ReturnsEndWithTheSequence) {
  const SequenceSample sample = Sample(0, 4, /*n=*/3);
  EXPECT_THAT(sample.rewards[0], ElementsAre(1 + 1 + 1, 30, 2 + 2 + 2, 60, 4 + 4, 80, 8, 80));
  EXPECT_THAT(sample.discounts, ElementsAre(0.125, 0.125, 0.25, 0.5));
  EXPECT_THAT(sample.next_states, ElementsAre(3, 4, 4, 4));
}

TEST_F(ReplaySequencesTest, WhatIsNotKeptYetIsNotThere) {
  const SequenceSample sample = Sample(3, 4, /*n=*/3);
  EXPECT_THAT(sample.kept, ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1110, 1111, 1120, 1121, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(sample.states.groups[0].alive, ElementsAre(1, 1, 1, 1, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(sample.discounts, ElementsAre(0.5, 0, 0, 0));
  EXPECT_EQ(sample.next_states[0], 1);
}

TEST_F(ReplaySequencesTest, NoSequenceReachesIntoAnotherLease) {
  second_.streams[1] = {.shard = 0, .copy = 1, .lease_epoch = 2, .sequence = 0};
  EXPECT_THAT(Sample(1, 3).kept, ElementsAre(1, 0, 0));
}

TEST_F(ReplaySequencesTest, GoesOnOverATruncatedEpisodesEndWhichIsFollowedByItsFinalState) {
  Truncate(2);
  const SequenceSample sample = Sample(1, 3, /*n=*/3);
  EXPECT_THAT(sample.kept, ElementsAre(1, 1, 1));
  EXPECT_THAT(sample.states.truncated, ElementsAre(0, 1, 0));
  EXPECT_THAT(sample.states.truncated_at, ElementsAre(1, 0));
  EXPECT_THAT(sample.states.groups[0].final_observations, ElementsAre(77, 77));
  EXPECT_THAT(sample.states.groups[0].final_alive, ElementsAre(1, 0));
  EXPECT_THAT(sample.states.groups[0].final_action_masks, ElementsAre(1, 1, 0, 1));
  EXPECT_THAT(sample.states.final_state_extras, ElementsAre(77));
  EXPECT_THAT(sample.rewards[0], ElementsAre(2 + 2, 40, 4, 40, 8, 80));
  EXPECT_THAT(sample.discounts, ElementsAre(0.25, 0.5, 0.5));
  EXPECT_THAT(sample.next_states, ElementsAre(4, 4, 3)) << "the first final state behind rows 0 to 3";
}

TEST_F(ReplaySequencesTest, NothingFollowsATerminatedEpisode) {
  first_.terminated[1 * kReplayColumns + 1] = 1;
  const SequenceSample sample = Sample(0, 4, /*n=*/2);
  EXPECT_THAT(sample.rewards[0], ElementsAre(1 + 1, 20, 2, 20, 4 + 4, 80, 8, 80));
  EXPECT_THAT(sample.discounts, ElementsAre(0, 0, 0.25, 0.5));
  EXPECT_THAT(sample.states.terminated, ElementsAre(0, 1, 0, 0));
}

}  // namespace
}  // namespace troupe
