#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/batch_assembler.h"
#include "tests/support/chunk_in_pieces.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using troupe::testing::MakeChunk;
using troupe::testing::TwoGroupSpec;

constexpr ChunkShape kShape{4, 3};
constexpr int kShards = 3;

class BatchAssemblerTest : public ::testing::Test {
 protected:
  static std::vector<wire::Chunk> Chunks(uint64_t seed) {
    std::vector<wire::Chunk> chunks;
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      chunks.push_back(MakeChunk(TwoGroupSpec(), kShape, {shard, 1, 0, seed}, seed * 100 + shard));
    }
    return chunks;
  }
  static void Fill(BatchAssembler& assembler, const BatchAssembler::Slot& slot, const wire::Chunk& chunk) {
    EpisodeSummary episode;
    episode.length = 1000 + chunk.shard();
    const testing::ChunkInPieces received(chunk, /*piece_bytes=*/23);
    assembler.Fill(slot, *ViewChunk(TwoGroupSpec(), kShape, received.get()), chunk, {episode});
  }
  static void FillUpdate(BatchAssembler& assembler, uint64_t update, const std::vector<wire::Chunk>& chunks,
                         std::vector<int> order) {
    for (const int shard : order) {
      const auto slot = assembler.Reserve(update, shard);
      ASSERT_TRUE(slot.has_value());
      Fill(assembler, *slot, chunks[shard]);
    }
  }
  // Column `block·E + copy` of every tensor equals the chunk's copy.
  static void ExpectColumns(const TrainingBatch& batch, int block, const wire::Chunk& chunk) {
    const EnvironmentSpec spec = TwoGroupSpec();
    const ChunkView view = *ViewChunk(spec, kShape, chunk);
    const auto expect_rows = [&](const auto& to, auto from, int rows) {
      ASSERT_EQ(to.size(), from.size() * kShards);
      const size_t columns = from.size() / rows;
      for (int row = 0; row < rows; ++row) {
        for (size_t i = 0; i < columns; ++i) {
          ASSERT_EQ(to[(row * kShards + block) * columns + i], from[row * columns + i]) << row << " " << i;
        }
      }
    };
    const int T = kShape.rollout_length;
    for (size_t g = 0; g < spec.groups.size(); ++g) {
      const auto& group = batch.groups[g];
      expect_rows(group.observations, view.groups[g].observations, T + 1);
      expect_rows(group.discrete_actions, view.groups[g].discrete_actions, T);
      expect_rows(group.continuous_actions, view.groups[g].continuous_actions, T);
      expect_rows(group.log_probabilities, view.groups[g].log_probabilities, T);
      expect_rows(group.rewards, view.groups[g].rewards, T);
      expect_rows(group.action_masks, view.groups[g].action_masks, T + 1);
      expect_rows(group.alive, view.groups[g].alive, T + 1);
      const auto& final_observations = view.groups[g].final_observations;
      ASSERT_EQ(group.final_observations.size(), final_observations.size() * kShards);
      EXPECT_TRUE(std::equal(final_observations.begin(), final_observations.end(),
                             group.final_observations.begin() + block * final_observations.size()));
    }
    expect_rows(batch.state_extras, view.state_extras, T + 1);
    expect_rows(batch.terminated, view.terminated, T);
    expect_rows(batch.truncated, view.truncated, T);
    EXPECT_EQ(batch.truncated_at[2 * block], T - 1);
    EXPECT_EQ(batch.truncated_at[2 * block + 1], block * kShape.copies + 1);
  }
};

TEST_F(BatchAssemblerTest, OrderedBatchesDoNotDependOnTheOrderOfArrival) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 5);
  const auto chunks = Chunks(7);
  FillUpdate(assembler, 5, chunks, {2, 0, 1});
  const auto batch = assembler.Next(absl::ZeroDuration());
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->update, 5);
  EXPECT_EQ(batch->batch->columns, 9);
  EXPECT_EQ(batch->mean_policy_lag, -2.0);
  for (int shard = 0; shard < kShards; ++shard) ExpectColumns(*batch->batch, shard, chunks[shard]);
  EXPECT_EQ(batch->batch->policy_versions, std::vector<uint64_t>(9, 7));
  const auto episodes = assembler.TakeFinishedEpisodes();
  ASSERT_THAT(episodes, SizeIs(3));
  EXPECT_EQ(episodes[0].length, 1000);
  EXPECT_EQ(episodes[2].length, 1002);
}

