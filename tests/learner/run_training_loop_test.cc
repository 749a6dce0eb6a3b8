#include <cmath>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/files/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/reporting/run_metrics.h"
#include "learner/run/training_loop.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(TrainingLoop, PublishesRightAfterTheUpdateAndGivesTheBatchBackOnce) {
  TinyRun run;
  TinyProcess process(
      run, TinyExperiment("evaluation { interval_env_steps: 8 episodes: 2 } checkpoint { interval_env_steps: 8 }"));
  process.start.experiment.set_total_env_steps(16);
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(process.log,
              ElementsAre("NextBatch 0", "Update 0 at 0", "Publish 1", "ReleaseBatch 0", "ReportProgress 8",
                          "RequestEvaluation 1", "NextBatch 1", "Update 1 at 8", "Publish 2", "ReleaseBatch 1",
                          "ReportProgress 16", "EndCollection", "RequestEvaluation 2"));
}

TEST(TrainingLoop, TrainsUntilTotalStepsAndTellsTheWeights) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->finished);
  EXPECT_EQ(result->counters.env_steps, 80);
  EXPECT_EQ(result->counters.update, 10);
  EXPECT_EQ(result->weights_sha256, WeightsSha256(process.algorithm.ExportPolicy({.update = 10})));
  EXPECT_TRUE(std::filesystem::exists(run.folder / "actors/last.safetensors"));
}

TEST(TrainingLoop, LetsTheAlgorithmLookAtTheNextBatchDuringAnUpdateAndNoLonger) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  int seen = 0;
  process.algorithm.fail = [&](uint64_t) {
    seen += process.algorithm.next_batch(absl::ZeroDuration()) != nullptr;
    return false;
  };
  ASSERT_TRUE(process.Run().ok());
  EXPECT_EQ(seen, 10);
  EXPECT_FALSE(process.algorithm.next_batch);
}

TEST(TrainingLoop, StopRequestLeavesACheckpointOfTheUpdateJustDone) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  process.parts.stop_requested = [&] { return process.algorithm.updates() == 3; };
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->finished);
  const auto kept = ReadCheckpoint(run.store().PathOf(3));
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->counters.env_steps, 24);
  EXPECT_EQ(kept->ingest.chunks_trained, 3);
}

TEST(TrainingLoop, ResumeContinuesEveryCounterAndTheWeights) {
  TinyRun run;
  std::string uninterrupted;
  {
    TinyRun other;
    uninterrupted = TinyProcess(other, TinyExperiment()).Run()->weights_sha256;
  }
  {
    TinyProcess first(run, TinyExperiment());
    first.parts.stop_requested = [&] { return first.algorithm.updates() == 4; };
    ASSERT_TRUE(first.Run().ok());
  }
  TinyProcess second(run, TinyExperiment());
  EXPECT_EQ(second.start.counters.update, 4);
  EXPECT_GT(second.start.counters.wall_seconds, 0);
  EXPECT_THAT(second.start.ingest.lease_epochs, ElementsAre(1));
  const auto result = second.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(second.log.front(), "NextBatch 4");
  EXPECT_EQ(second.log[1], "Update 4 at 32");
  EXPECT_EQ(result->counters.update, 10);
  EXPECT_EQ(second.server.ingest_state().chunks_trained, 10);
  EXPECT_EQ(result->weights_sha256, uninterrupted);
}

TEST(TrainingLoop, RecordsHoldEveryUpdateOnceAlsoWhenAnUnsavedOneIsDoneAgain) {
  TinyRun run;
  const Experiment experiment = TinyExperiment();
  for (const int updates : {4, 5}) {
    TinyProcess first(run, experiment);
    first.parts.stop_requested = [&] { return first.algorithm.updates() == updates; };
    ASSERT_TRUE(first.Run().ok());
  }
  std::filesystem::remove(run.store().PathOf(5));  // as if killed between checkpoints
  {
    std::ofstream file(run.folder / "metrics.jsonl", std::ios::app);
    file << R"({"update":6,"env_st)";  // and in the middle of a line
  }
  TinyProcess second(run, experiment);
  EXPECT_EQ(second.start.counters.update, 4);
  ASSERT_TRUE(second.Run().ok());
  const std::vector<std::string> lines = ReadLines(run.folder / "metrics.jsonl");
  ASSERT_THAT(lines, SizeIs(10));
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(lines[i], HasSubstr(absl::StrCat("{\"update\":", i + 1, ",\"env_steps\":", 8 * (i + 1), ",")));
}

