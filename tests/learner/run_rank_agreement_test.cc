#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/run/rank_agreement.h"
#include "tests/learner/run_fakes.h"
#include "tests/learner/run_harness.h"
#include "tests/support/thread_ranks.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Agree, WaitsForThoseWhoAreNotReadyAndStopsWhenAnyWantsTo) {
  RunRanks(3, [](std::shared_ptr<ThreadRank> ranks) {
    const bool second = ranks->rank() == 1;
    EXPECT_EQ(Agree(true, false, absl::OkStatus(), ranks.get()).value(), Verdict::kGoOn);
    EXPECT_EQ(Agree(!second, false, absl::OkStatus(), ranks.get()).value(), Verdict::kWait);
    EXPECT_EQ(Agree(true, second, absl::OkStatus(), ranks.get()).value(), Verdict::kStop);
  });
}

TEST(Agree, OneThatIsNotWellEndsItForAll) {
  RunRanks(3, [](std::shared_ptr<ThreadRank> ranks) {
    const bool second = ranks->rank() == 1;
    const absl::Status own = second ? absl::ResourceExhaustedError("no more workers") : absl::OkStatus();
    const absl::Status ended = Agree(true, false, own, ranks.get()).status();
    EXPECT_EQ(ended.code(), second ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kAborted);
    EXPECT_THAT(std::string(ended.message()), HasSubstr(second ? "no more workers" : "rank 1 ended the run"));
  });
}

TEST(Agree, TellsEveryRankWhatTheOthersHave) {
  RunRanks(3, [](std::shared_ptr<ThreadRank> ranks) {
    RankDirectory directory(ranks->rank(), 3, 6);
    directory.SetAddresses({"a:1", "b:1", "c:1"});
    // Ranks 0 and 1 have a worker for each shard; rank 2 has none.
    directory.SetOwn({.capacity = ranks->rank() < 2 ? 2.0 : 0.0}, 2);
    EXPECT_EQ(Agree(true, false, absl::OkStatus(), ranks.get(), &directory).value(), Verdict::kGoOn);
    EXPECT_EQ(directory.Place(100, 1, SteadyTime::Now()), ranks->rank() == 0 ? "c:1" : "");
  });
}

TEST(Agree, ALearnerByItselfAgreesWithItself) {
  SingleRank single;
  EXPECT_EQ(Agree(false, false, absl::OkStatus(), &single).value(), Verdict::kWait);
  EXPECT_EQ(Agree(true, true, absl::OkStatus(), &single).value(), Verdict::kStop);
  EXPECT_EQ(AgreeAllIsWell(absl::InternalError("x"), &single), absl::InternalError("x"));
}

TEST(CheckSame, NamesTheFieldThatDiffers) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    const bool second = ranks->rank() == 1;
    EXPECT_TRUE(CheckSameExperiment(TinyExperiment(), ranks.get()).ok());
    const absl::Status experiment = CheckSameExperiment(TinyExperiment(second ? "seed: 2" : ""), ranks.get());
    EnvironmentSpec spec = TinyEnvironment();
    if (second) spec.groups[0].observation_size += 1;
    const absl::Status environment = CheckSameEnvironment(spec, ranks.get());
    EXPECT_EQ(experiment.ok(), !second);
    EXPECT_EQ(environment.ok(), !second);
    if (!second) return;
    EXPECT_THAT(std::string(experiment.message()), HasSubstr("seed"));
    EXPECT_THAT(std::string(environment.message()), HasSubstr("observation"));
  });
}

TEST(CheckSameArithmetic, NamesBothWhereTheyDiffer) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    EXPECT_TRUE(CheckSameArithmetic("cpu AMX", ranks.get()).ok());
    const absl::Status status = CheckSameArithmetic(ranks->rank() == 0 ? "cpu AMX" : "cpu float32 blocks", ranks.get());
    if (ranks->rank() == 0) {
      EXPECT_TRUE(status.ok());
    } else {
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(status.message()),
                  ::testing::AllOf(::testing::HasSubstr("rank 1"),
                                   ::testing::HasSubstr("cpu float32 blocks instead of cpu AMX")));
    }
  });
}

