// Updates whose losses or gradients were not finite: what the training loop keeps, tells and goes back to.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/export/inspect.h"
#include "learner/run/divergence_guard.h"
#include "learner/run/training_loop.h"
#include "nlohmann/json.hpp"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Ten updates of 8 steps; a state is good after updates 2, 4, 6 and 8.
Experiment Diverging(const std::string& divergence, const std::string& more = "") {
  return TinyExperiment(
      absl::StrCat("checkpoint { interval_env_steps: 16 keep: 100 } divergence { ", divergence, " } ", more));
}

// A loop whose updates number `skipped` (0, 1, …) are not finite.
struct DivergingProcess : TinyProcess {
  DivergingProcess(const TinyRun& run, const Experiment& experiment, const std::vector<uint64_t>& skipped)
      : TinyProcess(run, experiment) {
    parts.folder = run.folder.path();
    algorithm.skips = [skipped](uint64_t update) {
      return std::ranges::find(skipped, update) != skipped.end() ? 3.0 : 0.0;
    };
  }
};

std::vector<std::string> KeptIn(const TinyRun& run) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder / "diverged", none)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Divergence, OneUpdateIsToldCountedAndItsBatchKept) {
  TinyRun run;
  DivergingProcess process(run, Diverging(""), {4});
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(KeptIn(run), ElementsAre("000000000005.safetensors"));
  EXPECT_THAT(process.Printed(),
              HasSubstr(absl::StrCat("update 5 left out minibatches because a loss or gradient was not finite, the 1. "
                                     "such update in a row; its batch is ",
                                     run.folder / "diverged/000000000005.safetensors")));
  EXPECT_THAT(process.Printed(), Not(HasSubstr("go back")));
  const std::string series = process.Series();
  EXPECT_THAT(series, HasSubstr("troupe_not_finite_updates_total 1"));
  EXPECT_THAT(series, HasSubstr("troupe_skipped_minibatches_total 3"));
  EXPECT_THAT(series, HasSubstr("troupe_rollbacks_total 0"));
  EXPECT_THAT(series, HasSubstr("troupe_learning_rate_scale 1"));
  const std::vector<std::string> lines = ReadLines(run.folder / "metrics.jsonl");
  for (size_t i = 0; i < lines.size(); ++i) {
    const nlohmann::json line = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(line.contains("divergence"), i == 4);
  }
  EXPECT_EQ(nlohmann::json::parse(lines[4])["divergence"],
            nlohmann::json::parse(R"({"skipped_minibatches": 3, "in_a_row": 1, "rollbacks": 0,
                                      "learning_rate_scale": 1, "batch": "diverged/000000000005.safetensors"})"));
}

TEST(Divergence, SeveralInARowGoBackToTheLastGoodStateWithASmallerLearningRate) {
  TinyRun run;
  DivergingProcess process(run, Diverging("learning_rate_factor: 0.25"), {4, 5, 6});
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->counters.update, 10) << "updates and steps are counted on";
  // Four updates, back to the fourth, then three of a quarter each.
  EXPECT_EQ(process.algorithm.updates(), 4.75f);
  EXPECT_THAT(process.Printed(), HasSubstr("the networks go back to where they were after update 4, and learning rates "
                                           "are 0.25 times those of the experiment from here on (rollback 1 of 8;"));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_rollbacks_total 1"));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_learning_rate_scale 0.25"));
  const nlohmann::json record = nlohmann::json::parse(ReadLines(run.folder / "metrics.jsonl")[6])["divergence"];
  EXPECT_EQ(record["back_to_update"], 4);
  EXPECT_EQ(record["in_a_row"], 3);
  EXPECT_EQ(record["rollbacks"], 1);
}

TEST(Divergence, WhatGoesOutAfterGoingBackIsTheGoodPolicy) {
  TinyRun run;
  // Its second update in the interval moved the networks; then two that are not finite.
  DivergingProcess process(run, Diverging("rollback_after: 2", "evaluation { interval_env_steps: 8 }"), {3, 4});
  process.start.experiment.set_total_env_steps(40);
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->last->policy.tensors[0].floats()[0], 2.0f) << "after update 2, not 3";
}