TEST(TrainingLoop, AFailedUpdateIsCountedAndTheRunGoesOn) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  process.algorithm.fail = [](uint64_t update) { return update == 3; };
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->counters.update, 10);
  EXPECT_EQ(process.algorithm.updates(), 9);
  EXPECT_THAT(process.Series(), HasSubstr("troupe_update_errors_total 1"));
  EXPECT_THAT(process.Printed(), HasSubstr("update 4 left the weights as they were: rewards are not finite"));
  EXPECT_THAT(ReadLines(run.folder / "metrics.jsonl")[3], HasSubstr("\"error\":\"rewards are not finite\""));
}

TEST(TrainingLoop, TenFailedUpdatesInARowEndTheRunWithACheckpoint) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { best_by: 'waiting' }"));
  process.start.experiment.set_total_env_steps(8000);
  process.algorithm.fail = [](uint64_t update) { return update >= 2 && update != 8; };
  const auto result = process.Run();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("10 updates in a row failed"));
  EXPECT_TRUE(ReadCheckpoint(run.store().PathOf(19)).ok());
}

TEST(TrainingLoop, UnhealthyWorkersEndTheRunWithACheckpoint) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  process.parts.health = [&] {
    return process.algorithm.updates() < 2 ? absl::OkStatus() : absl::ResourceExhaustedError("workers crash");
  };
  EXPECT_EQ(process.Run().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadCheckpoint(run.store().PathOf(2)).ok());
}

TEST(TrainingLoop, WaitsThroughTimeOutsAndWarnsWhenNoBatchComes) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  SteadyTime now = SteadyTime::Now();
  int empty = 0;
  process.parts.now = [&now] { return now; };
  process.server.next_batch = [&] {
    now += absl::Seconds(4);
    return ++empty <= 10 ? absl::DeadlineExceededError("") : absl::OkStatus();
  };
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(process.Printed(), HasSubstr("no batch for 32 s; 1 worker is connected"));
}

TEST(TrainingLoop, APauseOfItsOwnIsNoLackOfBatches) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  SteadyTime now = SteadyTime::Now();
  int empty = 0;
  process.parts.now = [&now] { return now; };
  process.server.next_batch = [&] {
    now += ++empty == 3 ? absl::Hours(8) : absl::Milliseconds(250);
    return empty <= 6 ? absl::DeadlineExceededError("") : absl::OkStatus();
  };
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(process.Printed(), Not(HasSubstr("no batch for")));
}

TEST(TrainingLoop, AServerDrainedByOthersEndsTheRun) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  process.server.next_batch = [] { return absl::CancelledError("drained"); };
  EXPECT_TRUE(absl::IsCancelled(process.Run().status()));
}

TEST(Evaluation, SmallestIsBestAndItsWholeStateIsKept) {
  TinyRun run;
  TinyProcess process(
      run,
      TinyExperiment("evaluation { interval_env_steps: 16 episodes: 2 best_by: 'waiting' smaller_is_better: true }"));
  process.server.waiting_of_version = {{2, 5.0f}, {4, 3.0f}, {6, 4.0f}, {8, NAN}, {10, 3.5f}};
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->counters.best, (BestEvaluation{3.0, 4, 32, BasisOf(process.start.experiment, TinyEnvironment())}));
  const auto best = ReadCheckpoint(run.store().best_path());
  ASSERT_TRUE(best.ok()) << best.status();
  EXPECT_EQ(best->counters.update, 4);
  EXPECT_EQ(best->algorithm_state[0].floats()[0], 4.0f);
  const auto actors = ReadActorFile(run.folder / "actors/best.safetensors");
  ASSERT_TRUE(actors.ok()) << actors.status();
  EXPECT_EQ(actors->weights.policy_version, 4);
  EXPECT_EQ(actors->weights.tensors[0].floats()[0], 4.0f);
}

