#include "common/wire/chunk_layout.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr ChunkShape kShape{.rollout_length = 6, .copies = 2};

template <typename T>
void Count(absl::Span<T> span, int start) {
  for (size_t i = 0; i < span.size(); ++i) span[i] = static_cast<T>(start + i % 100);
}

wire::Chunk FilledChunk(int num_truncated) {
  wire::Chunk chunk;
  MutableChunkView view = AllocateChunk(TwoGroupSpec(), kShape, &chunk);
  AllocateTruncated(TwoGroupSpec(), kShape, num_truncated, &chunk, &view);
  for (auto& group : view.groups) {
    Count(group.observations, 1);
    Count(group.discrete_actions, 2);
    Count(group.continuous_actions, 3);
    Count(group.log_probabilities, 4);
    Count(group.rewards, 5);
    Count(group.action_masks, 6);
    Count(group.alive, 7);
    Count(group.final_observations, 8);
  }
  Count(view.state_extras, 9);
  Count(view.terminated, 10);
  Count(view.truncated, 11);
  Count(view.truncated_at, 12);
  Count(view.final_state_extras, 13);
  return chunk;
}

TEST(ChunkLayoutTest, GivesEveryTensorItsDocumentedSize) {
  wire::Chunk chunk;
  MutableChunkView view = AllocateChunk(TwoGroupSpec(), kShape, &chunk);
  EXPECT_EQ(view.groups[0].observations.size(), 7 * 2 * 3 * 4);
  EXPECT_EQ(view.groups[0].discrete_actions.size(), 6 * 2 * 3);
  EXPECT_TRUE(view.groups[0].continuous_actions.empty());
  EXPECT_EQ(view.groups[0].action_masks.size(), 7 * 2 * 3 * 5);
  EXPECT_EQ(view.groups[0].alive.size(), 7 * 2 * 3);
  EXPECT_EQ(view.groups[0].rewards.size(), 6 * 2 * 3);
  EXPECT_EQ(view.groups[0].log_probabilities.size(), 6 * 2 * 3);
  EXPECT_EQ(view.groups[1].continuous_actions.size(), 6 * 2 * 2 * 2);
  EXPECT_TRUE(view.groups[1].discrete_actions.empty());
  EXPECT_TRUE(view.groups[1].action_masks.empty());
  EXPECT_EQ(view.state_extras.size(), 7 * 2 * 2);
  EXPECT_EQ(view.terminated.size(), 6 * 2);
  EXPECT_EQ(view.truncated.size(), 6 * 2);
  EXPECT_TRUE(view.truncated_at.empty());
  AllocateTruncated(TwoGroupSpec(), kShape, 3, &chunk, &view);
  EXPECT_EQ(view.groups[0].final_observations.size(), 3 * 3 * 4);
  EXPECT_EQ(view.truncated_at.size(), 3 * 2);
  EXPECT_EQ(view.final_state_extras.size(), 3 * 2);
}

TEST(ChunkLayoutTest, ReadsAcrossTheWireWhatWasWritten) {
  for (const int num_truncated : {0, 1, 12}) {
    const std::string bytes = FilledChunk(num_truncated).SerializeAsString();
    wire::Chunk received;
    ASSERT_TRUE(received.ParseFromString(bytes));
    const auto view = ViewChunk(TwoGroupSpec(), kShape, received);
    ASSERT_TRUE(view.ok()) << view.status();
    const auto expect = [](auto span, int start) {
      for (size_t i = 0; i < span.size(); ++i) ASSERT_EQ(static_cast<int>(span[i]), start + i % 100) << start;
    };
    for (const auto& group : view->groups) {
      expect(group.observations, 1);
      expect(group.discrete_actions, 2);
      expect(group.continuous_actions, 3);
      expect(group.log_probabilities, 4);
      expect(group.rewards, 5);
      expect(group.action_masks, 6);
      expect(group.alive, 7);
      expect(group.final_observations, 8);
    }
    expect(view->state_extras, 9);
    expect(view->terminated, 10);
    expect(view->truncated, 11);
    expect(view->truncated_at, 12);
    expect(view->final_state_extras, 13);
    EXPECT_EQ(view->truncated_at.size(), 2 * num_truncated);
  }
}

