#include "learner/replay/replay_store.h"

#include <malloc.h>

#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/learner/replay_batches.h"

namespace troupe {
namespace {

using testing::HasSubstr;

constexpr ReplayShare kAll{0, kReplayColumns, kReplayColumns};

void Add(const TrainingBatch& batch, ReplayStore* store) {
  const absl::Status status = store->Add(batch, ReplayStore::Bytes(batch));
  ASSERT_TRUE(status.ok()) << status;
}

TEST(ReplayStoreTest, CountsWhatABatchTakes) {
  // 18 observations and 9 extras of 4 bytes, 12 actions and 12 rewards of 4, 36 masks, 18 alive, 6 + 6 flags, three
  // versions of 8 and three streams of 24 bytes, by hand.
  const int64_t tensors = 4 * (18 + 9 + 12 + 12) + 36 + 18 + 12 + 3 * 8 + 3 * 24;
  const int64_t bytes = ReplayStore::Bytes(ReplayBatch());
  EXPECT_GE(bytes, tensors);
  EXPECT_LE(bytes, tensors + 2048) << "what else a batch is made of";
}

TEST(ReplayStoreTest, TheOldestBatchesMakeRoomForTheNewest) {
  const TrainingBatch batch = ReplayBatch();
  const int64_t one = ReplayStore::Bytes(batch);
  ReplayStore store(3 * one + one / 2);
  for (uint64_t number = 0; number < 10; ++number) {
    Add(ReplayBatch(static_cast<int>(number)), &store);
    EXPECT_LE(store.bytes(), 3 * one + one / 2);
    EXPECT_EQ(store.end(), number + 1);
    EXPECT_EQ(store.end() - store.first(), std::min<uint64_t>(3, number + 1));
  }
  for (uint64_t number = store.first(); number < store.end(); ++number) {
    TrainingBatch state = store.packing().MakeBatch(1, 1);
    store.packing().CopyState(store.packed(number), 0, 0, 0, &state);
    EXPECT_EQ(state.groups[0].observations[0], 100.0f * static_cast<float>(number));
  }
}

// Two hundred times what the bound allows, of batches whose sizes change.
TEST(ReplayStoreTest, TakesNoMoreMemoryHoweverMuchComesIn) {
  const int64_t bound = 200 * ReplayStore::Bytes(ReplayBatch());
  ReplayStore store(bound);
  const auto fill = [&](uint64_t batches) {
    for (uint64_t number = 0; number < batches; ++number) {
      TrainingBatch batch = ReplayBatch(static_cast<int>(number % 7));
      batch.streams[0].shard = static_cast<uint32_t>(number % 5);  // pieces that continue others, and that do not
      batch.streams[0].sequence = number;
      for (uint64_t cut = 0; cut < number % 4; ++cut) {
        batch.truncated_at.insert(batch.truncated_at.end(), {0, 1});
        batch.final_state_extras.push_back(1);
        batch.groups[0].final_observations.insert(batch.groups[0].final_observations.end(), {1, 1});
      }
      Add(batch, &store);
      ASSERT_LE(store.bytes(), bound);
    }
  };
  fill(1000);
  const size_t before = mallinfo2().uordblks;
  fill(40000);
  const size_t after = mallinfo2().uordblks;
  EXPECT_GE(store.bytes(), bound * 95 / 100);
  EXPECT_LE(after, before + static_cast<size_t>(bound) / 20);
}

TEST(ReplayStoreTest, ABatchLargerThanTheBoundIsRefusedAndChangesNothing) {
  const TrainingBatch batch = ReplayBatch();
  ReplayStore store(ReplayStore::Bytes(batch));
  Add(batch, &store);
  const absl::Status status = store.Add(batch, ReplayStore::Bytes(batch) + 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store.end(), 1u);
  EXPECT_EQ(store.first(), 0u);
}

TEST(ReplayStoreTest, ABatchOfAnotherShapeOrWithoutStreamsIsRefused) {
  ReplayStore store(1 << 20);
  Add(ReplayBatch(), &store);
  TrainingBatch batch = ReplayBatch();
  batch.streams.pop_back();
  EXPECT_EQ(std::string(store.Add(batch, 1).message()), "batch.streams: 2 elements, expected 3");
  batch = ReplayBatch();
  batch.rollout_length = 1;
  EXPECT_THAT(std::string(store.Add(batch, 1).message()), HasSubstr("1 steps of 3 columns, expected 2 of 3"));
  batch = ReplayBatch();
  batch.groups[0].observations.resize(2 * batch.groups[0].observations.size());
  EXPECT_THAT(std::string(store.Add(batch, 1).message()), HasSubstr("tensors of other widths"));
  EXPECT_EQ(store.end(), 1u);
}

// Of a chi-square distribution with 4 · 2 · 3 − 1 = 23 degrees of freedom a part of 0.001 lies above 49.73 and one of
// 0.001 below 7.53 (scipy.stats.chi2.ppf).
TEST(ReplayStoreTest, DrawsEveryStepEquallyOften) {
  ReplayStore store(1 << 20);
  for (int i = 0; i < 4; ++i) Add(ReplayBatch(), &store);
  constexpr int kCells = 4 * kReplaySteps * kReplayColumns, kDraws = 100, kKeys = 240;
  std::map<std::vector<int>, int> counts;
  for (uint64_t key = 0; key < kKeys; ++key) {
    for (const ReplayPlace& place : store.Draw(key, kDraws, kAll)) {
      ++counts[{static_cast<int>(place.batch), place.step, place.column}];
    }
  }
  EXPECT_EQ(counts.size(), static_cast<size_t>(kCells));
  const double expected = 1.0 * kKeys * kDraws / kCells;
  double chi_square = 0;
  for (const auto& [place, count] : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 49.73);
  EXPECT_GT(chi_square, 7.53) << "as even as chance never is";
}

TEST(ReplayStoreTest, TheKeyDecidesWhatIsDrawnAndSharesPartIt) {
  ReplayStore store(1 << 20);
  for (int i = 0; i < 4; ++i) Add(ReplayBatch(), &store);
  const std::vector<ReplayPlace> all = store.Draw(7, 50, kAll);
  EXPECT_EQ(all, store.Draw(7, 50, kAll));
  EXPECT_NE(all, store.Draw(8, 50, kAll));
  // Two learners, of columns 0 and 1 … 2: each finds its own columns' draws, in the order of all.
  std::vector<ReplayPlace> first, second;
  for (const ReplayPlace& place : all) {
    if (place.column == 0) first.push_back(place);
    if (place.column > 0) second.push_back({place.batch, place.step, place.column - 1});
  }
  EXPECT_EQ(store.Draw(7, 50, {0, 1, 3}), first);
  EXPECT_EQ(store.Draw(7, 50, {1, 2, 3}), second);
}

TEST(ReplayStoreTest, AStepIsFollowedIntoThePieceThatContinuesIts) {
  ReplayStore store(1 << 20);
  const TrainingBatch before = ReplayBatch();
  TrainingBatch after = NextReplayBatch(before, 1);
  // As in ASYNCHRONOUS batches: another order of columns.
  std::swap(after.streams[0], after.streams[2]);
  Add(before, &store);
  EXPECT_EQ(store.Following({0, 0, 1}), (ReplayPlace{0, 1, 1}));
  EXPECT_EQ(store.Following({0, 1, 1}), std::nullopt) << "not here yet";
  Add(after, &store);
  EXPECT_EQ(store.Following({0, 1, 1}), (ReplayPlace{1, 0, 1}));
  EXPECT_EQ(store.Following({0, 1, 0}), (ReplayPlace{1, 0, 2}));
  EXPECT_EQ(store.Following({0, 1, 2}), (ReplayPlace{1, 0, 0}));
}

TEST(ReplayStoreTest, NothingFollowsOverALeaseOrALostPieceOrAnEpisodesEnd) {
  ReplayStore store(1 << 20);
  TrainingBatch before = ReplayBatch();
  before.terminated[1 * kReplayColumns + 2] = 1;
  TrainingBatch after = NextReplayBatch(before, 1);
  after.streams[0] = {.shard = 0, .copy = 0, .lease_epoch = 2, .sequence = 0};  // leased again
  after.streams[1].sequence = 2;                                                // piece 1 was lost
  Add(before, &store);
  Add(after, &store);
  for (int column = 0; column < kReplayColumns; ++column) {
    EXPECT_EQ(store.Following({0, 1, column}), std::nullopt) << column;
  }
}

TEST(ReplayStoreTest, APieceMayBeContinuedBatchesLater) {
  ReplayStore store(1 << 20);
  const TrainingBatch before = ReplayBatch();
  TrainingBatch others = ReplayBatch();
  for (ColumnStream& stream : others.streams) stream.shard = 1;
  Add(before, &store);
  Add(others, &store);
  Add(NextReplayBatch(before, 1), &store);
  EXPECT_EQ(store.Following({0, 1, 0}), (ReplayPlace{2, 0, 0}));
}

TEST(ReplayStoreTest, APieceWhoseEarlierOneMadeRoomIsKeptLikeAnyOther) {
  const TrainingBatch first = ReplayBatch();
  ReplayStore store(ReplayStore::Bytes(first));
  Add(first, &store);
  Add(NextReplayBatch(first, 1), &store);
  EXPECT_EQ(store.first(), 1u);
  EXPECT_EQ(store.Following({1, 0, 0}), (ReplayPlace{1, 1, 0}));
  EXPECT_EQ(store.Following({1, 1, 0}), std::nullopt);
}

}  // namespace
}  // namespace troupe
