#include "learner/run/run_start.h"

#include <filesystem>
#include <fstream>

#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A folder that was claimed by run "id" and in which three updates were trained.
class RunStartTest : public ::testing::Test {
 protected:
  void Train(const Experiment& experiment, int updates) {
    ASSERT_TRUE((*RunFolder::Open(run.folder.path()))->Claim("id", experiment).ok());
    TinyProcess process(run, experiment);
    process.parts.stop_requested = [&] { return process.algorithm.updates() == updates; };
    ASSERT_TRUE(process.Run().ok());
  }
  absl::StatusOr<RunStart> Find(const Experiment& experiment, bool fresh = false) {
    lines.clear();
    const auto folder = RunFolder::Open(run.folder.path());
    return FindRunStart(**folder, experiment, fresh, &lines);
  }
  std::string Refusal(const Experiment& experiment, bool fresh = false) {
    return std::string(Find(experiment, fresh).status().message());
  }
  static void Damage(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out);
    file.seekp(std::filesystem::file_size(path) * 2 / 3);
    file.put('\x7f');
  }

  TinyRun run;
  std::vector<std::string> lines;
};

TEST_F(RunStartTest, AFolderInWhichNothingWasKeptIsTakenOverByAnyExperiment) {
  ASSERT_TRUE((*RunFolder::Open(run.folder.path()))->Claim("id", TinyExperiment()).ok());
  const auto start = Find(TinyExperiment("seed: 5 critic { hidden_sizes: [8] }"), /*fresh=*/true);
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_FALSE(start->resumed);
  EXPECT_EQ(start->checkpoint.run_id.size(), 16);
  EXPECT_NE(start->checkpoint.run_id, "id");
}

TEST_F(RunStartTest, GoesOnUnderTheNewExperimentAndTellsWhatChanged) {
  Train(TinyExperiment(), 3);
  const auto start = Find(TinyExperiment("ppo { epochs: 3 }"));
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_TRUE(start->resumed);
  EXPECT_EQ(start->checkpoint.run_id, "id");
  EXPECT_EQ(start->checkpoint.counters.update, 3);
  EXPECT_EQ(start->checkpoint.experiment.ppo().epochs(), 3);
  EXPECT_THAT(lines, ElementsAre("from 24 environment steps on with other settings: ppo.epochs: 10 -> 3"));
}

TEST_F(RunStartTest, SchedulesStayThoseOfTheRunAsItBeganUnlessTheSettingSaysOtherwise) {
  const std::string annealed = "ppo { anneal_learning_rate: true } ";
  const auto fresh = Find(TinyExperiment(annealed));
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  const uint64_t total = TinyExperiment().total_env_steps();
  EXPECT_EQ(fresh->checkpoint.experiment.ppo().schedule_env_steps(), total);
  Train(TinyExperiment(annealed), 3);
  Experiment longer = TinyExperiment(annealed);
  longer.set_total_env_steps(2 * total);
  const auto resumed = Find(longer);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->checkpoint.experiment.ppo().schedule_env_steps(), total);
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("schedules stay those of a run of 80 environment steps")));
  longer.mutable_ppo()->set_schedule_env_steps(2 * total);
  const auto chosen = Find(longer);
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->checkpoint.experiment.ppo().schedule_env_steps(), 2 * total);
}

TEST_F(RunStartTest, FreshRefusesARunThatIsThere) {
  Train(TinyExperiment(), 3);
  EXPECT_THAT(Refusal(TinyExperiment(), /*fresh=*/true), HasSubstr("--fresh: "));
}

TEST_F(RunStartTest, OtherDecisiveSettingsAreRefusedWhateverTheStoredExperimentSays) {
  Train(TinyExperiment(), 3);
  const Experiment other = TinyExperiment("critic { hidden_sizes: [8] }");
  EXPECT_THAT(Refusal(other), HasSubstr("critic.hidden_sizes: [64, 64] -> [8]"));
  std::filesystem::remove(run.folder / "experiment.textproto");
  EXPECT_THAT(Refusal(other), HasSubstr("critic.hidden_sizes: [64, 64] -> [8]"));
}

TEST_F(RunStartTest, DamagedCheckpointsAreRefusedAtEveryStartAndNothingIsLost) {
  Train(TinyExperiment(), 3);
  Train(TinyExperiment(), 5);
  for (const int update : {3, 5}) Damage(run.store().PathOf(update));
  for (int start = 1; start <= 3; ++start) {
    const std::string refusal = Refusal(TinyExperiment());
    EXPECT_THAT(refusal, HasSubstr("none of the 2 checkpoints")) << start;
    EXPECT_THAT(refusal, HasSubstr("move " + run.folder.path() + " away"));
    EXPECT_THAT(lines, ElementsAre(HasSubstr("000000000005.safetensors"), HasSubstr("000000000003.safetensors")));
    EXPECT_EQ(run.store().List()->size(), 2) << start;
  }
  EXPECT_EQ(ReadLines(run.folder / "metrics.jsonl").size(), 5);
}

TEST_F(RunStartTest, AnOlderCheckpointIsGoneOnFromLoudlyAndTheDroppedRecordsAreKept) {
  Train(TinyExperiment(), 3);
  Train(TinyExperiment(), 5);
  Damage(run.store().PathOf(5));
  const auto start = Find(TinyExperiment());
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_EQ(start->checkpoint.counters.update, 3);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("warning: unusable checkpoint passed over: "), HasSubstr(".damaged"),
                                 HasSubstr("warning: the run goes on from the older checkpoint of update 3")));
  EXPECT_EQ(ReadLines(run.folder / "metrics.jsonl").size(), 5);  // nothing is dropped before training goes on
  Train(TinyExperiment(), 4);
  EXPECT_EQ(ReadLines(run.folder / "metrics.jsonl").size(), 4);
  const std::vector<std::string> dropped = ReadLines(run.folder / "metrics.dropped.jsonl");
  EXPECT_THAT(dropped, ElementsAre(HasSubstr("{\"update\":4,"), HasSubstr("{\"update\":5,")));
}

TEST_F(RunStartTest, ACheckpointFolderThatIsEmptyOrGoneIsNoNewRun) {
  Train(TinyExperiment(), 3);
  std::filesystem::rename(run.folder / "checkpoints", run.folder / "elsewhere");
  EXPECT_THAT(Refusal(TinyExperiment()), HasSubstr("but there was: " + (run.folder / "actors/last.safetensors")));
}

TEST_F(RunStartTest, CheckpointsWithoutARunIdAreRefusedByName) {
  Train(TinyExperiment(), 3);
  std::filesystem::remove(run.folder / "run_id");
  EXPECT_THAT(Refusal(TinyExperiment()), HasSubstr("run_id is missing or empty"));
  std::ofstream(run.folder / "run_id") << "other\n";
  EXPECT_THAT(Refusal(TinyExperiment()), HasSubstr("none of the 1 checkpoints"));
  EXPECT_THAT(lines, ElementsAre(HasSubstr("belongs to run id, this is run other")));
}

TEST_F(RunStartTest, RecordsThatCannotBeReadAreNotDropped) {
  Train(TinyExperiment(), 3);
  const std::string path = run.folder / "metrics.jsonl";
  std::filesystem::rename(path, path + ".aside");
  std::filesystem::create_symlink("metrics.jsonl", path);  // a loop: it is there and cannot be opened
  EXPECT_FALSE(RunRecords::Open(run.folder.path(), 3, 0).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(path));
}

}  // namespace
}  // namespace troupe::testing