TEST(ChunkLayoutTest, AMultiDiscreteActionIsAnIndexPerDimensionAndItsMaskAllChoices) {
  wire::Chunk chunk;
  const MutableChunkView written = AllocateChunk(EveryActionKindSpec(), kShape, &chunk);
  EXPECT_EQ(written.groups[2].multi_discrete_actions.size(), 6 * 2 * 1 * 2);
  EXPECT_EQ(written.groups[2].action_masks.size(), 7 * 2 * 1 * 7);
  EXPECT_TRUE(written.groups[2].discrete_actions.empty());
  EXPECT_TRUE(written.groups[2].continuous_actions.empty());
  EXPECT_TRUE(written.groups[0].multi_discrete_actions.empty());
  EXPECT_THAT(chunk.groups(2).actions().shape(), testing::ElementsAre(6, 2, 1, 2));
  EXPECT_EQ(chunk.groups(2).actions().data_type(), wire::INT32);
  Count(written.groups[2].multi_discrete_actions, 2);
  const auto view = ViewChunk(EveryActionKindSpec(), kShape, chunk);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->groups[2].multi_discrete_actions, written.groups[2].multi_discrete_actions);
  chunk.mutable_groups(2)->mutable_actions()->mutable_shape()->RemoveLast();
  EXPECT_THAT(std::string(ViewChunk(EveryActionKindSpec(), kShape, chunk).status().message()),
              HasSubstr("groups[2].actions.shape: came [6, 2, 1], expected [6, 2, 1, 2]"));
}

TEST(ChunkLayoutTest, KeepsMemoryWhenAChunkIsUsedAgain) {
  wire::Chunk chunk = FilledChunk(4);
  chunk.add_episodes();
  const void* const before = chunk.groups(0).observations().data().data();
  const MutableChunkView view = AllocateChunk(TwoGroupSpec(), kShape, &chunk);
  EXPECT_EQ(static_cast<const void*>(view.groups[0].observations.data()), before);
  EXPECT_EQ(chunk.episodes_size(), 0);
  EXPECT_TRUE(view.truncated_at.empty());
  EXPECT_TRUE(ViewChunk(TwoGroupSpec(), kShape, chunk).ok());
}

TEST(ChunkLayoutTest, ReshapesAChunkOfAnotherSpec) {
  EnvironmentSpec other = TwoGroupSpec();
  other.groups = {other.groups[1], other.groups[0], other.groups[0]};
  wire::Chunk chunk;
  AllocateChunk(other, {3, 1}, &chunk);
  AllocateChunk(TwoGroupSpec(), kShape, &chunk);
  const auto view = ViewChunk(TwoGroupSpec(), kShape, chunk);
  EXPECT_TRUE(view.ok()) << view.status();
}

TEST(ChunkLayoutTest, AnEnvironmentWithoutExtrasHasEmptyOnes) {
  EnvironmentSpec spec = TwoGroupSpec();
  spec.state_extras_size = 0;
  wire::Chunk chunk;
  AllocateChunk(spec, kShape, &chunk);
  wire::Chunk received;
  ASSERT_TRUE(received.ParseFromString(chunk.SerializeAsString()));
  const auto view = ViewChunk(spec, kShape, received);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_TRUE(view->state_extras.empty());
}

