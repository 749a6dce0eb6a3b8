// n-step returns and the states behind them, by hand: γ = 1/2, rewards of agent 0 are 1, 2, 4, 8 along a column over
// two pieces of two steps, agent 1's are 10 times that.
#include "learner/replay/replay_sample.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/learner/replay_batches.h"

namespace troupe {
namespace {

using testing::ElementsAre;

void SetReward(int step, float reward, TrainingBatch* batch) {
  const int cell = step * kReplayColumns + 1;
  batch->groups[0].rewards[cell * kReplayAgents] = reward;
  batch->groups[0].rewards[cell * kReplayAgents + 1] = 10 * reward;
}

// Ends the episode of column 1 after a step of the batch by truncation, in a state where everything is `value` and
// agent 1 is dead and may only take action 1.
void Truncate(int step, float value, TrainingBatch* batch) {
  batch->truncated[step * kReplayColumns + 1] = 1;
  batch->truncated_at = {step, 1};
  batch->final_state_extras = {value};
  batch->groups[0].final_observations = {value, value};
  batch->groups[0].final_alive = {1, 0};
  batch->groups[0].final_action_masks = {1, 1, 0, 1};
}

class ReplaySampleTest : public ::testing::Test {
 protected:
  ReplaySampleTest() : first_(ReplayBatch()), second_(NextReplayBatch(first_, 1)) {
    SetReward(0, 1, &first_);
    SetReward(1, 2, &first_);
    SetReward(0, 4, &second_);
    SetReward(1, 8, &second_);
    first_.groups[0].discrete_actions[1 * kReplayAgents + 1] = 1;  // step 0, column 1, agent 1
  }
  // The place at step t of the four.
  ReplaySample Sample(int t, int n, TeamReward team = SUM) {
    ReplayStore store(1 << 20);
    EXPECT_TRUE(store.Add(first_, ReplayStore::Bytes(first_)).ok());
    EXPECT_TRUE(store.Add(second_, ReplayStore::Bytes(second_)).ok());
    return GatherSample(store, {{static_cast<uint64_t>(t / 2), t % 2, 1}},
                        {.n = n, .discount = 0.5, .team_reward = team});
  }

  TrainingBatch first_, second_;
};

TEST_F(ReplaySampleTest, OneStepIsItsRewardAndTheStateAfterIt) {
  const ReplaySample sample = Sample(0, 1);
  EXPECT_THAT(sample.states.groups[0].rewards, ElementsAre(1, 10));
  EXPECT_THAT(sample.team_rewards, ElementsAre(11));
  EXPECT_THAT(sample.discounts, ElementsAre(0.5));
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1000, 1001, 1010, 1011));
  EXPECT_THAT(sample.states.groups[0].discrete_actions, ElementsAre(0, 1));
  EXPECT_THAT(sample.states.state_extras, ElementsAre(1, 4)) << "rows 0 and 1 of column 1 among three";
}

TEST_F(ReplaySampleTest, EveryIndexOfAMultiDiscreteActionComesAlong) {
  for (TrainingBatch* batch : {&first_, &second_}) {
    batch->groups[0].discrete_actions.clear();
    for (int i = 0; i < kReplaySteps * kReplayColumns * kReplayAgents * 3; ++i) {
      batch->groups[0].multi_discrete_actions.push_back(i);
    }
  }
  // Of step 1, column 1: the fifth of six joint steps, of two agents with three indices each.
  EXPECT_THAT(Sample(1, 1).states.groups[0].multi_discrete_actions, ElementsAre(24, 25, 26, 27, 28, 29));
}

TEST_F(ReplaySampleTest, ThreeStepsReachOverTheChunksEdge) {
  const ReplaySample sample = Sample(0, 3);
  EXPECT_THAT(sample.states.groups[0].rewards, ElementsAre(1 + 2 * 0.5 + 4 * 0.25, 30));
  EXPECT_THAT(sample.discounts, ElementsAre(0.125));
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1000, 1001, 1110, 1111)) << "row 1 of the second piece";
}

TEST_F(ReplaySampleTest, WhatIsNotKnownYetCutsTheSumAndTheEstimateFollowsThere) {
  const ReplaySample sample = Sample(2, 5);
  EXPECT_THAT(sample.states.groups[0].rewards, ElementsAre(4 + 8 * 0.5, 80));
  EXPECT_THAT(sample.discounts, ElementsAre(0.25));
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1100, 1101, 1120, 1121)) << "the last row";
}

TEST_F(ReplaySampleTest, ATerminatedEpisodeIsFollowedByNothing) {
  first_.terminated[1 * kReplayColumns + 1] = 1;
  const ReplaySample sample = Sample(0, 3);
  EXPECT_THAT(sample.states.groups[0].rewards, ElementsAre(2, 20));
  EXPECT_THAT(sample.discounts, ElementsAre(0));
}

TEST_F(ReplaySampleTest, ATruncatedEpisodeIsFollowedByItsFinalState) {
  Truncate(1, 77, &first_);
  const ReplaySample sample = Sample(0, 3);
  EXPECT_THAT(sample.states.groups[0].rewards, ElementsAre(2, 20));
  EXPECT_THAT(sample.discounts, ElementsAre(0.25));
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1000, 1001, 77, 77));
  EXPECT_THAT(sample.states.groups[0].alive, ElementsAre(1, 1, 1, 0));
  EXPECT_THAT(sample.states.groups[0].action_masks, ElementsAre(1, 1, 1, 1, 1, 1, 0, 1));
  EXPECT_THAT(sample.states.state_extras, ElementsAre(1, 77));
}

TEST_F(ReplaySampleTest, NoSumReachesIntoAnotherLease) {
  second_.streams[1] = {.shard = 0, .copy = 1, .lease_epoch = 2, .sequence = 0};
  const ReplaySample sample = Sample(1, 3);
  EXPECT_THAT(sample.states.groups[0].rewards, ElementsAre(2, 20));
  EXPECT_THAT(sample.discounts, ElementsAre(0.5));
  EXPECT_THAT(sample.states.groups[0].observations, ElementsAre(1010, 1011, 1020, 1021))
      << "what this lease saw after its last step";
}

TEST_F(ReplaySampleTest, TheTeamIsPaidASumOrAMean) {
  EXPECT_THAT(Sample(0, 1, SUM).team_rewards, ElementsAre(11));
  EXPECT_THAT(Sample(0, 1, MEAN_ALL).team_rewards, ElementsAre(5.5));
  first_.groups[0].alive[(1 * kReplayColumns + 1) * kReplayAgents + 1] = 0;  // agent 1 is dead at step 1
  EXPECT_THAT(Sample(0, 2, MEAN_LIVING).team_rewards, ElementsAre(5.5 + 0.5 * 2));
  EXPECT_THAT(Sample(0, 2, MEAN_ALL).team_rewards, ElementsAre(5.5 + 0.5 * 11));
}

}  // namespace
}  // namespace troupe
