// `learner sweep` with real learners and workers: to the end, again, after a stop, and with a run that cannot work.
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class SweepTest : public ::testing::Test {
 protected:
  // An experiment of so many updates of 256 environment steps, an evaluation after each second.
  void AddExperiment(const std::string& name, int size, int updates) {
    std::ofstream(folder_ / (name + ".textproto"))
        << "name: '" << name << "'\nseed: 7\ntotal_env_steps: " << updates * 256
        << "\nenvironment { name: 'grid_world' settings { key: 'size' value: '" << size
        << "' } }\ncollection { mode: SYNCHRONOUS num_shards: 4 copies_per_shard: 4 rollout_length: 16 }\n"
           "policy { hidden_sizes: [16] }\ncritic { hidden_sizes: [16] }\nppo { epochs: 2 minibatch_size: 128 }\n"
           "compute { device: CPU learner_threads: 1 precision: F32 }\n"
           "evaluation { interval_env_steps: 512 episodes: 4 sample_actions: true }\n"
           "checkpoint { interval_env_steps: 2560 }\n";
    experiments_.push_back(folder_ / (name + ".textproto"));
  }
  std::unique_ptr<Process> Sweep(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"sweep"};
    arguments.insert(arguments.end(), experiments_.begin(), experiments_.end());
    arguments.push_back(absl::StrCat("--run_dir=", folder_ / "sweep"));
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Process>("learner", arguments);
  }
  Json ReadJson(const std::string& name) const {
    return Json::parse(ReadText(folder_ / ("sweep/" + name)), nullptr, /*allow_exceptions=*/false);
  }

  TemporaryFolder folder_;
  std::vector<std::string> experiments_;
};

TEST_F(SweepTest, TrainsEveryExperimentWithEverySeedAndSkipsWhatIsFinished) {
  AddExperiment("small", 3, 6);
  AddExperiment("large", 4, 6);
  const auto sweep = Sweep({"--seeds=1,2", "--parallel=2", "--statistic=success"});
  ASSERT_EQ(sweep->Wait(), 0) << sweep->output();
  EXPECT_THAT(sweep->output(), HasSubstr("sweep of 4 runs, 2 at a time"));
  EXPECT_THAT(sweep->output(), HasSubstr("large/mappo/seed2: done in"));
  EXPECT_THAT(sweep->output(), HasSubstr("small (environment grid_world)"));
  EXPECT_THAT(sweep->output(), HasSubstr("mean of success over its last 3 evaluations"));
  const Json scores = ReadJson("scores.json");
  EXPECT_EQ(scores["tasks"], Json::parse(R"(["small", "large"])"));
  EXPECT_EQ(scores["seeds"], Json::parse("[1, 2]"));
  EXPECT_EQ(scores["scores"]["mappo"].size(), 2);
  const Json run = ReadJson("results.json")["grid_world"]["small"]["mappo"]["seed_2"];
  EXPECT_EQ(run["step_2"]["step_count"], 1536);
  EXPECT_EQ(run["absolute_metrics"]["success"][0], scores["scores"]["mappo"][1][0]);
  const std::string table = ReadText(folder_ / "sweep/table.txt");
  EXPECT_THAT(table, HasSubstr("2/2"));
  const auto again = Sweep({"--seeds=1,2", "--statistic=success"});
  ASSERT_EQ(again->Wait(), 0) << again->output();
  EXPECT_THAT(again->output(), HasSubstr("4 finished already, 0 half-done"));
  EXPECT_THAT(again->output(), Not(HasSubstr("begun")));
  EXPECT_EQ(ReadText(folder_ / "sweep/table.txt"), table);
  // Of what was trained nothing may be taken for results of other settings.
  const auto other = Sweep({"--seeds=1,2", "--set", "ppo.clip=0.1"});
  EXPECT_EQ(WEXITSTATUS(other->Wait()), 1);
  EXPECT_THAT(other->output(), HasSubstr("ppo.clip: 0.2 -> 0.1"));
}