TEST_F(BatchAssemblerTest, UnorderedBatchesTakeChunksAsTheyCome) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, false, 0);
  const auto chunks = Chunks(0);
  for (const int shard : {1, 1, 2}) Fill(assembler, *assembler.ReserveNext(), chunks[shard]);
  const auto batch = assembler.Next(absl::ZeroDuration());
  ASSERT_TRUE(batch.ok());
  ExpectColumns(*batch->batch, 0, chunks[1]);
  ExpectColumns(*batch->batch, 1, chunks[1]);
  ExpectColumns(*batch->batch, 2, chunks[2]);
}

ColumnStream Piece(uint32_t shard, uint32_t copy, uint32_t epoch, uint64_t sequence) {
  return {.shard = shard, .copy = copy, .lease_epoch = epoch, .sequence = sequence};
}

TEST_F(BatchAssemblerTest, ColumnsSayWhichStreamTheyContinue) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 0);
  // Shard 1 goes on; the other two have been leased again.
  const std::vector<std::vector<testing::ChunkIdentity>> updates = {{{0, 1, 4, 0}, {1, 7, 0, 0}, {2, 3, 9, 0}},
                                                                    {{0, 2, 0, 1}, {1, 7, 1, 1}, {2, 4, 0, 1}}};
  std::vector<std::vector<ColumnStream>> streams;
  for (uint64_t update = 0; update < updates.size(); ++update) {
    std::vector<wire::Chunk> chunks;
    for (const auto& identity : updates[update]) {
      chunks.push_back(MakeChunk(TwoGroupSpec(), kShape, identity, /*seed=*/1));
    }
    FillUpdate(assembler, update, chunks, {1, 2, 0});
    streams.push_back(assembler.Next(absl::ZeroDuration())->batch->streams);
    assembler.Release(update);
  }
  EXPECT_THAT(streams[0],
              ElementsAre(Piece(0, 0, 1, 4), Piece(0, 1, 1, 4), Piece(0, 2, 1, 4), Piece(1, 0, 7, 0), Piece(1, 1, 7, 0),
                          Piece(1, 2, 7, 0), Piece(2, 0, 3, 9), Piece(2, 1, 3, 9), Piece(2, 2, 3, 9)));
  for (int column = 0; column < 9; ++column) {
    const bool goes_on = column / 3 == 1;
    EXPECT_EQ(streams[1][column].Continues(streams[0][column]), goes_on) << column;
    EXPECT_EQ(streams[1][column].begins(), !goes_on) << column;
  }
  EXPECT_FALSE(streams[1][4].Continues(streams[0][3])) << "another copy";
}

TEST_F(BatchAssemblerTest, UnorderedColumnsFindTheirStreamsToo) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, false, 0);
  // Two chunks of a quick shard in one batch; one of the slow shard was too old and is missing.
  for (const testing::ChunkIdentity& identity :
       {testing::ChunkIdentity{2, 1, 0}, {2, 1, 1}, {0, 1, 5}, {0, 1, 7}, {2, 1, 2}, {1, 2, 0}}) {
    Fill(assembler, *assembler.ReserveNext(), MakeChunk(TwoGroupSpec(), kShape, identity, /*seed=*/1));
  }
  const std::vector<ColumnStream> first = assembler.Next(absl::ZeroDuration())->batch->streams;
  const std::vector<ColumnStream> second = assembler.Next(absl::ZeroDuration())->batch->streams;
  EXPECT_TRUE(first[0].begins());
  EXPECT_TRUE(first[3].Continues(first[0])) << "within one batch";
  EXPECT_FALSE(second[0].Continues(first[6])) << "a piece is missing";
  EXPECT_FALSE(second[0].begins());
  EXPECT_TRUE(second[4].Continues(first[4])) << "column 4 of both: shard 2, copy 1";
  EXPECT_TRUE(second[6].begins());
}

TEST_F(BatchAssemblerTest, TheNextBatchCanBeLookedAtWhileTheOneBeforeIsTrainedOn) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 0);
  EXPECT_EQ(assembler.Peek(absl::ZeroDuration()), nullptr);
  FillUpdate(assembler, 0, Chunks(0), {0, 1, 2});
  const auto trained = assembler.Next(absl::ZeroDuration());
  ASSERT_TRUE(trained.ok());
  const auto chunks = Chunks(1);
  FillUpdate(assembler, 1, chunks, {0, 2});
  EXPECT_EQ(assembler.Peek(absl::ZeroDuration()), nullptr);
  FillUpdate(assembler, 1, chunks, {1});
  assembler.TakeFinishedEpisodes();
  const TrainingBatch* const next = assembler.Peek(absl::ZeroDuration());
  ASSERT_NE(next, nullptr);
  for (int shard = 0; shard < kShards; ++shard) ExpectColumns(*next, shard, chunks[shard]);
  EXPECT_EQ(assembler.Peek(absl::ZeroDuration()), next);
  EXPECT_THAT(assembler.TakeFinishedEpisodes(), SizeIs(0)) << "they come with the batch";
  EXPECT_EQ(assembler.batches_ready(), 1);
  assembler.Release(0);
  const auto given = assembler.Next(absl::ZeroDuration());
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->batch, next);
  for (int shard = 0; shard < kShards; ++shard) ExpectColumns(*next, shard, chunks[shard]);
  EXPECT_THAT(assembler.TakeFinishedEpisodes(), SizeIs(3));
  assembler.Close();
  EXPECT_EQ(assembler.Peek(absl::ZeroDuration()), nullptr);
}