TEST(Divergence, OneThatIsFiniteInBetweenBeginsTheCountAnew) {
  TinyRun run;
  DivergingProcess process(run, Diverging(""), {3, 4, 6, 7});
  ASSERT_TRUE(process.Run().ok());
  EXPECT_EQ(process.algorithm.updates(), 6);
  EXPECT_THAT(process.Series(), HasSubstr("troupe_rollbacks_total 0"));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_not_finite_updates_total 4"));
}

TEST(Divergence, WithoutAGoodStateSinceTheyGoBackToTheRunsBeginning) {
  TinyRun run;
  DivergingProcess process(run, Diverging("rollback_after: 2"), {1, 2});
  process.start.experiment.set_total_env_steps(24);
  ASSERT_TRUE(process.Run().ok());
  EXPECT_EQ(process.algorithm.updates(), 0);
}

TEST(Divergence, ZeroMeansNeverToGoBack) {
  TinyRun run;
  DivergingProcess process(run, Diverging("rollback_after: 0"), {2, 3, 4, 5, 6, 7, 8, 9});
  ASSERT_TRUE(process.Run().ok());
  EXPECT_EQ(process.algorithm.updates(), 2);
  const std::string printed = process.Printed();
  for (const char* told : {"the 1. such", "the 2. such", "the 4. such", "the 8. such"}) {
    EXPECT_THAT(printed, HasSubstr(told));
  }
  EXPECT_THAT(printed, Not(HasSubstr("the 3. such"))) << "not every one is a line of its own";
}

TEST(Divergence, AfterTheLastRollbackTheRunEndsWithAReasonAndACheckpoint) {
  TinyRun run;
  DivergingProcess process(run, Diverging("rollback_after: 2 max_rollbacks: 2"), {1, 2, 3, 4, 5, 6, 7, 8});
  const auto result = process.Run();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(
      std::string(result.status().message()),
      HasSubstr("2 updates in a row, the last number 7, left out minibatches because a loss or gradient was not "
                "finite, and the run went back 2 times already (divergence.max_rollbacks)"));
  const auto last = ReadCheckpoint(run.store().PathOf(7));
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(last->divergence.rollbacks, 2);
}

// The weights that a run ends with which is interrupted after each of these updates.
std::string WeightsInterruptedAfter(const std::vector<uint64_t>& stops, const std::vector<uint64_t>& skipped) {
  TinyRun run;
  const Experiment experiment = Diverging("learning_rate_factor: 0.25 rollback_after: 2");
  for (const uint64_t stop : stops) {
    DivergingProcess process(run, experiment, skipped);
    process.parts.stop_requested = [&] {
      return process.log.size() > 2 && process.start.counters.update < stop &&
             process.log.back() == absl::StrCat("ReportProgress ", 8 * stop);
    };
    const auto result = process.Run();
    EXPECT_TRUE(result.ok() && !result->finished && result->counters.update == stop);
  }
  DivergingProcess process(run, experiment, skipped);
  const auto result = process.Run();
  EXPECT_TRUE(result.ok()) << result.status();
  return result->weights_sha256;
}

TEST(Divergence, AnInterruptedRunGoesBackToWhereAnUninterruptedOneDoes) {
  // Good after 2; 3 moves the networks; 4 and 5 send them back; so do 7 and 8.
  const std::vector<uint64_t> skipped = {3, 4, 6, 7};
  const std::string straight = WeightsInterruptedAfter({}, skipped);
  for (uint64_t stop = 1; stop < 10; ++stop) {
    EXPECT_EQ(WeightsInterruptedAfter({stop}, skipped), straight) << "interrupted after " << stop;
  }
  EXPECT_EQ(WeightsInterruptedAfter({1, 3, 4, 5, 7}, skipped), straight);
  EXPECT_NE(WeightsInterruptedAfter({}, {}), straight);
}

TEST(Divergence, KeptBatchesAreTheNewestWithinTheirNumberAndBytes) {
  TinyRun run;
  DivergingProcess process(run, Diverging("rollback_after: 0 kept_batches: 2"), {1, 3, 5, 7});
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(KeptIn(run), ElementsAre("000000000006.safetensors", "000000000008.safetensors"));
  for (const char* nothing : {"kept_batches: 0", "kept_bytes: 0"}) {
    TinyRun other;
    DivergingProcess none(other, Diverging(nothing), {1, 3});
    ASSERT_TRUE(none.Run().ok());
    EXPECT_THAT(KeptIn(other), IsEmpty()) << nothing;
    EXPECT_THAT(none.Printed(), Not(HasSubstr("its batch is"))) << nothing;
  }
}