TEST(ShareStart, GivesRankZerosCheckpointToAll) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    Checkpoint start;
    start.experiment = TinyExperiment();
    bool resumed = ranks->rank() == 0;
    if (resumed) {
      start.run_id = "abc";
      start.environment = TinyEnvironment();
      start.counters.update = 7;
      start.counters.env_steps = 56;
      start.ingest = {{3}, 7};
      const float weight = 0.25f;
      start.algorithm_state = {HostTensor::Float32("updates", {1}, &weight)};
    }
    ASSERT_TRUE(ShareStart(&start, &resumed, ranks.get()).ok());
    EXPECT_TRUE(resumed);
    EXPECT_EQ(start.run_id, "abc");
    EXPECT_EQ(start.counters.update, 7);
    EXPECT_EQ(start.environment, TinyEnvironment());
    EXPECT_THAT(start.ingest.lease_epochs, ElementsAre(3));
    ASSERT_EQ(start.algorithm_state.size(), 1);
    EXPECT_EQ(start.algorithm_state[0].floats()[0], 0.25f);
  });
}

TEST(ShareStart, ANewRunHasNothingButItsId) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    Checkpoint start;
    if (ranks->rank() == 0) start.run_id = "abc";
    bool resumed = false;
    ASSERT_TRUE(ShareStart(&start, &resumed, ranks.get()).ok());
    EXPECT_FALSE(resumed);
    EXPECT_EQ(start.run_id, "abc");
  });
}

TEST(JoinReports, PutsThemSideBySideInTheOrderOfRanks) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    RankReport own;
    if (ranks->rank() == 0) own = {{1, 2}, {{{0.5f, 1.5f}, 10, {7.0f}}, {{2.5f, 3.5f}, 11, {8.0f}}}};
    if (ranks->rank() == 1) own = {{3}, {{{4.5f, 5.5f}, 12, {9.0f}}}};
    const RankReport all = JoinReports(own, ranks.get());
    EXPECT_THAT(all.lease_epochs, ElementsAre(1, 2, 3));
    ASSERT_EQ(all.episodes.size(), 3);
    EXPECT_EQ(all.episodes[1].length, 11);
    EXPECT_THAT(all.episodes[2].group_returns, ElementsAre(4.5f, 5.5f));
    EXPECT_THAT(all.episodes[2].statistics, ElementsAre(9.0f));
  });
}

TEST(TrainingLoopOfRanks, AnUpdateCutShortIsTakenBackAndTheRestIsKept) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    TinyRun run;
    TinyProcess process(run, TinyExperiment());
    process.parts.ranks = ranks;
    process.algorithm.fail = [](uint64_t update) { return update == 4; };
    EXPECT_FALSE(process.Run().ok());
    const auto kept = ReadCheckpoint(run.store().PathOf(4));
    ASSERT_TRUE(kept.ok()) << kept.status();
    EXPECT_EQ(kept->counters.env_steps, 32);
    EXPECT_EQ(kept->ingest.chunks_trained, 4);
    EXPECT_EQ(kept->algorithm_state[0].floats()[0], 4.0f);
  });
}

TEST(TrainingLoopOfRanks, OneStopsAndAllStopAtTheSamePlace) {
  RunRanks(2, [](std::shared_ptr<ThreadRank> ranks) {
    TinyRun run;
    TinyProcess process(run, TinyExperiment());
    process.parts.ranks = ranks;
    process.parts.stop_requested = [&] { return ranks->rank() == 1 && process.algorithm.updates() == 3; };
    const auto result = process.Run();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_FALSE(result->finished);
    EXPECT_EQ(result->counters.update, 3);
  });
}

}  // namespace
}  // namespace troupe::testing
