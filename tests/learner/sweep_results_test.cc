// What is read of runs, and the table and files that come of it.
#include <cmath>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/sweep/recorded_run.h"
#include "learner/sweep/sweep_files.h"
#include "learner/sweep/sweep_summary.h"
#include "learner/sweep/sweep_table.h"
#include "nlohmann/json.hpp"
#include "tests/learner/sweep_fixture.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class SweepResults : public ::testing::Test {
 protected:
  // Two tasks, two rows, two seeds.
  void Plan() {
    swept_.AddExperiment("small", SweptExperiment("small"));
    swept_.AddExperiment("large", SweptExperiment("large", "5"));
    swept_.options.rows = {{"wide", {"ppo.clip=0.3"}}, {"narrow", {"ppo.clip=0.1"}}};
    swept_.options.last_evaluations = 2;
    runs_ = PlanSweep(swept_.options).value();
  }
  std::vector<TaskSummary> Summarise(const std::vector<bool>& finished) {
    return SummariseSweep(swept_.options, runs_, finished).value();
  }

  SweptFolder swept_;
  std::vector<PlannedRun> runs_;
};

TEST_F(SweepResults, AFolderTellsHowFarItsRunIs) {
  Plan();
  const std::string folder = absl::StrCat(swept_.options.run_folder, "/", runs_[0].name);
  EXPECT_EQ(*FindRunState(folder, runs_[0].experiment), RunState::kNew);
  swept_.Finish(runs_[0], {1, 2, 3});
  EXPECT_EQ(*FindRunState(folder, runs_[0].experiment), RunState::kHalfDone);
  swept_.Finish(runs_[0], {1, 2, 3, 4});
  EXPECT_EQ(*FindRunState(folder, runs_[0].experiment), RunState::kFinished);
  Experiment longer = runs_[0].experiment;
  longer.set_total_env_steps(2048);
  EXPECT_EQ(*FindRunState(folder, longer), RunState::kHalfDone);
  Experiment kept = runs_[0].experiment;
  kept.mutable_checkpoint()->set_keep(7);
  EXPECT_EQ(*FindRunState(folder, kept), RunState::kFinished);
  std::filesystem::remove(folder + "/actors/final.safetensors");
  EXPECT_EQ(*FindRunState(folder, runs_[0].experiment), RunState::kHalfDone);
}

TEST_F(SweepResults, RunsOfOtherSettingsAreNoResultsOfThese) {
  Plan();
  swept_.Finish(runs_[0], {1, 2, 3, 4});
  const std::string folder = absl::StrCat(swept_.options.run_folder, "/", runs_[0].name);
  const auto refusal = [&](const Experiment& experiment) {
    const absl::Status status = FindRunState(folder, experiment).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return std::string(status.message());
  };
  Experiment other = runs_[0].experiment;
  other.mutable_ppo()->set_clip(0.25);
  other.mutable_evaluation()->set_episodes(3);
  EXPECT_THAT(refusal(other), AllOf(HasSubstr("ppo.clip: 0.3 -> 0.25"), HasSubstr("evaluation.episodes: 2 -> 3")));
  Experiment warm = runs_[0].experiment;
  warm.set_initial_actors("a.safetensors");
  (*warm.mutable_group_initial_actors())["walkers"] = "b.safetensors";
  EXPECT_THAT(refusal(warm), AllOf(HasSubstr("; group_initial_actors.walkers: (none) -> \"b.safetensors\""),
                                   HasSubstr("initial_actors: (none) -> \"a.safetensors\"")));
  Experiment shorter = runs_[0].experiment;
  shorter.set_total_env_steps(512);
  EXPECT_THAT(refusal(shorter), HasSubstr("total_env_steps: 1024 -> 512"));
}