TEST(Divergence, ABatchThatCannotBeKeptIsToldAndTheRunGoesOn) {
  TinyRun run;
  std::ofstream(run.folder / "diverged") << "a file where the folder should be";
  DivergingProcess process(run, Diverging(""), {1});
  ASSERT_TRUE(process.Run().ok());
  EXPECT_THAT(process.Printed(), HasSubstr("its batch cannot be kept: "));
  EXPECT_EQ(process.algorithm.updates(), 9);
}

struct GuardTest : ::testing::Test {
  GuardTest() {
    start.run_id = "id";
    start.experiment = Diverging("rollback_after: 1");
    start.environment = TinyEnvironment();
  }
  static std::shared_ptr<const std::vector<HostTensor>> State(float value) {
    return std::make_shared<const std::vector<HostTensor>>(
        std::vector<HostTensor>{HostTensor::Float32("updates", {1}, &value)});
  }
  static UpdateStatistics Skipped(double minibatches) { return {{{"skipped_minibatches", minibatches}}}; }

  TemporaryFolder folder;
  CallLog log;
  FakeAlgorithm algorithm{TinyExperiment(), &log};
  Checkpoint start;
};

TEST_F(GuardTest, AStateThatIsNotFiniteOrOfSuchAnUpdateIsNotGood) {
  DivergenceGuard guard(start, &algorithm, "");
  guard.Offer(1, State(1));
  guard.Offer(2, State(std::numeric_limits<float>::quiet_NaN()));
  ASSERT_TRUE(guard.Judge(Skipped(1), 3).has_value());
  EXPECT_EQ(algorithm.updates(), 1);
  start.experiment.mutable_divergence()->set_rollback_after(2);
  DivergenceGuard patient(start, &algorithm, "");
  patient.Offer(1, State(5));
  ASSERT_TRUE(patient.Judge(Skipped(1), 2).has_value());
  patient.Offer(2, State(6));
  ASSERT_TRUE(patient.Judge(Skipped(1), 3).has_value());
  EXPECT_EQ(algorithm.updates(), 5);
}

TEST_F(GuardTest, AKeptBatchShowsItsTensorsAndWhoseRewardIsTheLargest) {
  TrainingBatch batch;
  batch.rollout_length = 2;
  batch.columns = 3;
  GroupBatch& group = batch.groups.emplace_back();
  group.observations.assign(3 * 3 * 2 * 3, 0.5f);
  group.discrete_actions.assign(2 * 3 * 2, 1);
  group.rewards.assign(2 * 3 * 2, -1.0f);
  group.rewards[(1 * 3 + 2) * 2 + 1] = -3e38f;  // t 1, column 2, agent b
  group.alive.assign(3 * 3 * 2, 1);
  batch.terminated.assign(6, 0);
  for (uint32_t i = 0; i < 3; ++i) batch.streams.push_back({.shard = 7, .copy = i, .lease_epoch = 1, .sequence = 4});
  batch.policy_versions.assign(3, 11);
  const DivergenceGuard guard(start, &algorithm, folder / "kept");
  const auto name = guard.KeepBatch(batch, 12, 96, {.skipped_minibatches = 2, .in_a_row = 1});
  ASSERT_TRUE(name.ok()) << name.status();
  const auto text = DescribeFile(absl::StrCat(folder / "kept", "/", *name));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("largest_reward: -3e+38, agent b, step 1, column 2 (shard 7, copy 2)\n"));
  EXPECT_THAT(*text, HasSubstr("update: 12\n"));
  EXPECT_THAT(*text, HasSubstr("format: troupe-batch/1\n"));
  EXPECT_THAT(*text, ::testing::ContainsRegex("team/observations +FLOAT32 \\[3, 3, 2, 3\\]  mean 0.5"));
  EXPECT_THAT(*text, ::testing::ContainsRegex("team/rewards +FLOAT32 \\[2, 3, 2\\]"));
  EXPECT_THAT(*text, ::testing::ContainsRegex("streams +INT64 +\\[3, 4\\]"));
}

}  // namespace
}  // namespace troupe::testing
