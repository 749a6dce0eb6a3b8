// Runs through a curriculum's stages: the same weights whoever collects, and from where a learner goes on.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kMemory[] = "name: 'memory' settings { key: 'length' value: '6' }";

// Every evaluation meets the first stage's bound. Policies 2, 4, 6, 8 are judged and count at 3, 5, 7, 9, where the
// fourth in a row ends the stage; the second stage takes 512 steps, which are two updates.
const std::vector<std::string> kCurriculum = {"--set=curriculum.interval_updates=2",
                                              "--set=curriculum.verdict_updates=1",
                                              "--set=curriculum.stages.0.name=short",
                                              "--set=curriculum.stages.0.settings.length=1",
                                              "--set=curriculum.stages.0.promote.statistic=right",
                                              "--set=curriculum.stages.0.promote.at_least=0",
                                              "--set=curriculum.stages.0.promote.evaluations=4",
                                              "--set=curriculum.stages.1.name=longer",
                                              "--set=curriculum.stages.1.settings.length=3",
                                              "--set=curriculum.stages.1.promote.after_env_steps=512"};
const std::vector<std::string> kStages = {"short", "short",  "short",  "short", "short", "short", "short",
                                          "short", "longer", "longer", "task",  "task",  "task",  "task"};

// The stage that each update's policy implies, as metrics.jsonl has it.
std::vector<std::string> RecordedStages(const std::string& run_folder) {
  std::vector<std::string> stages;
  std::ifstream file(run_folder + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object.contains("curriculum_stage")) stages.push_back(object["curriculum_stage"]);
  }
  return stages;
}

std::string WeightsWith(const std::string& mode, int workers, const std::vector<std::string>& flags) {
  SmallRun run(mode, 14, kMemory);
  const auto learner = run.Learner(workers, flags);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  if (!flags.empty()) {
    EXPECT_EQ(RecordedStages(run.folder / "run"), kStages);
  }
  return learner->WordAfter("weights sha256 ");
}

TEST(Curriculum, WeightsDoNotDependOnTheNumberOfWorkers) {
  for (const char* const mode : {"SYNCHRONOUS", "PIPELINED"}) {
    const std::string one = WeightsWith(mode, 1, kCurriculum);
    EXPECT_EQ(one.size(), 64);
    EXPECT_EQ(WeightsWith(mode, 2, kCurriculum), one) << mode;
    EXPECT_EQ(WeightsWith(mode, 4, kCurriculum), one) << mode;
    EXPECT_NE(WeightsWith(mode, 1, {}), one) << mode;
  }
}

// The checkpoint of update 6 holds the policy that is judged there, whose evaluation counts at 7.
TEST(Curriculum, ARunThatGoesOnHasTheSameStagesAndWeightsWhoeverCollects) {
  SmallRun run("PIPELINED", 6, kMemory);
  const auto first = run.Learner(2, kCurriculum);
  ASSERT_EQ(first->Wait(), 0) << first->output() << run.Logs();
  EXPECT_THAT(first->output(), HasSubstr("training ended in stage short of the curriculum"));
  std::vector<std::string> weights;
  for (const int workers : {1, 2, 4}) {
    const SmallRun again("PIPELINED", 14, kMemory);
    std::filesystem::copy(run.folder / "run", again.folder / "run", std::filesystem::copy_options::recursive);
    const auto second = again.Learner(workers, kCurriculum);
    EXPECT_EQ(second->Wait(), 0) << second->output() << again.Logs();
    EXPECT_THAT(second->output(), HasSubstr("goes on from update 6"));
    EXPECT_EQ(RecordedStages(again.folder / "run"), kStages);
    weights.push_back(second->WordAfter("weights sha256 "));
  }
  EXPECT_EQ(weights[0].size(), 64);
  EXPECT_EQ(weights[1], weights[0]);
  EXPECT_EQ(weights[2], weights[0]);
}

TEST(Curriculum, AKilledLearnerGoesOnThroughTheSameStages) {
  SmallRun run("PIPELINED", 14, kMemory);
  std::vector<std::string> flags = kCurriculum;
  flags.push_back("--set=checkpoint.interval_env_steps=256");
  for (const int updates : {4, 9}) {
    const auto learner = run.Learner(2, flags);
    ASSERT_TRUE(run.Reaches(updates)) << learner->output() << run.Logs();
    learner->Signal(SIGKILL);
    EXPECT_NE(learner->Wait(absl::Seconds(20)), -1);
  }
  const auto learner = run.Learner(2, flags);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_EQ(RecordedStages(run.folder / "run"), kStages);
}

TEST(Curriculum, StagesThatCannotBePlayedAreRefusedBeforeAnythingStarts) {
  const SmallRun run("PIPELINED", 14, kMemory);
  const auto refusal = [&](const std::string& flag) {
    std::vector<std::string> flags = kCurriculum;
    flags.push_back(flag);
    const auto learner = run.Learner(1, flags);
    EXPECT_NE(learner->Wait(), 0) << learner->output();
    EXPECT_FALSE(std::filesystem::exists(run.folder / "run/checkpoints"));
    return learner->output();
  };
  EXPECT_THAT(refusal("--set=curriculum.stages.0.settings.lenght=3"),
              HasSubstr("curriculum.stages.0.settings.lenght: unknown setting; did you mean \"length\"?"));
  EXPECT_THAT(refusal("--set=curriculum.stages.1.settings.num_agents=3"),
              HasSubstr("curriculum.stages.1.settings: they change what agents see or can do"));
  EXPECT_THAT(refusal("--set=curriculum.stages.0.promote.statistic=rite"),
              HasSubstr("curriculum.stages.0.promote.statistic: \"rite\" is not a statistic of memory"));
  EXPECT_THAT(refusal("--set=curriculum.verdict_updates=3"), HasSubstr("curriculum.verdict_updates: 3 is above"));
}

TEST(Curriculum, OnResumeStagesStayAndBoundsMayChange) {
  SmallRun run("PIPELINED", 2, kMemory);
  ASSERT_EQ(run.Learner(1, kCurriculum)->Wait(), 0);
  std::ofstream(run.folder / "e.textproto") << SmallExperiment("PIPELINED", 14, kMemory);
  std::vector<std::string> flags = kCurriculum;
  flags[3] = "--set=curriculum.stages.0.settings.length=2";
  const auto refused = run.Learner(1, flags);
  EXPECT_NE(refused->Wait(), 0);
  EXPECT_THAT(refused->output(), HasSubstr("curriculum.stages.0.settings.length: \"1\" -> \"2\""));
  flags = kCurriculum;
  flags[6] = "--set=curriculum.stages.0.promote.evaluations=1";
  const auto told = run.Learner(1, flags);
  EXPECT_EQ(told->Wait(), 0) << told->output() << run.Logs();
  EXPECT_THAT(told->output(), HasSubstr("curriculum.stages.0.promote.evaluations: 4 -> 1"));
  EXPECT_EQ(RecordedStages(run.folder / "run")[2], "longer");
}

}  // namespace
}  // namespace troupe::testing
