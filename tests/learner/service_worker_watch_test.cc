#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/worker_watch.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Who sends how many chunks of every batch, and how many seconds each of them takes.
struct Part {
  std::string worker_id;
  int chunks = 1;
  double seconds = 0.1;
};

class WorkerWatchTest : public ::testing::Test {
 protected:
  // Batches one after the other, each begun `update_seconds` after the one before was full, until the time has passed.
  std::vector<std::string> Train(int seconds, const std::vector<Part>& parts, double update_seconds = 0) {
    std::vector<std::string> all;
    for (const SteadyTime end = now_ + absl::Seconds(seconds); now_ < end;) {
      watch_.Begin(++update_, now_);
      std::multimap<double, std::string> coming;
      for (const Part& part : parts) {
        for (int i = 1; i <= part.chunks; ++i) coming.emplace(i * part.seconds, part.worker_id);
      }
      const SteadyTime began = now_;
      for (const auto& [after, worker_id] : coming) {
        now_ = began + absl::Seconds(after);
        watch_.Came(update_, worker_id, "host-of-" + worker_id, now_);
      }
      now_ += absl::Seconds(update_seconds);
      for (const std::string& line : watch_.Look(workers_, now_)) all.push_back(line);
    }
    return all;
  }
  // Nobody sends anything.
  std::vector<std::string> Pass(int seconds) {
    std::vector<std::string> all;
    for (int i = 0; i < seconds; ++i) {
      for (const std::string& line : watch_.Look(workers_, now_ += absl::Seconds(1))) all.push_back(line);
    }
    return all;
  }

  WorkerWatch watch_{4};
  WorkerWatch::Workers workers_{.connected = 4, .without_shard = 0, .shards = 4};
  uint64_t update_ = 0;
  SteadyTime now_;
};

TEST_F(WorkerWatchTest, NamesAWorkerThatAllWaitForOnce) {
  const std::vector<Part> parts = {{"a"}, {"b"}, {"c"}, {"d", 1, 0.8}};
  EXPECT_THAT(
      Train(60, parts, 0.2),
      ElementsAre(HasSubstr("d (host-of-d) is slow: a chunk takes it 0.8 s, the other workers 0.1 s, and for 70 % "
                            "of the time they wait for it")));
  EXPECT_NEAR(watch_.slowest_ratio(), 8, 1e-6);
  EXPECT_THAT(Train(60, parts, 0.2), IsEmpty());
}

TEST_F(WorkerWatchTest, AmongTwoTheOtherIsTheMeasure) {
  EXPECT_THAT(Train(60, {{"a", 2, 0.1}, {"b", 2, 0.5}}), ElementsAre(HasSubstr("b (host-of-b) is slow")));
}

TEST_F(WorkerWatchTest, SaysNothingOfOneThatHasMoreShards) {
  EXPECT_THAT(Train(60, {{"a"}, {"b"}, {"c", 2}}), IsEmpty());
  EXPECT_THAT(Train(60, {{"a"}, {"b", 3}}), IsEmpty());
}

TEST_F(WorkerWatchTest, SaysNothingOfOneWithFewerThreads) {
  // The first has three rollout threads: its three chunks come together.
  for (int i = 0; i < 600; ++i) {
    watch_.Begin(++update_, now_);
    now_ += absl::Milliseconds(100);
    for (const char* worker_id : {"a", "a", "a", "b"}) watch_.Came(update_, worker_id, "host", now_);
    EXPECT_THAT(watch_.Look(workers_, now_), IsEmpty());
  }
}

TEST_F(WorkerWatchTest, SaysNothingWhileTheUpdateTakesMostOfTheTime) {
  EXPECT_THAT(Train(120, {{"a"}, {"b"}, {"c"}, {"d", 1, 0.8}}, 3), IsEmpty());
  EXPECT_NEAR(watch_.slowest_ratio(), 8, 1e-6);
}

TEST_F(WorkerWatchTest, SaysNothingOfUnevenOnesOrOfAMoment) {
  EXPECT_THAT(Train(60, {{"a"}, {"b", 1, 0.15}, {"c", 1, 0.12}, {"d", 1, 0.25}}), IsEmpty());
  // Its simulators start: the first batch takes long, and the next ones do not.
  EXPECT_THAT(Train(30, {{"a"}, {"b"}, {"c"}, {"new", 1, 31}}), IsEmpty());
  EXPECT_THAT(Train(60, {{"a"}, {"b"}, {"c"}, {"new"}}), IsEmpty());
}

TEST_F(WorkerWatchTest, JudgesNobodyAlone) {
  EXPECT_THAT(Train(60, {{"a", 4, 2}}), IsEmpty());
  EXPECT_EQ(watch_.slowest_ratio(), 1);
}

TEST_F(WorkerWatchTest, OneThatHasGoneIsForgotten) {
  Train(60, {{"a"}, {"b"}, {"c"}, {"d", 1, 0.8}});
  watch_.Remove("d");
  EXPECT_EQ(watch_.slowest_ratio(), 1);
  EXPECT_THAT(Train(60, {{"a"}, {"b"}, {"c", 2}}), IsEmpty());
}

TEST_F(WorkerWatchTest, SaysHowManyHaveNothingToDoOnceTheyHaveAllCome) {
  // They come one by one.
  for (int idle = 1; idle <= 4; ++idle) {
    workers_.connected = 4 + idle;
    workers_.without_shard = idle;
    EXPECT_THAT(Pass(2), IsEmpty());
  }
  EXPECT_THAT(Pass(10), ElementsAre(HasSubstr("4 of 8 workers have nothing to collect: the run has 4 shards")));
  EXPECT_THAT(Pass(60), IsEmpty());
  workers_.without_shard = 2;
  EXPECT_THAT(Pass(60), IsEmpty()) << "fewer are no news";
  workers_.connected = 9;
  workers_.without_shard = 5;
  EXPECT_THAT(Pass(60), ElementsAre(HasSubstr("5 of 9 workers have")));
}

}  // namespace
}  // namespace troupe