TEST(Evaluation, LargestIsBestByDefault) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { interval_env_steps: 16 best_by: 'waiting' }"));
  process.server.waiting_of_version = {{2, 5.0f}, {4, 30.0f}, {6, 4.0f}, {8, 30.0f}, {10, 3.5f}};
  EXPECT_EQ(process.Run()->counters.best,
            (BestEvaluation{30.0, 4, 32, BasisOf(process.start.experiment, TinyEnvironment())}));
}

TEST(Evaluation, ComesBackLateAndStillBelongsToThePolicyItWasMadeOf) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { interval_env_steps: 16 best_by: 'waiting' }"));
  process.server.hold_evaluations = true;
  process.parts.stop_requested = [&] {
    if (process.algorithm.updates() == 5) {
      for (auto& [done, outcome] : process.server.held) done(std::move(outcome));
      process.server.held.clear();
    }
    return process.algorithm.updates() == 6;
  };
  const auto result = process.Run();
  ASSERT_TRUE(result->counters.best.has_value());
  EXPECT_EQ(result->counters.best->policy_version, 2);
  EXPECT_EQ(ReadCheckpoint(run.store().best_path())->algorithm_state[0].floats()[0], 2.0f);
  EXPECT_EQ(result->counters.evaluated_env_steps, 32);
  for (auto& [done, outcome] : process.server.held) done(absl::CancelledError("drained"));  // nobody listens any more
}

TEST(Evaluation, IsAskedForAgainAfterARestartThatLostIt) {
  TinyRun run;
  const Experiment experiment = TinyExperiment("evaluation { interval_env_steps: 16 }");
  {
    TinyProcess first(run, experiment);
    first.server.hold_evaluations = true;
    first.parts.stop_requested = [&] { return first.algorithm.updates() == 3; };
    ASSERT_TRUE(first.Run().ok());
  }
  TinyProcess second(run, experiment);
  ASSERT_TRUE(second.Run().ok());
  EXPECT_EQ(second.log.front(), "RequestEvaluation 3");
}

TEST(Evaluation, AtTheEndAllAreWaitedForAndThatIsSaid) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { interval_env_steps: 40 }"));
  process.server.hold_evaluations = true;
  SteadyTime now = SteadyTime::Now();
  process.parts.now = [&] { return now; };
  int asked = 0;
  process.parts.stop_requested = [&] {
    now += absl::Seconds(4);
    // Only once training has ended, one after the other.
    if (process.algorithm.updates() == 10 && ++asked % 4 == 0 && !process.server.held.empty()) {
      auto [done, outcome] = std::move(process.server.held.front());
      process.server.held.erase(process.server.held.begin());
      done(std::move(outcome));
    }
    return false;
  };
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->counters.evaluated_env_steps, 80);
  EXPECT_THAT(process.Printed(), HasSubstr("training is done; waiting for 2 evaluations, 1 worker is connected"));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_evaluations_total{result=\"done\"} 2"));
}

TEST(Evaluation, AtTheEndIsNotWaitedForWithoutAWorkerAndThatIsSaid) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { interval_env_steps: 80 }"));
  process.server.hold_evaluations = true;
  process.server.connected = false;
  SteadyTime now = SteadyTime::Now();
  process.parts.now = [&] { return now += absl::Seconds(7); };
  const SteadyTime began = now;
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->finished);
  EXPECT_LT(now - began, absl::Minutes(20));
  EXPECT_THAT(process.Printed(), HasSubstr("evaluation failed: not waited for any longer: no worker is connected"));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_evaluations_total{result=\"failed\"} 1"));
}

