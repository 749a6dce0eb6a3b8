// Priorities of two batches of two steps in three columns, by hand.
#include "learner/replay/replay_priorities.h"

#include <cmath>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/learner/replay_batches.h"
#include "tests/support/thread_ranks.h"

namespace troupe {
namespace {

using testing::ElementsAre;

constexpr ReplayShare kAll{0, kReplayColumns, kReplayColumns};
// The priorities that the errors below come to: 1, 2, 3 at step 0 of the columns, 4, 5, 5 at step 1; 20 in all.
constexpr int kPriorities[kReplaySteps][kReplayColumns] = {{1, 2, 3}, {4, 5, 5}};

ReplayPriorities Make(double exponent, int64_t most_batches = 4, int columns = kReplayColumns) {
  return ReplayPriorities({.exponent = exponent, .offset = 1}, most_batches, kReplaySteps, columns);
}

// With an offset of 1; columns from `first` on.
void SetErrors(int first, int columns, ReplayPriorities* priorities) {
  for (int step = 0; step < kReplaySteps; ++step) {
    for (int column = 0; column < columns; ++column) {
      // Errors count by their size.
      const int sign = (step + column) % 2 == 0 ? 1 : -1;
      priorities->Set({0, step, column}, sign * (kPriorities[step][first + column] - 1));
    }
  }
}

// Twenty draws, one in each twentieth of the sum: every place comes as often as its priority is large, exactly.
TEST(ReplayPrioritiesTest, DrawsInProportion) {
  SingleRank alone;
  ReplayPriorities priorities = Make(1);
  priorities.Add(0, 0, &alone);
  SetErrors(0, kReplayColumns, &priorities);
  for (uint64_t key = 0; key < 50; ++key) {
    std::map<std::pair<int, int>, int> counts;
    for (const ReplayPlace& place : priorities.Draw(key, 20, 0.4, kAll, &alone).places) {
      EXPECT_EQ(place.batch, 0u);
      ++counts[{place.step, place.column}];
    }
    for (int step = 0; step < kReplaySteps; ++step) {
      for (int column = 0; column < kReplayColumns; ++column) {
        EXPECT_EQ((counts[{step, column}]), kPriorities[step][column]) << key;
      }
    }
  }
}

// (N · P)^−β over the largest of them: with N = 6, P = p / 20 and β = 1/2 that is p^−1/2, for 1 is drawn.
TEST(ReplayPrioritiesTest, WeightsMakeUpForWhatIsDrawnMoreOften) {
  SingleRank alone;
  ReplayPriorities priorities = Make(1);
  priorities.Add(0, 0, &alone);
  SetErrors(0, kReplayColumns, &priorities);
  const ReplayPriorities::Draws draws = priorities.Draw(3, 20, 0.5, kAll, &alone);
  ASSERT_EQ(draws.weights.size(), 20u);
  for (size_t i = 0; i < 20; ++i) {
    const int priority = kPriorities[draws.places[i].step][draws.places[i].column];
    EXPECT_FLOAT_EQ(draws.weights[i], std::pow(6 * priority / 20.0, -0.5) / std::pow(6 * 1 / 20.0, -0.5));
  }
  for (const float weight : priorities.Draw(3, 20, 0, kAll, &alone).weights) EXPECT_EQ(weight, 1);
}

TEST(ReplayPrioritiesTest, TheExponentFlattensThem) {
  SingleRank alone;
  ReplayPriorities priorities = Make(0.5);
  priorities.Add(0, 0, &alone);
  for (int step = 0; step < kReplaySteps; ++step) {
    for (int column = 0; column < kReplayColumns; ++column) priorities.Set({0, step, column}, 0);
  }
  priorities.Set({0, 1, 2}, 24);  // √25 of 5 + 5 · √1
  int often = 0;
  for (const ReplayPlace& place : priorities.Draw(1, 10, 0.4, kAll, &alone).places) {
    often += place == ReplayPlace{0, 1, 2} ? 1 : 0;
  }
  EXPECT_EQ(often, 5);
}

TEST(ReplayPrioritiesTest, WhatIsNewCountsAsTheLargestSoFar) {
  SingleRank alone;
  ReplayPriorities priorities = Make(1);
  priorities.Add(0, 0, &alone);
  EXPECT_EQ(priorities.largest(), 1);
  EXPECT_THAT(priorities.Save(0), ElementsAre(1, 1, 1, 1, 1, 1));
  SetErrors(0, kReplayColumns, &priorities);
  priorities.Set({0, 0, 0}, 8);
  priorities.Set({0, 0, 0}, 0);  // it is small again, the largest stays
  priorities.Add(1, 0, &alone);
  EXPECT_THAT(priorities.Save(0), ElementsAre(1, 2, 3, 4, 5, 5));
  EXPECT_THAT(priorities.Save(1), ElementsAre(9, 9, 9, 9, 9, 9));
}

TEST(ReplayPrioritiesTest, WhatIsNoLongerKeptIsNotDrawn) {
  SingleRank alone;
  ReplayPriorities priorities = Make(1, /*most_batches=*/3);
  for (uint64_t batch = 0; batch < 20; ++batch) {
    const uint64_t first = batch < 2 ? 0 : batch - 1;  // two are kept
    priorities.Add(batch, first, &alone);
    std::map<uint64_t, int> counts;
    for (const ReplayPlace& place : priorities.Draw(batch, 60, 0.4, kAll, &alone).places) ++counts[place.batch];
    EXPECT_EQ(counts.size(), std::min<size_t>(batch + 1, 2));
    EXPECT_EQ(counts.begin()->first, first);
    EXPECT_EQ(counts.rbegin()->first, batch);
  }
}

TEST(ReplayPrioritiesTest, SavedOnesGoOnAlike) {
  SingleRank alone;
  ReplayPriorities priorities = Make(0.6), again = Make(0.6);
  for (uint64_t batch = 0; batch < 9; ++batch) priorities.Add(batch, batch < 3 ? 0 : batch - 3, &alone);
  for (uint64_t batch = 6; batch < 9; ++batch) priorities.Set({batch, 1, 1}, 0.1 * static_cast<double>(batch));
  for (uint64_t batch = 5; batch < 9; ++batch) {
    again.Add(batch, 5, &alone);
    again.Load(batch, priorities.Save(batch));
  }
  again.set_largest(priorities.largest());
  for (ReplayPriorities* one : {&priorities, &again}) one->Add(9, 6, &alone);
  const auto expected = priorities.Draw(4, 40, 0.5, kAll, &alone), came = again.Draw(4, 40, 0.5, kAll, &alone);
  EXPECT_EQ(came.places, expected.places);
  EXPECT_EQ(came.weights, expected.weights);
}

TEST(ReplayPrioritiesTest, SeveralLearnersDrawWhatOneWould) {
  SingleRank alone;
  ReplayPriorities all = Make(0.7);
  all.Add(0, 0, &alone);
  SetErrors(0, kReplayColumns, &all);
  all.Add(1, 0, &alone);
  const ReplayPriorities::Draws expected = all.Draw(11, 30, 0.4, kAll, &alone);
  std::vector<ReplayPriorities::Draws> parts(2);
  RunRanks(
      2,
      [&](std::shared_ptr<ThreadRank> ranks) {
        const int first = ranks->rank() == 0 ? 0 : 1, count = ranks->rank() == 0 ? 1 : 2;
        ReplayPriorities own = Make(0.7, 4, count);
        own.Add(0, 0, ranks.get());
        SetErrors(first, count, &own);
        own.Add(1, 0, ranks.get());
        parts[ranks->rank()] = own.Draw(11, 30, 0.4, {first, count, kReplayColumns}, ranks.get());
      },
      nullptr);
  ReplayPriorities::Draws joined;
  // Draws go through the columns in order.
  for (int rank = 0; rank < 2; ++rank) {
    for (ReplayPlace place : parts[rank].places)
      joined.places.push_back({place.batch, place.step, place.column + rank});
    joined.weights.insert(joined.weights.end(), parts[rank].weights.begin(), parts[rank].weights.end());
  }
  EXPECT_EQ(joined.places, expected.places);
  EXPECT_EQ(joined.weights, expected.weights);
}

TEST(ReplayPrioritiesTest, AnErrorThatIsNoNumberChangesNothing) {
  SingleRank alone;
  ReplayPriorities priorities = Make(1);
  priorities.Add(0, 0, &alone);
  priorities.Set({0, 1, 0}, std::nan(""));
  priorities.Set({0, 1, 1}, INFINITY);
  EXPECT_THAT(priorities.Save(0), ElementsAre(1, 1, 1, 1, 1, 1));
  EXPECT_EQ(priorities.largest(), 1);
}

}  // namespace
}  // namespace troupe
