#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ranks/interruptible_ranks.h"
#include "learner/run/training_loop.h"
#include "tests/learner/run_harness.h"
#include "tests/support/thread_ranks.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// A start that is asked to stop after minibatch `number` of update `update`; none: never.
struct Stopped {
  Stopped(const TinyRun& run, std::optional<std::pair<uint64_t, int>> when) : process(run, TinyExperiment()) {
    const auto asked = [this] { return stop; };
    auto ranks = std::make_shared<InterruptibleRanks>(std::make_shared<SingleRank>(), asked);
    process.parts.interruptible = ranks;
    process.parts.stop_requested = asked;
    // By a clock that stands still it costs nothing to be able to take an update back.
    process.parts.now = [now = SteadyTime::Now()] { return now; };
    process.algorithm.minibatch = [this, ranks, when](uint64_t update, int number) {
      stop |= when == std::pair(update, number);
      ++minibatches;
      return ranks->status();
    };
  }

  bool stop = false;
  int minibatches = 0;
  TinyProcess process;
};

TEST(Interruption, AnUpdateIsCutShortAndTheCheckpointIsOfTheOneBefore) {
  TinyRun run, whole;
  Stopped cut(run, std::pair(3, 1));
  const auto result = cut.process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->finished);
  EXPECT_EQ(cut.minibatches, 3 * FakeAlgorithm::kMinibatches + 2);
  EXPECT_EQ(result->counters.update, 3);
  EXPECT_EQ(result->counters.env_steps, 24);
  EXPECT_THAT(cut.process.Printed(), HasSubstr("update 4 was under way and is taken back"));
  // What a run that was asked between updates leaves.
  TinyProcess between(whole, TinyExperiment());
  between.parts.stop_requested = [&] { return between.algorithm.updates() == 3; };
  const auto expected = between.Run();
  ASSERT_TRUE(expected.ok());
  EXPECT_EQ(result->weights_sha256, expected->weights_sha256);
  const auto kept = ReadCheckpoint(run.store().PathOf(3));
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->algorithm_state[0].floats()[0], 3);
  EXPECT_EQ(kept->counters.env_steps, 24);
}

TEST(Interruption, WhereverItComesTheRunEndsWithTheWeightsOfAnUndisturbedOne) {
  TinyRun undisturbed;
  const std::string expected = TinyProcess(undisturbed, TinyExperiment()).Run()->weights_sha256;
  for (uint64_t update = 0; update < 10; ++update) {
    TinyRun run;
    // Cut, cut in the same update again, cut in its last minibatch, let go on.
    for (const int number : {0, 2, FakeAlgorithm::kMinibatches - 1}) {
      Stopped cut(run, std::pair(update, number));
      const auto result = cut.process.Run();
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->counters.update, update);
    }
    Stopped last(run, std::nullopt);
    const auto result = last.process.Run();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->finished);
    EXPECT_EQ(result->weights_sha256, expected) << update;
  }
}

TEST(Interruption, OutsideOfUpdatesThatCanBeTakenBackNothingIsInterrupted) {
  InterruptibleRanks ranks(std::make_shared<SingleRank>(), [] { return true; });
  EXPECT_TRUE(ranks.status().ok());
  ranks.Allow();
  EXPECT_TRUE(absl::IsCancelled(ranks.status()));
  ranks.Forbid();
  EXPECT_TRUE(ranks.status().ok());
  EXPECT_TRUE(ranks.interrupted());
}

TEST(Interruption, SeveralRanksStopAfterTheSameMinibatch) {
  MeetingPlace place(2);
  std::atomic<bool> stop = false;
  std::array<int, 2> minibatches{};
  const auto train = [&](int number) {
    // The second alone is asked.
    InterruptibleRanks ranks(std::make_shared<ThreadRank>(&place, number, ThreadRank::FloatsOf()),
                             [&, number] { return number == 1 && stop; });
    for (int update = 0; update < 3; ++update) {
      ranks.Allow();
      for (int i = 0; i < 20000 && ranks.status().ok(); ++i) {
        ++minibatches[number];
        if (number == 1 && minibatches[1] == 30001) stop = true;
      }
      ranks.Forbid();
    }
  };
  std::thread other(train, 1);
  train(0);
  other.join();
  EXPECT_EQ(minibatches[0], minibatches[1]);
  EXPECT_GT(minibatches[0], 30000);
  EXPECT_LT(minibatches[0], 60000);
}

}  // namespace
}  // namespace troupe::testing