std::string Refusal(const std::function<void(wire::Chunk&)>& damage) {
  wire::Chunk chunk = FilledChunk(2);
  damage(chunk);
  const absl::Status status = ViewChunk(TwoGroupSpec(), kShape, chunk).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(ViewChunkTest, ChecksTypeShapeAndBytesOfEveryTensorByName) {
  using Pick = std::function<wire::Tensor*(wire::Chunk&)>;
  const std::vector<std::pair<std::string, Pick>> tensors = {
      {"groups[0].observations", [](auto& c) { return c.mutable_groups(0)->mutable_observations(); }},
      {"groups[0].actions", [](auto& c) { return c.mutable_groups(0)->mutable_actions(); }},
      {"groups[1].actions", [](auto& c) { return c.mutable_groups(1)->mutable_actions(); }},
      {"groups[1].log_probabilities", [](auto& c) { return c.mutable_groups(1)->mutable_log_probabilities(); }},
      {"groups[0].rewards", [](auto& c) { return c.mutable_groups(0)->mutable_rewards(); }},
      {"groups[0].action_masks", [](auto& c) { return c.mutable_groups(0)->mutable_action_masks(); }},
      {"groups[1].alive", [](auto& c) { return c.mutable_groups(1)->mutable_alive(); }},
      {"groups[0].final_observations", [](auto& c) { return c.mutable_groups(0)->mutable_final_observations(); }},
      {"state_extras", [](auto& c) { return c.mutable_state_extras(); }},
      {"terminated", [](auto& c) { return c.mutable_terminated(); }},
      {"truncated", [](auto& c) { return c.mutable_truncated(); }},
      {"final_state_extras", [](auto& c) { return c.mutable_final_state_extras(); }},
  };
  for (const auto& [name, pick] : tensors) {
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->Clear(); }), HasSubstr(name + ".data_type: came 0")) << name;
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->set_data_type(static_cast<wire::DataType>(77)); }),
                HasSubstr(name + ".data_type: came 77"));
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->set_shape(0, 4000000000u); }),
                AllOf(HasSubstr(name + ".shape: came [4000000000"), HasSubstr("expected [")));
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->add_shape(1); }), HasSubstr(name + ".shape"));
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->clear_shape(); }), HasSubstr(name + ".shape: came []"));
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->mutable_data()->pop_back(); }), HasSubstr(name + ".data: came "));
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->mutable_data()->append("xxxx"); }), HasSubstr(name + ".data: came "));
    EXPECT_THAT(Refusal([&](auto& c) { pick(c)->clear_data(); }), HasSubstr(name + ".data: came 0 bytes"));
  }
}

TEST(ViewChunkTest, ChecksTheNumberOfTruncatedEpisodes) {
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_truncated_at()->set_shape(0, 13); }),
              AllOf(HasSubstr("truncated_at.shape"), HasSubstr("at most 12")));
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_truncated_at()->set_shape(0, 4294967295u); }),
              HasSubstr("truncated_at.shape"));
  EXPECT_THAT(Refusal([](auto& c) { c.clear_truncated_at(); }), HasSubstr("truncated_at.shape"));
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_truncated_at()->set_shape(1, 3); }), HasSubstr("truncated_at.shape"));
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_truncated_at()->mutable_data()->pop_back(); }),
              HasSubstr("truncated_at.data"));
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_truncated_at()->set_shape(0, 3); }),
              HasSubstr("groups[0].final_observations.shape"));
}

TEST(ViewChunkTest, ChecksTheNumberOfGroupsAndMasksOfContinuousOnes) {
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_groups()->RemoveLast(); }),
              HasSubstr("groups: came 1 groups, expected 2"));
  EXPECT_THAT(Refusal([](auto& c) { c.add_groups(); }), HasSubstr("groups: came 3 groups, expected 2"));
  EXPECT_THAT(Refusal([](auto& c) { c.mutable_groups(1)->mutable_action_masks()->set_data("x"); }),
              HasSubstr("groups[1].action_masks: came 1 bytes, expected none"));
}

TEST(MaxChunkBytesTest, BoundsTheLargestChunkThereCanBe) {
  for (const ChunkShape& shape : {kShape, ChunkShape{1, 1}, ChunkShape{100, 7}}) {
    const int most = shape.rollout_length * shape.copies;
    wire::Chunk chunk;
    MutableChunkView view = AllocateChunk(TwoGroupSpec(), shape, &chunk);
    AllocateTruncated(TwoGroupSpec(), shape, most, &chunk, &view);
    chunk.set_shard(~0u);
    chunk.set_lease_epoch(~0u);
    chunk.set_sequence(~0ull);
    chunk.set_policy_version(~0ull);
    chunk.set_environment_seconds(1.5);
    chunk.set_inference_seconds(1.5);
    for (int i = 0; i < most; ++i) {
      wire::FinishedEpisode& episode = *chunk.add_episodes();
      episode.set_copy(~0u);
      episode.set_step(~0u);
      episode.set_length(~0u);
      for (int g = 0; g < 2; ++g) episode.add_group_returns(1.0f);
      for (int s = 0; s < TwoGroupSpec().num_statistics(); ++s) episode.add_statistics(1.0f);
    }
    EXPECT_LE(chunk.ByteSizeLong(), MaxChunkBytes(TwoGroupSpec(), shape));
    EXPECT_GE(chunk.ByteSizeLong() + 4096 + 64 * most, MaxChunkBytes(TwoGroupSpec(), shape));
  }
}

}  // namespace
}  // namespace troupe
