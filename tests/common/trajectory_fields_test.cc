#include "common/wire/trajectory_fields.h"

#include <map>
#include <string>

#include "common/config/experiment_loader.h"
#include "common/wire/chunk_layout.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "proto/tensor.pb.h"
#include "proto/trajectory.pb.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// T = 7 steps in sequences of L = 3; the red group of TwoGroupSpec remembers H = 5 numbers, the blue one nothing.
ChunkShape RememberingShape() {
  return {.rollout_length = 7, .copies = 2, .network_states = {{.state_size = 5, .sequence_length = 3}}};
}

// The tensors that a message has, by number.
std::map<int, std::string> TensorsOf(const google::protobuf::Descriptor& message) {
  std::map<int, std::string> tensors;
  for (int i = 0; i < message.field_count(); ++i) {
    if (message.field(i)->message_type() != wire::Tensor::descriptor()) continue;
    tensors[message.field(i)->number()] = message.field(i)->name();
  }
  return tensors;
}

template <typename Fields>
std::map<int, std::string> TensorsOf() {
  std::map<int, std::string> tensors;
  Fields::ForEach([&](const TrajectoryField& field) { tensors[field.number] = std::string(field.wire); });
  return tensors;
}

TEST(TrajectoryFieldsTest, EveryTensorOfTheMessagesHasItsRow) {
  EXPECT_EQ(TensorsOf<GroupFields>(), TensorsOf(*wire::GroupTrajectory::descriptor()));
  EXPECT_EQ(TensorsOf<JointFields>(), TensorsOf(*wire::Chunk::descriptor()));
}

TEST(TrajectoryFieldsTest, RowsOfOneNumberNeverExistTogether) {
  const EnvironmentSpec spec = EveryActionKindSpec();
  for (size_t group = 0; group < 3; ++group) {
    const FieldSizes sizes = GroupSizes(spec, RememberingShape(), group, 1);
    std::map<int, int> existing;
    GroupFields::ForEach([&](const TrajectoryField& field) { existing[field.number] += Exists(field, sizes); });
    for (const auto& [number, count] : existing) EXPECT_LE(count, 1) << number;
  }
}

TEST(TrajectoryFieldsTest, NetworkStatesAreRecordedWhereSequencesStart) {
  wire::Chunk chunk;
  const MutableChunkView view = AllocateChunk(TwoGroupSpec(), RememberingShape(), &chunk);
  // Before steps 0, 3 and 6.
  EXPECT_THAT(chunk.groups(0).network_states().shape(), ElementsAre(3, 2, 3, 5));
  EXPECT_EQ(view.groups[0].network_states.size(), 3 * 2 * 3 * 5);
  EXPECT_TRUE(view.groups[1].network_states.empty());
  EXPECT_FALSE(chunk.groups(1).has_network_states());
  EXPECT_TRUE(ViewChunk(TwoGroupSpec(), RememberingShape(), chunk).ok());
  EXPECT_GE(MaxChunkBytes(TwoGroupSpec(), RememberingShape()),
            MaxChunkBytes(TwoGroupSpec(), {7, 2}) + 3 * 2 * 3 * 5 * sizeof(float));
}

TEST(TrajectoryFieldsTest, NetworkStatesOfANetworkThatRemembersNothingAreRefused) {
  wire::Chunk chunk;
  AllocateChunk(TwoGroupSpec(), RememberingShape(), &chunk);
  const absl::Status status = ViewChunk(TwoGroupSpec(), {7, 2}, chunk).status();
  EXPECT_EQ(std::string(status.message()),
            "groups[0].network_states: came 360 bytes, expected none: the group's network remembers nothing");
  // The message used again for such a run is clean.
  AllocateChunk(TwoGroupSpec(), {7, 2}, &chunk);
  EXPECT_TRUE(ViewChunk(TwoGroupSpec(), {7, 2}, chunk).ok());
  EXPECT_THAT(std::string(ViewChunk(TwoGroupSpec(), RememberingShape(), chunk).status().message()),
              HasSubstr("groups[0].network_states.data_type: came 0"));
}

TEST(TrajectoryFieldsTest, WhatAnAlgorithmDoesNotAskForDoesNotTravel) {
  const ChunkShape all{7, 2};
  ChunkShape without = all;
  without.left_out = OptionalFieldsBut({});
  EXPECT_THAT(without.left_out, ElementsAre("log_probabilities"));
  EXPECT_THAT(OptionalFieldsBut({"log_probabilities"}), IsEmpty());

  wire::Chunk chunk;
  AllocateChunk(TwoGroupSpec(), all, &chunk);
  EXPECT_EQ(std::string(ViewChunk(TwoGroupSpec(), without, chunk).status().message()),
            "groups[0].log_probabilities: came 168 bytes, expected none: the run's algorithm does not ask for them");
  const MutableChunkView view = AllocateChunk(TwoGroupSpec(), without, &chunk);
  EXPECT_TRUE(view.groups[0].log_probabilities.empty());
  EXPECT_FALSE(chunk.groups(1).has_log_probabilities());
  EXPECT_TRUE(ViewChunk(TwoGroupSpec(), without, chunk).ok());
  EXPECT_LT(MaxChunkBytes(TwoGroupSpec(), without), MaxChunkBytes(TwoGroupSpec(), all));
}

TEST(TrajectoryFieldsTest, WhoLivesInLastStatesTravelsForCriticsThatAsk) {
  ChunkShape asking{7, 2};
  asking.asks_who_lives = true;
  wire::Chunk chunk;
  MutableChunkView view = AllocateChunk(TwoGroupSpec(), asking, &chunk);
  AllocateTruncated(TwoGroupSpec(), asking, 4, &chunk, &view);
  EXPECT_EQ(view.groups[0].final_alive.size(), 4 * 3);
  EXPECT_EQ(view.groups[1].final_alive.size(), 4 * 2);
  EXPECT_TRUE(ViewChunk(TwoGroupSpec(), asking, chunk).ok());
  EXPECT_EQ(std::string(ViewChunk(TwoGroupSpec(), {7, 2}, chunk).status().message()),
            "groups[0].final_alive: came 12 bytes, expected none: the run's critics do not ask who lives");
}

TEST(TrajectoryFieldsTest, AShapeIsTheExperimentsAndItsAlgorithms) {
  Experiment experiment = MinimalExperiment();
  FillDefaults(&experiment);
  experiment.mutable_collection()->set_rollout_length(9);
  experiment.mutable_collection()->set_copies_per_shard(4);
  experiment.mutable_collection()->set_half_observations(true);
  const ChunkShape shape = ChunkShapeOf(experiment, {});
  EXPECT_EQ(shape.rollout_length, 9);
  EXPECT_EQ(shape.copies, 4);
  EXPECT_TRUE(shape.half_observations);
  EXPECT_THAT(shape.left_out, IsEmpty()) << "mappo trains on log-probabilities";
  EXPECT_THAT(shape.network_states, IsEmpty());
  EXPECT_FALSE(shape.asks_who_lives);
  experiment.mutable_critic()->set_death_masking(true);
  EXPECT_TRUE(ChunkShapeOf(experiment, {}).asks_who_lives);
  experiment.mutable_critic()->set_death_masking(false);
  experiment.mutable_critic()->set_attention_heads(1);
  EXPECT_TRUE(ChunkShapeOf(experiment, {}).asks_who_lives);
}

}  // namespace
}  // namespace troupe
