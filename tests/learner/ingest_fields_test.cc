// That a row of the table of common/wire/trajectory_fields.h is all a tensor needs on its way: a table made up here,
// and the states of networks that remember.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "common/wire/message_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/chunk_admission.h"
#include "learner/ingest/chunk_copy.h"
#include "learner/ingest/field_copy.h"
#include "learner/ingest/field_values.h"
#include "tests/support/chunk_in_pieces.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

using ::testing::StartsWith;
using troupe::testing::ChunkInPieces;
using troupe::testing::MakeChunk;
using troupe::testing::TwoGroupSpec;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Tensors that no trajectory has, in the message's fields alive, rewards and network_states.
struct MadeUpFields {
  template <typename Visit, typename... Tensors>
  static constexpr void ForEach(const Visit& visit, Tensors&... of) {
    using enum FieldRows;
    using enum FieldCheck;
    visit(PerAgent("asleep", 6, kObserved, kSingle, kFlag), of.asleep...);
    visit(Joint("clock", 4, kSteps, &FieldSizes::place_size, kTogether).Called("time"), of.clock...);
    visit(PerAgent("mood", 8, kSequenceStarts, &FieldSizes::action_size, kFinite).Only(kDiscrete), of.mood...);
  }
};

template <typename Floats, typename Ints, typename Bytes, typename Large = Floats>
struct MadeUpTensors {
  using Fields = MadeUpFields;
  Bytes asleep;  // [T+1, E, A]
  Ints clock;    // [T, E, 2]
  Large mood;    // [⌈T / L⌉, E, A, N]
};

constexpr FieldSizes kSizes{
    .steps = 5, .copies = 2, .agents = 3, .action_size = 4, .sequence_length = 2, .discrete = true};
constexpr int kBlocks = 3, kBlock = 1;

// What the learner makes of a made-up chunk on its way through the network.
struct MadeUpJourney {
  absl::Status status;
  MadeUpTensors<std::vector<float>, std::vector<int32_t>, std::vector<uint8_t>> batch;

  explicit MadeUpJourney(const wire::Chunk& chunk) {
    const ChunkInPieces received(chunk, /*piece_bytes=*/7);
    const auto& beside = received.get().groups[0];
    const MadeUpTensors<InMessage, InMessage, InMessage, TensorPieces> where{.mood = beside.network_states};
    MadeUpTensors<ConstSpan<float>, ConstSpan<int32_t>, ConstSpan<uint8_t>, ScatteredFloats> view;
    status = ViewTensors("made_up.", kSizes, received.get().chunk.groups(0), where, &view);
    if (status.ok()) status = CheckFieldValues("made_up.", kSizes, view);
    if (!status.ok()) return;
    FieldSizes all = kSizes;
    all.copies *= kBlocks;
    AllocateColumns(all, &batch);
    CopyColumns(kSizes, view, kBlock, &batch);
  }
};

wire::Chunk MadeUpChunk() {
  wire::Chunk chunk;
  MadeUpTensors<absl::Span<float>, absl::Span<int32_t>, absl::Span<uint8_t>> view;
  AllocateTensors(kSizes, chunk.add_groups(), &view, [](const TrajectoryField&) { return true; });
  EXPECT_EQ(view.asleep.size(), 6 * 2 * 3);
  EXPECT_EQ(view.clock.size(), 5 * 2 * 2);
  EXPECT_EQ(view.mood.size(), 3 * 2 * 3 * 4);
  for (size_t i = 0; i < view.asleep.size(); ++i) view.asleep[i] = i % 5 == 0;
  for (size_t i = 0; i < view.clock.size(); ++i) view.clock[i] = static_cast<int32_t>(1000 + i);
  for (size_t i = 0; i < view.mood.size(); ++i) view.mood[i] = 0.5f * static_cast<float>(i);
  return chunk;
}