TEST_F(SweepTest, StoppedRunsGoOnFromTheirCheckpoints) {
  AddExperiment("small", 3, 60);
  const auto sweep = Sweep({"--seeds=1,2", "--parallel=1"});
  const std::string records = folder_ / "sweep/small/mappo/seed1/metrics.jsonl";
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (ReadText(records).empty() && absl::Now() < deadline) sweep->Prints("all done", absl::Milliseconds(20));
  const std::vector<pid_t> children = sweep->Children();
  ASSERT_FALSE(children.empty());
  sweep->Signal(SIGTERM);
  ASSERT_EQ(sweep->Wait(), 0) << sweep->output();
  EXPECT_THAT(sweep->output(), HasSubstr("stopped by request; the same command goes on from there"));
  EXPECT_THAT(sweep->output(), Not(HasSubstr("seed2: begun")));
  for (const pid_t child : children) EXPECT_FALSE(IsAlive(child));
  const auto again = Sweep({"--seeds=1,2"});
  ASSERT_EQ(again->Wait(), 0) << again->output();
  // Unless it had been too fast for the signal.
  const bool was_finished = sweep->output().find("seed1: done in") != std::string::npos;
  EXPECT_THAT(again->output(), HasSubstr(was_finished ? "1 finished already" : "0 finished already, 1 half-done"));
  if (!was_finished) {
    EXPECT_THAT(ReadText(folder_ / "sweep/small/mappo/seed1.log"), HasSubstr("goes on from"));
  }
  EXPECT_THAT(again->output(), HasSubstr("2/2"));
}

TEST_F(SweepTest, ARunThatFailsIsToldAndTheOthersAreTheResult) {
  AddExperiment("small", 3, 4);
  // A run that lost its checkpoints ends at every start until somebody decides.
  const std::string lost = folder_ / "sweep/small/mappo/seed1";
  std::filesystem::create_directories(lost + "/actors");
  std::ofstream(lost + "/actors/last.safetensors") << "?";
  const auto sweep = Sweep({"--seeds=1-3", "--parallel=2"});
  EXPECT_EQ(WEXITSTATUS(sweep->Wait()), 1) << sweep->output();
  EXPECT_THAT(sweep->output(), HasSubstr("small/mappo/seed1: exited with status 1, its last line: "));
  EXPECT_THAT(sweep->output(), HasSubstr("1 of 3 runs failed"));
  EXPECT_THAT(sweep->output(), HasSubstr("2/3"));
  EXPECT_EQ(ReadJson("scores.json")["seeds"], Json::parse("[2, 3]"));
  std::filesystem::remove_all(lost);
  const auto again = Sweep({"--seeds=1-3"});
  EXPECT_EQ(again->Wait(), 0) << again->output();
  EXPECT_THAT(again->output(), HasSubstr("2 finished already"));
  EXPECT_EQ(ReadJson("scores.json")["seeds"], Json::parse("[1, 2, 3]"));
}

TEST_F(SweepTest, WhatMakesNoSenseIsNamedBeforeAnythingStarts) {
  AddExperiment("small", 3, 4);
  const struct {
    std::vector<std::string> more;
    const char* message;
  } kCases[] = {{{"--seeds=1,x"}, "--seeds=1,x"},
                {{"--parallel=0"}, "--parallel=0: expected 1 to 64"},
                {{"--last_evaluations=0"}, "--last_evaluations=0: expected 1 to"},
                {{"--local_workers=0"}, "--local_workers=0: expected 1 to"},
                {{"--run_minutes=-1"}, "--run_minutes=-1"},
                {{"--rows=/nowhere"}, "--rows=/nowhere"},
                {{"--vary=ppo.clip"}, "--vary ppo.clip: expected FIELD=A,B"},
                {{"--vary", "ppo.clpi=1,2"}, "ppo.clpi"},
                {{"--statistic=sucess"}, "--statistic=sucess"},
                {{"--set", "environment.settings.size=1000"}, "environment.settings.size"},
                {{"--seed=1"}, "did you mean \"--seeds\"?"}};
  for (const auto& [more, message] : kCases) {
    const auto sweep = Sweep(more);
    EXPECT_EQ(WEXITSTATUS(sweep->Wait()), 2) << sweep->output();
    EXPECT_THAT(sweep->output(), HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "sweep/small"));
  }
  experiments_.clear();
  const auto nothing = Sweep({});
  EXPECT_EQ(WEXITSTATUS(nothing->Wait()), 2);
  EXPECT_THAT(nothing->output(), HasSubstr("an experiment is needed"));
}

}  // namespace
}  // namespace troupe::testing