TEST(Evaluation, NoMoreThanTheServerTakesAreUnderWay) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { interval_env_steps: 8 }"));
  process.server.hold_evaluations = true;
  process.parts.stop_requested = [&] { return process.algorithm.updates() == 9; };
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(process.server.held, SizeIs(LearnerServer::kMaxEvaluations));
}

TEST(Reporting, MetricsCarryTheUpdateTheEpisodesAndTheStages) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("evaluation { interval_env_steps: 40 }"));
  process.algorithm.skips = [](uint64_t update) { return update == 4 ? 2 : 0; };
  ASSERT_TRUE(process.Run().ok());
  const std::string series = process.Series();
  for (const char* line :
       {"troupe_updates_total 10", "troupe_update_policy_loss 0.0555", "troupe_learning_rate 0.001",
        "troupe_episode_return{agent_group=\"team\"} 3", "troupe_episode_length 13",
        "troupe_episode_statistic{name=\"waiting\"} 6", "troupe_evaluation_return{agent_group=\"team\"} -1",
        "troupe_evaluation_statistic{name=\"waiting\"} 9", "troupe_stage_seconds_count{stage=\"update\"} 10",
        "troupe_checkpoints_total{result=\"written\"}", "troupe_checkpoint_timestamp_seconds",
        "troupe_skipped_minibatches_total 2", "troupe_trained_env_steps 80",
        "troupe_episode_agent_statistic{agent=\"a\",name=\"queue\"} 2",
        "troupe_episode_agent_statistic{agent=\"b\",name=\"queue\"} 2",
        "troupe_evaluation_agent_statistic{agent=\"a\",name=\"queue\"} 1"}) {
    EXPECT_THAT(series, HasSubstr(line));
  }
}

TEST(Reporting, TheTrainingThreadsTimeIsAccountedForByState) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment());
  SteadyTime now;
  process.parts.now = [&] { return now; };
  int batches = 0;
  process.server.next_batch = [&] {
    now += absl::Milliseconds(250);  // every other one is late
    return ++batches % 2 == 0 ? absl::OkStatus() : absl::DeadlineExceededError("none yet");
  };
  process.algorithm.fail = [&](uint64_t) {
    now += absl::Seconds(2);
    return false;
  };
  ASSERT_TRUE(process.Run().ok());
  const std::string series = process.Series();
  EXPECT_THAT(series, HasSubstr("troupe_training_seconds_total{state=\"waiting\"} 5\n"));
  EXPECT_THAT(series, HasSubstr("troupe_training_seconds_total{state=\"update\"} 20\n"));
  EXPECT_THAT(series, HasSubstr("troupe_training_seconds_total{state=\"publish\"} 0\n"));
  EXPECT_THAT(series, HasSubstr("troupe_training_seconds_total{state=\"other\"} 0\n"));
}

TEST(Reporting, MetricsSayWhichRunItIsAndHowMuchRoomItHas) {
  TemporaryFolder folder;
  Metrics metrics;
  Experiment experiment = TinyExperiment();
  experiment.mutable_collection()->set_mode(ASYNCHRONOUS);
  experiment.mutable_collection()->set_max_policy_lag(6);
  ShowRun(experiment, folder / ".", "id-1", 3, &metrics);
  ShowRun(experiment, folder.path() + "/", "id-2", 3, &metrics);
  const std::string name = std::filesystem::path(folder.path()).filename();
  const std::string series = prometheus::TextSerializer().Serialize(metrics.registry()->Collect());
  EXPECT_THAT(series, HasSubstr(absl::StrCat("troupe_run_info{algorithm=\"mappo\",environment=\"grid_world\","
                                             "experiment=\"tiny\",run=\"",
                                             name, "\",run_id=\"id-2\"} 1")));
  EXPECT_THAT(series, Not(HasSubstr("id-1")));
  for (const char* line : {"troupe_target_env_steps 80", "troupe_expected_workers 3", "troupe_max_policy_lag 6"}) {
    EXPECT_THAT(series, HasSubstr(line));
  }
}

}  // namespace
}  // namespace troupe::testing