TEST_F(BatchAssemblerTest, HoldsTwoBatchesAndNoMore) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 0);
  FillUpdate(assembler, 0, Chunks(0), {0, 1, 2});
  FillUpdate(assembler, 1, Chunks(1), {0, 1, 2});
  EXPECT_EQ(assembler.batches_ready(), 2);
  EXPECT_FALSE(assembler.Reserve(2, 0).has_value());
  EXPECT_FALSE(assembler.Reserve(1, 0).has_value()) << "a place is given once";
  ASSERT_TRUE(assembler.Next(absl::ZeroDuration()).ok());
  EXPECT_FALSE(assembler.Reserve(2, 0).has_value()) << "being trained on";
  assembler.Release(0);
  const auto chunks = Chunks(2);
  FillUpdate(assembler, 2, chunks, {1, 0, 2});
  EXPECT_EQ(assembler.Next(absl::ZeroDuration())->update, 1);
  assembler.Release(1);
  const auto batch = assembler.Next(absl::ZeroDuration());
  ASSERT_EQ(batch->update, 2);
  EXPECT_THAT(batch->batch->truncated_at, SizeIs(6)) << "nothing of the batch before is left";
  for (int shard = 0; shard < kShards; ++shard) ExpectColumns(*batch->batch, shard, chunks[shard]);
}

TEST_F(BatchAssemblerTest, UnorderedSaysWhichUpdateItFills) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, 1, false, 3);
  const auto chunks = Chunks(0);
  EXPECT_EQ(assembler.filling_update(), 3);
  Fill(assembler, *assembler.ReserveNext(), chunks[0]);
  EXPECT_EQ(assembler.filling_update(), 4);
  Fill(assembler, *assembler.ReserveNext(), chunks[1]);
  EXPECT_EQ(assembler.filling_update(), std::nullopt);
  EXPECT_FALSE(assembler.ReserveNext().has_value());
  ASSERT_TRUE(assembler.Next(absl::ZeroDuration()).ok());
  EXPECT_EQ(assembler.filling_update(), std::nullopt);
  assembler.Release(3);
  EXPECT_EQ(assembler.filling_update(), 5);
}

TEST_F(BatchAssemblerTest, NextWaitsForTheLastPlaceToBeFilledNotReserved) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 0);
  const auto chunks = Chunks(0);
  FillUpdate(assembler, 0, chunks, {0, 1});
  const auto last = assembler.Reserve(0, 2);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(assembler.Next(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
  std::thread filler([&] { Fill(assembler, *last, chunks[2]); });
  EXPECT_TRUE(assembler.Next(absl::Seconds(20)).ok());
  filler.join();
}

TEST_F(BatchAssemblerTest, CloseWakesNextAndRefusesPlaces) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 0);
  std::thread closer([&] { assembler.Close(); });
  EXPECT_EQ(assembler.Next(absl::Seconds(20)).status().code(), absl::StatusCode::kCancelled);
  closer.join();
  EXPECT_FALSE(assembler.Reserve(0, 0).has_value());
}

TEST_F(BatchAssemblerTest, BlocksAreFilledByManyThreadsAtOnce) {
  BatchAssembler assembler(TwoGroupSpec(), kShape, kShards, true, 0);
  for (uint64_t update = 0; update < 20; ++update) {
    const auto chunks = Chunks(update);
    std::vector<std::thread> threads;
    for (int shard = 0; shard < kShards; ++shard) {
      threads.emplace_back([&, shard] { Fill(assembler, *assembler.Reserve(update, shard), chunks[shard]); });
    }
    const auto batch = assembler.Next(absl::Seconds(20));
    ASSERT_TRUE(batch.ok());
    for (int shard = 0; shard < kShards; ++shard) ExpectColumns(*batch->batch, shard, chunks[shard]);
    assembler.Release(update);
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(assembler.batches_released(), 20);
}

}  // namespace
}  // namespace troupe