TEST(MadeUpFieldTest, TravelsByItsRowAlone) {
  const MadeUpJourney journey(MadeUpChunk());
  ASSERT_TRUE(journey.status.ok()) << journey.status;
  ASSERT_EQ(journey.batch.asleep.size(), 6 * 6 * 3);
  ASSERT_EQ(journey.batch.clock.size(), 5 * 6 * 2);
  ASSERT_EQ(journey.batch.mood.size(), 3 * 6 * 3 * 4);
  // Row r's two copies are columns 2 and 3 of six.
  const auto expect_rows = [](const auto& batch, int rows, const auto& value_of) {
    const size_t row_size = batch.size() / rows, chunk_row = row_size / kBlocks;
    for (size_t i = 0; i < batch.size(); ++i) {
      const size_t row = i / row_size, place = i % row_size;
      const bool own = place / chunk_row == kBlock;
      ASSERT_EQ(batch[i], own ? value_of(row * chunk_row + place % chunk_row) : 0) << i;
    }
  };
  expect_rows(journey.batch.asleep, 6, [](size_t i) { return static_cast<uint8_t>(i % 5 == 0); });
  expect_rows(journey.batch.clock, 5, [](size_t i) { return static_cast<int32_t>(1000 + i); });
  expect_rows(journey.batch.mood, 3, [](size_t i) { return 0.5f * static_cast<float>(i); });
}

TEST(MadeUpFieldTest, IsRefusedByNameWhenItIsNotWhatItsRowSays) {
  wire::Chunk chunk = MadeUpChunk();
  reinterpret_cast<float*>(chunk.mutable_groups(0)->mutable_network_states()->mutable_data()->data())[42] = kNan;
  EXPECT_EQ(std::string(MadeUpJourney(chunk).status.message()),
            "made_up.mood[1, 1, 1, 2]: came nan, expected a finite number");
  chunk = MadeUpChunk();
  chunk.mutable_groups(0)->mutable_alive()->mutable_data()->at(8) = 2;
  EXPECT_EQ(std::string(MadeUpJourney(chunk).status.message()), "made_up.asleep[1, 0, 2]: came 2, expected 0 or 1");
  chunk = MadeUpChunk();
  chunk.mutable_groups(0)->mutable_rewards()->set_shape(0, 6);
  EXPECT_EQ(std::string(MadeUpJourney(chunk).status.message()),
            "made_up.time.shape: came [6, 2, 2], expected [5, 2, 2]");
}

// The walkers remember five numbers, recorded before steps 0 and 3 of four.
const ChunkShape& RememberingShape() {
  static const auto& shape = *new ChunkShape{.rollout_length = 4, .copies = 3, .network_states = {{5, 3}, {}}};
  return shape;
}

TEST(NetworkStatesTest, TravelIntoTheBatchesColumns) {
  const wire::Chunk chunk = MakeChunk(TwoGroupSpec(), RememberingShape(), {}, /*seed=*/3);
  const ChunkInPieces received(chunk, /*piece_bytes=*/11);
  const auto view = CheckChunk(TwoGroupSpec(), RememberingShape(), received.get());
  ASSERT_TRUE(view.ok()) << view.status();
  TrainingBatch batch;
  AllocateBatch(TwoGroupSpec(), RememberingShape(), /*num_chunks=*/2, &batch);
  CopyColumns(TwoGroupSpec(), RememberingShape(), *view, /*block=*/1, &batch);
  ASSERT_EQ(batch.groups[0].network_states.size(), 2 * 6 * 2 * 5);
  EXPECT_TRUE(batch.groups[1].network_states.empty());
  const auto sent = ViewChunk(TwoGroupSpec(), RememberingShape(), chunk);
  const size_t row = 3 * 2 * 5;  // of the chunk
  for (size_t i = 0; i < 2; ++i) {
    const auto from = sent->groups[0].network_states.subspan(i * row, row);
    EXPECT_NE(from[0], 0.0f);
    EXPECT_TRUE(std::equal(from.begin(), from.end(), batch.groups[0].network_states.begin() + (2 * i + 1) * row));
  }
}

