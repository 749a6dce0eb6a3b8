#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/worker_watch.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WorkerWatchTest : public ::testing::Test {
 protected:
  // Every worker collects a chunk a second, which takes it so long; the learner waits for `waiting` of that time.
  std::vector<std::string> Pass(int seconds, const std::map<std::string, double>& chunk_seconds, double waiting) {
    std::vector<std::string> all;
    for (int i = 0; i < seconds; ++i) {
      for (const auto& [worker_id, taken] : chunk_seconds) watch_.Collected(worker_id, "host-of-" + worker_id, taken);
      workers_.waited += absl::Seconds(waiting);
      now_ += absl::Seconds(1);
      for (const std::string& line : watch_.Look(workers_, now_)) all.push_back(line);
    }
    return all;
  }

  WorkerWatch watch_{/*wait_for_all=*/true};
  WorkerWatch::Workers workers_{.connected = 4, .without_shard = 0, .shards = 4};
  SteadyTime now_;
};

TEST_F(WorkerWatchTest, NamesAWorkerThatAllWaitForOnce) {
  EXPECT_THAT(Pass(30, {{"a", 0.1}, {"b", 0.12}, {"c", 2.0}}, 0.8),
              ElementsAre(HasSubstr("c (host-of-c) is slow: a chunk takes it 2 s, the other workers 0.12 s, and the learner "
                                    "waits for batches 80 % of its time")));
  EXPECT_NEAR(watch_.slowest_ratio(), 2 / 0.12, 1e-9);
  EXPECT_THAT(Pass(30, {{"a", 0.1}, {"b", 0.12}, {"c", 2.0}}, 0.8), IsEmpty());
}

TEST_F(WorkerWatchTest, AmongTwoTheOtherIsTheMeasure) {
  EXPECT_THAT(Pass(30, {{"a", 0.1}, {"b", 0.5}}, 0.8), ElementsAre(HasSubstr("b (host-of-b) is slow")));
}

TEST_F(WorkerWatchTest, SaysNothingWhileNobodyHasToWait) {
  EXPECT_THAT(Pass(60, {{"a", 0.1}, {"b", 0.1}, {"c", 2.0}}, 0.1), IsEmpty());
  EXPECT_EQ(watch_.slowest_ratio(), 20);
}

TEST_F(WorkerWatchTest, SaysNothingOfUnevenOnesOrOfAMoment) {
  EXPECT_THAT(Pass(60, {{"a", 0.1}, {"b", 0.15}, {"c", 0.25}}, 0.9), IsEmpty());
  // An evaluation, a neighbour: for less than kSlowFor.
  EXPECT_THAT(Pass(3, {{"a", 0.1}, {"b", 0.15}, {"c", 1.0}}, 0.9), IsEmpty());
  EXPECT_THAT(Pass(60, {{"a", 0.1}, {"b", 0.15}, {"c", 0.1}}, 0.9), IsEmpty());
}

TEST_F(WorkerWatchTest, JudgesNobodyByAFewChunksOrAlone) {
  watch_.Collected("new", "host", 30);
  EXPECT_THAT(Pass(30, {{"a", 0.1}}, 0.9), IsEmpty());
  EXPECT_EQ(watch_.slowest_ratio(), 1);
  watch_.Collected("newer", "host", 30);
  EXPECT_THAT(Pass(30, {{"a", 0.1}, {"b", 0.1}}, 0.9), IsEmpty());
}

TEST_F(WorkerWatchTest, OneThatHasGoneIsForgotten) {
  Pass(30, {{"a", 0.1}, {"b", 0.1}, {"c", 2.0}}, 0.9);
  watch_.Remove("c");
  EXPECT_EQ(watch_.slowest_ratio(), 1);
  EXPECT_THAT(Pass(30, {{"a", 0.1}, {"b", 0.1}}, 0.9), IsEmpty());
}

TEST_F(WorkerWatchTest, WhereNobodyWaitsForAllASlowOneIsNoNews) {
  WorkerWatch watch(/*wait_for_all=*/false);
  for (int i = 0; i < 60; ++i) {
    watch.Collected("a", "host", 0.1);
    watch.Collected("b", "host", 2);
    workers_.waited += absl::Seconds(1);
    EXPECT_THAT(watch.Look(workers_, now_ += absl::Seconds(1)), IsEmpty());
  }
  EXPECT_EQ(watch.slowest_ratio(), 20);
}

TEST_F(WorkerWatchTest, SaysHowManyHaveNothingToDoOnceTheyHaveAllCome) {
  // They come one by one.
  for (int idle = 1; idle <= 4; ++idle) {
    workers_.connected = 4 + idle;
    workers_.without_shard = idle;
    EXPECT_THAT(Pass(2, {}, 0), IsEmpty());
  }
  EXPECT_THAT(Pass(10, {}, 0), ElementsAre(HasSubstr("4 of 8 workers have nothing to collect: the run has 4 shards")));
  EXPECT_THAT(Pass(60, {}, 0), IsEmpty());
  workers_.without_shard = 2;
  EXPECT_THAT(Pass(60, {}, 0), IsEmpty()) << "fewer are no news";
  workers_.connected = 9;
  workers_.without_shard = 5;
  EXPECT_THAT(Pass(60, {}, 0), ElementsAre(HasSubstr("5 of 9 workers have")));
}

}  // namespace
}  // namespace troupe