TEST_F(SweepResults, EvaluationsAreReadInTheOrderOfTheirSteps) {
  const std::string folder = swept_.folder / "run";
  WriteText(folder + "/metrics.jsonl",
            "{\"evaluation\":{\"count\":2,\"episode_return\":3,\"statistics\":{\"goals\":null}},\"env_steps\":512}\n"
            "{\"evaluation\":{\"count\":2,\"episode_return\":1},\"env_steps\":256}\n"
            "{\"env_steps\":512,\"wall_seconds\":2.5}\n{\"env_steps\":768,\"wall_sec");
  const RecordedRun run = ReadRecordedRun(folder).value();
  EXPECT_EQ(run.env_steps, 512);
  EXPECT_EQ(run.wall_seconds, 2.5);
  ASSERT_EQ(run.evaluations.size(), 2);
  EXPECT_EQ(*ScoreOf(run, "episode_return", 1), 3);
  EXPECT_EQ(*ScoreOf(run, "episode_return", 2), 2);
  EXPECT_EQ(*ScoreOf(run, "episode_return", 5), 2);
  EXPECT_TRUE(std::isnan(*ScoreOf(run, "goals", 1)));
  const absl::Status unknown = ScoreOf(run, "golas", 1).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(unknown.message(), HasSubstr("there are episode_return, goals"));
  EXPECT_EQ(ScoreOf(RecordedRun(), "goals", 1).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(ReadRecordedRun(swept_.folder / "nowhere")->evaluations.empty());
}

TEST_F(SweepResults, RowsHaveTheMeansOfTheirLastEvaluations) {
  Plan();
  // In the order of the plan: small/wide, small/narrow, large/wide, large/narrow of seed 1, then of seed 2.
  for (size_t i = 0; i < runs_.size(); ++i) swept_.Finish(runs_[i], {0, 0, 1.0 * i + 1, 1.0 * i + 3});
  const std::vector<TaskSummary> tasks = Summarise(std::vector<bool>(8, true));
  ASSERT_EQ(tasks.size(), 2);
  const RowSummary& wide = tasks[0].rows[0];
  EXPECT_EQ(wide.mean.mean, 4);                      // of 2 and 6
  EXPECT_NEAR(wide.mean.half_width, 25.4124, 1e-3);  // 12.7062 · 2, Student's t of one degree of freedom
  EXPECT_EQ(wide.interquartile_mean, 4);
  EXPECT_EQ(wide.interquartile_interval.low, 2);
  EXPECT_EQ(wide.wall_seconds, 2);
  EXPECT_EQ(wide.env_steps_per_second, 512);
  EXPECT_EQ(*tasks[0].rows[0].relative, 1);
  EXPECT_EQ(*tasks[0].rows[1].relative, 1.25);
  const std::string table = FormatSweepTable(swept_.options, tasks);
  EXPECT_THAT(table, HasSubstr("small (environment grid_world)"));
  EXPECT_THAT(table, HasSubstr("its last 2 evaluations."));
  EXPECT_THAT(table, HasSubstr("125.0 %"));
  EXPECT_THAT(table, HasSubstr("2 … 6"));
}

TEST_F(SweepResults, SmallerMayBeBetter) {
  Plan();
  for (PlannedRun& run : runs_) {
    run.experiment.mutable_evaluation()->set_smaller_is_better(true);
    swept_.Finish(run, {1, 1, run.row == "wide" ? 2.0 : 4.0, run.row == "wide" ? 2.0 : 4.0});
  }
  EXPECT_EQ(*Summarise(std::vector<bool>(8, true))[1].rows[1].relative, 0.5);
}

TEST_F(SweepResults, UnfinishedRunsAreCountedAndLeftOut) {
  Plan();
  for (const PlannedRun& run : runs_) swept_.Finish(run, {1, 1, 1, 1});
  std::vector<bool> finished(8, true);
  finished[5] = false;  // small/narrow of seed 2
  const std::vector<TaskSummary> tasks = Summarise(finished);
  EXPECT_EQ(tasks[0].rows[1].finished.size(), 1);
  EXPECT_EQ(tasks[0].rows[1].planned, 2);
  EXPECT_THAT(FormatSweepTable(swept_.options, tasks), HasSubstr("1/2"));
  EXPECT_THAT(SharedSeeds(swept_.options, tasks), ElementsAre(1));
  EXPECT_THAT(FormatMarlEvalResults(swept_.options, tasks), Not(HasSubstr("seed_2")));
  EXPECT_EQ(Json::parse(FormatScores(swept_.options, tasks))["scores"]["wide"], Json::parse("[[1, 1]]"));
  // Nothing at all is no mistake either.
  const std::vector<TaskSummary> none = Summarise(std::vector<bool>(8, false));
  EXPECT_THAT(FormatSweepTable(swept_.options, none), HasSubstr("0/2"));
  EXPECT_EQ(Json::parse(FormatScores(swept_.options, none))["seeds"], Json::array());
}

TEST_F(SweepResults, FilesHaveTheShapesThatTheirReadersWant) {
  Plan();
  for (size_t i = 0; i < runs_.size(); ++i) swept_.Finish(runs_[i], {0, 0, 1.0 * i + 1, 1.0 * i + 3});
  // An evaluation that one run did not get back is none of the task's.
  swept_.Finish(runs_[1], {0, 0, 2, 4, 5});
  const std::vector<TaskSummary> tasks = Summarise(std::vector<bool>(8, true));
  const Json scores = Json::parse(FormatScores(swept_.options, tasks));
  EXPECT_EQ(scores["tasks"], Json::parse(R"(["small", "large"])"));
  EXPECT_EQ(scores["seeds"], Json::parse("[1, 2]"));
  EXPECT_EQ(scores["scores"]["wide"], Json::parse("[[2, 4], [6, 8]]"));
  EXPECT_EQ(scores["scores"]["narrow"], Json::parse("[[4.5, 5], [7, 9]]"));
  const Json results = Json::parse(FormatMarlEvalResults(swept_.options, tasks));
  const Json& run = results["grid_world"]["small"]["narrow"]["seed_1"];
  EXPECT_EQ(run.size(), 5);
  EXPECT_EQ(run["step_3"]["step_count"], 1024);
  EXPECT_EQ(run["step_3"]["episode_return"], Json::parse("[4.0]"));
  EXPECT_EQ(run["step_3"]["goals"], Json::parse("[8.0]"));
  EXPECT_EQ(run["absolute_metrics"]["episode_return"], Json::parse("[4.5]"));
  EXPECT_EQ(run["absolute_metrics"]["goals"], Json::parse("[9.0]"));
}

}  // namespace
}  // namespace troupe::testing
