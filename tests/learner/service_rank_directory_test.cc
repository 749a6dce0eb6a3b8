// Whom workers are sent to. Expected places follow from the rule in rank_directory.h, worked out by hand.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/rank_directory.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

SteadyTime At(double seconds) { return SteadyTime() + absl::Seconds(seconds); }

TEST(RankDirectory, SendsNobodyAnywhereBeforeItKnowsWhere) {
  RankDirectory directory(0, 4, 8);
  EXPECT_EQ(directory.Place(1024, 0, At(0)), "");
  directory.SetOwn({.capacity = 2}, 2);
  EXPECT_EQ(directory.Place(1024, 0, At(0)), "");
}

TEST(RankDirectory, FillsRanksOneAfterTheOtherBeforeAnythingWasReported) {
  RankDirectory directory(0, 4, 8);
  directory.SetAddresses({"a:1", "b:1", "c:1", "d:1"});
  std::vector<std::string> places;
  double own = 0;
  for (int worker = 0; worker < 8; ++worker) {
    places.push_back(directory.Place(1024, 0, At(0)));
    if (places.back().empty()) directory.SetOwn({.capacity = own += 2}, 2);
  }
  EXPECT_THAT(places, ElementsAre("", "b:1", "c:1", "d:1", "", "b:1", "c:1", "d:1"));
}

TEST(RankDirectory, WhoHasComeIsNotCountedTwice) {
  RankDirectory directory(0, 2, 4);
  directory.SetAddresses({"a:1", "b:1"});
  directory.SetOwn({.capacity = 2}, 2);
  EXPECT_EQ(directory.Place(1024, 0, At(0)), "b:1");
  const RankLoad loads[] = {{2, 0}, {2, 1}};
  directory.Take(loads, At(0.1));
  // One each: the next stays, and then rank 1 has less again.
  EXPECT_EQ(directory.Place(1024, 0, At(0.2)), "");
  directory.SetOwn({.capacity = 4}, 2);
  EXPECT_EQ(directory.Place(1024, 0, At(0.2)), "b:1");
}

TEST(RankDirectory, WhoDoesNotComeIsForgotten) {
  RankDirectory directory(0, 2, 4);
  directory.SetAddresses({"a:1", "b:1"});
  directory.SetOwn({.capacity = 2}, 2);
  EXPECT_EQ(directory.Place(1024, 0, At(0)), "b:1");
  EXPECT_EQ(directory.Place(1024, 0, At(29)), "");
  EXPECT_EQ(directory.Place(1024, 0, At(31)), "b:1");
}

TEST(RankDirectory, CountsCapacityRatherThanWorkers) {
  // Five shards on rank 0 and five on rank 1.
  RankDirectory directory(0, 2, 10);
  directory.SetAddresses({"a:1", "b:1"});
  EXPECT_EQ(directory.CapacityOf(1), 1);
  EXPECT_EQ(directory.CapacityOf(1024), 5);
  // A worker for everything here outweighs four workers for a shard each.
  directory.SetOwn({.capacity = 5}, 5);
  for (int worker = 0; worker < 5; ++worker) EXPECT_EQ(directory.Place(1, 0, At(0)), "b:1") << worker;
  EXPECT_EQ(directory.Place(1, 0, At(0)), "");
}

TEST(RankDirectory, OtherRanksAskTheFirstAndServeWhomItSends) {
  RankDirectory directory(2, 4, 8);
  directory.SetAddresses({"a:1", "b:1", "c:1", "d:1"});
  EXPECT_EQ(directory.Place(1024, 0, At(0)), "a:1");
  EXPECT_EQ(directory.Place(1024, 1, At(0)), "");
  EXPECT_EQ(directory.Place(1024, 2, At(0)), "");
}

TEST(RankDirectory, TheFirstDecidesForThoseSentToItAndSendsNobodyInCircles) {
  RankDirectory directory(0, 2, 4);
  directory.SetAddresses({"a:1", "b:1"});
  directory.SetOwn({.capacity = 2}, 2);
  EXPECT_EQ(directory.Place(1024, 2, At(0)), "");
  EXPECT_EQ(directory.Place(1024, 1, At(0)), "b:1");
}

TEST(RankDirectory, RanksWithoutAnAddressKeepWhoComesToThem) {
  RankDirectory first(0, 2, 4), second(1, 2, 4);
  first.SetAddresses({"", ""});
  second.SetAddresses({"", ""});
  first.SetOwn({.capacity = 2}, 2);
  EXPECT_EQ(first.Place(1024, 0, At(0)), "");
  EXPECT_EQ(second.Place(1024, 0, At(0)), "");
}

TEST(RankDirectory, GivesAWorkerBackWhenAnotherRankHasLostItsOwn) {
  RankDirectory directory(1, 3, 6);
  directory.SetAddresses({"a:1", "b:1", "c:1"});
  directory.SetOwn({.capacity = 4}, 2);
  const RankLoad unequal[] = {{2, 0}, {4, 0}, {0, 0}};
  directory.Take(unequal, At(0));
  directory.Take(unequal, At(9));
  EXPECT_FALSE(directory.TakeRelease());
  directory.Take(unequal, At(10));
  EXPECT_TRUE(directory.TakeRelease());
  EXPECT_FALSE(directory.TakeRelease());
}

TEST(RankDirectory, KeepsItsWorkersWhereMovingOneMendsNothing) {
  RankDirectory directory(1, 2, 4);
  directory.SetAddresses({"a:1", "b:1"});
  directory.SetOwn({.capacity = 4}, 2);
  const RankLoad one_more[] = {{2, 0}, {4, 0}};
  for (const double seconds : {0, 10, 20}) directory.Take(one_more, At(seconds));
  EXPECT_FALSE(directory.TakeRelease());
  // No worker here follows.
  directory.SetOwn({.capacity = 8}, 0);
  for (const double seconds : {30, 40, 50}) directory.Take(one_more, At(seconds));
  EXPECT_FALSE(directory.TakeRelease());
}

TEST(RankDirectory, OnlyTheFirstOfThoseWithMostGivesBack) {
  const RankLoad loads[] = {{6, 0}, {6, 0}, {0, 0}};
  for (const int rank : {0, 1}) {
    RankDirectory directory(rank, 3, 6);
    directory.SetAddresses({"a:1", "b:1", "c:1"});
    directory.SetOwn({.capacity = 6}, 2);
    for (const double seconds : {0, 10}) directory.Take(loads, At(seconds));
    EXPECT_EQ(directory.TakeRelease(), rank == 0) << rank;
  }
}

TEST(RankDirectory, APassingDifferenceMovesNobody) {
  RankDirectory directory(0, 2, 4);
  directory.SetAddresses({"a:1", "b:1"});
  directory.SetOwn({.capacity = 4}, 2);
  const RankLoad unequal[] = {{4, 0}, {0, 0}}, equal[] = {{4, 0}, {4, 2}};
  directory.Take(unequal, At(0));
  directory.Take(equal, At(6));
  directory.Take(unequal, At(7));
  directory.Take(unequal, At(16));
  EXPECT_FALSE(directory.TakeRelease());
}

}  // namespace
}  // namespace troupe