TEST(NetworkStatesTest, HowLongSequencesAreDoesNotMatterWhereNothingIsRemembered) {
  const ChunkShape shape{.rollout_length = 4, .copies = 3, .network_states = {{0, 0}, {0, 0}}};
  const wire::Chunk chunk = MakeChunk(TwoGroupSpec(), shape, {}, /*seed=*/3);
  const ChunkInPieces received(chunk, /*piece_bytes=*/200);
  const auto view = CheckChunk(TwoGroupSpec(), shape, received.get());
  ASSERT_TRUE(view.ok()) << view.status();
  TrainingBatch batch;
  AllocateBatch(TwoGroupSpec(), shape, /*num_chunks=*/1, &batch);
  CopyColumns(TwoGroupSpec(), shape, *view, /*block=*/0, &batch);
  EXPECT_TRUE(batch.groups[0].network_states.empty());
  EXPECT_EQ(batch.groups[0].rewards.back(), view->groups[0].rewards.back());
}

TEST(NetworkStatesTest, MustBeFinite) {
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), RememberingShape(), {}, /*seed=*/3);
  reinterpret_cast<float*>(chunk.mutable_groups(0)->mutable_network_states()->mutable_data()->data())[33] = kNan;
  const ChunkInPieces received(chunk, /*piece_bytes=*/11);
  EXPECT_THAT(std::string(CheckChunk(TwoGroupSpec(), RememberingShape(), received.get()).status().message()),
              StartsWith("groups[0].network_states[1, 0, 0, 3]: came nan"));
}

TEST(FinalAliveTest, TravelsIntoTheBatchAndIsAFlag) {
  const ChunkShape shape{.rollout_length = 4, .copies = 3, .asks_who_lives = true};
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), shape, {}, /*seed=*/3);
  std::string& bytes = *chunk.mutable_groups(0)->mutable_final_alive()->mutable_data();
  ASSERT_EQ(bytes.size(), 2) << "one episode is cut";
  bytes[1] = 0;
  TrainingBatch batch;
  AllocateBatch(TwoGroupSpec(), shape, /*num_chunks=*/1, &batch);
  {
    const ChunkInPieces received(chunk, /*piece_bytes=*/11);
    const auto view = CheckChunk(TwoGroupSpec(), shape, received.get());
    ASSERT_TRUE(view.ok()) << view.status();
    TruncatedEpisodes truncated;
    CopyTruncated(*view, shape, /*block=*/0, &truncated);
    AppendTruncated(truncated, &batch);
  }
  EXPECT_EQ(batch.groups[0].final_alive, (std::vector<uint8_t>{1, 0}));
  bytes[0] = 2;
  const ChunkInPieces bad(chunk, /*piece_bytes=*/11);
  EXPECT_EQ(std::string(CheckChunk(TwoGroupSpec(), shape, bad.get()).status().message()),
            "groups[0].final_alive[0, 0]: came 2, expected 0 or 1");
}

TEST(OptionalFieldsTest, AChunkWithoutLogProbabilitiesIsCheckedAndCopiedLikeAnyOther) {
  ChunkShape shape{.rollout_length = 4, .copies = 3};
  shape.left_out = OptionalFieldsBut({});
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), shape, {}, /*seed=*/3);
  TrainingBatch batch;
  AllocateBatch(TwoGroupSpec(), shape, /*num_chunks=*/1, &batch);
  EXPECT_TRUE(batch.groups[0].log_probabilities.empty());
  {
    const ChunkInPieces received(chunk, /*piece_bytes=*/50);
    const auto view = CheckChunk(TwoGroupSpec(), shape, received.get());
    ASSERT_TRUE(view.ok()) << view.status();
    CopyColumns(TwoGroupSpec(), shape, *view, /*block=*/0, &batch);
    EXPECT_EQ(batch.groups[0].discrete_actions[5], view->groups[0].discrete_actions[5]);
  }
  reinterpret_cast<int32_t*>(chunk.mutable_groups(0)->mutable_actions()->mutable_data()->data())[1] = 4;
  const ChunkInPieces bad(chunk, /*piece_bytes=*/50);
  EXPECT_THAT(std::string(CheckChunk(TwoGroupSpec(), shape, bad.get()).status().message()),
              StartsWith("groups[0].actions[0, 0, 1]: came 4, expected [0, 4)"));
}

}  // namespace
}  // namespace troupe
