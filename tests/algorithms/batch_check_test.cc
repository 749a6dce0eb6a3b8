#include "learner/algorithms/modules/batch_check.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/field_copy.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

// A discrete and a continuous group.
EnvironmentSpec Environment() {
  EnvironmentSpec environment;
  environment.groups = {DiscreteGroup("red", 3, 4, 5), DiscreteGroup("blue", 2, 3, 2)};
  environment.groups[1].action_kind = ActionKind::kContinuous;
  environment.state_extras_size = 2;
  return environment;
}

// The discrete group remembers 7 numbers, recorded before steps 0, 2 and 4 of five.
ChunkShape Shape() { return {.rollout_length = 5, .copies = 6, .network_states = {{7, 2}}}; }

TrainingBatch Batch() {
  TrainingBatch batch;
  batch.rollout_length = Shape().rollout_length;
  batch.columns = Shape().copies;
  batch.groups.resize(2);
  for (size_t g = 0; g < 2; ++g) AllocateColumns(GroupSizes(Environment(), Shape(), g, 0), &batch.groups[g]);
  AllocateColumns(JointSizes(Environment(), Shape(), 0), &batch);
  return batch;
}

std::string Refusal(const TrainingBatch& batch, const ChunkShape& shape = Shape()) {
  const absl::Status status = CheckBatch(Environment(), batch, shape);
  return status.ok() ? "" : std::string(status.message());
}

TEST(CheckBatchTest, WhatIngestionAllocatesFits) { EXPECT_EQ(Refusal(Batch()), ""); }

TEST(CheckBatchTest, NamesTheFieldOfAWrongSize) {
  TrainingBatch batch = Batch();
  batch.groups[0].network_states.pop_back();
  EXPECT_EQ(Refusal(batch), "batch.groups[red].network_states: 377 elements, expected 378");  // 3 · 6 · 3 · 7
  batch = Batch();
  batch.groups[1].continuous_actions.clear();
  EXPECT_EQ(Refusal(batch), "batch.groups[blue].continuous_actions: 0 elements, expected 120");
  batch = Batch();
  batch.groups[1].discrete_actions.resize(60);
  EXPECT_EQ(Refusal(batch), "batch.groups[blue].discrete_actions: 60 elements, expected 0");
  batch = Batch();
  batch.state_extras.resize(71);
  EXPECT_EQ(Refusal(batch), "batch.state_extras: 71 elements, expected 72");
}

TEST(CheckBatchTest, AnActionMustBeOneOfTheGroups) {
  TrainingBatch batch = Batch();
  batch.groups[0].discrete_actions[8] = 5;
  EXPECT_EQ(Refusal(batch), "batch.groups[red].discrete_actions: 5, expected [0, 5)");
}

TEST(CheckBatchTest, EveryIndexMustBeOneOfItsDimension) {
  EnvironmentSpec environment;
  environment.groups = {MultiDiscreteGroup("green", 2, 3, {4, 2})};
  TrainingBatch batch = EmptyBatch(environment, 5, 6);
  const auto refusal = [&] { return std::string(CheckBatch(environment, batch, {}).message()); };
  EXPECT_EQ(refusal(), "");
  batch.groups[0].multi_discrete_actions[8] = 3;
  EXPECT_EQ(refusal(), "");
  batch.groups[0].multi_discrete_actions[9] = 3;
  EXPECT_EQ(refusal(), "batch.groups[green].multi_discrete_actions: 3, expected [0, 2)");
  batch.groups[0].multi_discrete_actions.pop_back();
  EXPECT_EQ(refusal(), "batch.groups[green].multi_discrete_actions: 119 elements, expected 120");
}

TEST(CheckBatchTest, OptionalFieldsAreThereOrNotAsTheShapeSays) {
  ChunkShape without = Shape();
  without.left_out = OptionalFieldsBut({});
  TrainingBatch batch = Batch();
  EXPECT_EQ(Refusal(batch, without), "batch.groups[red].log_probabilities: 90 elements, expected 0");
  for (GroupBatch& group : batch.groups) group.log_probabilities.clear();
  EXPECT_EQ(Refusal(batch, without), "");
  EXPECT_EQ(Refusal(batch), "batch.groups[red].log_probabilities: 0 elements, expected 90");
}

}  // namespace
}  // namespace troupe
