// What becomes of a run folder that is not as the last start left it, and of starts that come to nothing.
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

void FlipABit(const std::string& path) {
  std::string bytes = ReadText(path);
  bytes[bytes.size() * 2 / 3] ^= 0x10;
  std::ofstream(path, std::ios::trunc | std::ios::binary) << bytes;
}

TEST(RunFolder, DamagedCheckpointsEndEveryStartAndEraseNothing) {
  SmallRun run("SYNCHRONOUS", 12);
  ASSERT_EQ(run.Learner(1)->Wait(), 0);
  const CheckpointStore store(run.folder / "run/checkpoints", 3);
  // One or two: a checkpoint that is due while the one before is still being written takes its place.
  const auto numbered = *store.List();
  ASSERT_FALSE(numbered.empty());
  for (const auto& [update, path] : numbered) FlipABit(path);
  for (int start = 1; start <= 2; ++start) {
    const auto learner = run.Learner(1);
    EXPECT_EQ(WEXITSTATUS(learner->Wait()), 1) << start << learner->output();
    EXPECT_THAT(learner->output(), HasSubstr(absl::StrCat("none of the ", numbered.size(), " checkpoints")));
    EXPECT_THAT(learner->output(), HasSubstr(absl::StrCat("move ", run.folder / "run", " away")));
    EXPECT_THAT(run.RecordedUpdates(), SizeIs(12)) << start;
    EXPECT_EQ(*store.List(), numbered) << start;
  }
}

TEST(RunFolder, AStartThatCameToNothingLeavesTheFolderToTheNext) {
  SmallRun run("SYNCHRONOUS", 2);
  const auto wrong = run.Learner(1, {"--set=environment.settings.size=300"});
  EXPECT_NE(wrong->Wait(), 0) << wrong->output();
  const auto right = run.Learner(1, {"--fresh"});
  EXPECT_EQ(right->Wait(), 0) << right->output() << run.Logs();
}

TEST(RunFolder, ALastCheckpointThatIsNotWrittenEndsWithAnErrorThatSaysWhatIsOlder) {
  SmallRun run("PIPELINED", 300);
  const auto learner = run.Learner(1);
  ASSERT_TRUE(run.Reaches(1)) << learner->output();
  std::filesystem::rename(run.folder / "run/actors", run.folder / "elsewhere");
  EXPECT_EQ(WEXITSTATUS(learner->Wait()), 1) << learner->output();
  EXPECT_THAT(learner->output(), HasSubstr("learner: "));
  EXPECT_THAT(learner->output(), HasSubstr("actors/last.safetensors of update 300 is not written"));
}

TEST(RunFolder, AnExtendedRunDoesNotKeepTheFirstLegsFinalResults) {
  SmallRun run("PIPELINED", 2);
  const auto start = [&](const std::string& steps) {
    return std::make_unique<Process>(
        "learner", std::vector<std::string>{absl::StrCat("--experiment=", run.folder / "e.textproto"),
                                            absl::StrCat("--run_dir=", run.folder / "run"), "--local_workers=1",
                                            "--set=evaluation.final_episodes=2", "--set=total_env_steps=" + steps});
  };
  const auto first = start("512");
  ASSERT_EQ(first->Wait(), 0) << first->output();
  const std::string table = ReadText(run.folder / "run/evaluation.txt");
  const auto second = start("25600000");
  ASSERT_TRUE(run.Reaches(5)) << second->output() << run.Logs();
  second->Signal(SIGTERM);
  EXPECT_EQ(second->Wait(), 0) << second->output();
  for (const char* name : {"evaluation.txt", "evaluation.json", "actors/final.safetensors"}) {
    EXPECT_FALSE(std::filesystem::exists(run.folder / absl::StrCat("run/", name))) << name;
  }
  EXPECT_EQ(ReadText(run.folder / "run/evaluation-after-512-steps.txt"), table);
  EXPECT_TRUE(std::filesystem::exists(run.folder / "run/actors/final-after-512-steps.safetensors"));
}

TEST(RunFolder, LearningRatesMayChangeOnTheWayAndTheTaskNot) {
  SmallRun run("SYNCHRONOUS", 2);
  ASSERT_EQ(run.Learner(1)->Wait(), 0);
  const auto faster = run.Learner(1, {"--set=ppo.actor_learning_rate=0.002", "--set=total_env_steps=1024"});
  EXPECT_EQ(faster->Wait(), 0) << faster->output();
  EXPECT_THAT(faster->output(), HasSubstr("on with other settings: total_env_steps: 512 -> 1024; "
                                          "ppo.actor_learning_rate: 0.0005 -> 0.002"));
  const auto other = run.Learner(1, {"--set=environment.settings.size=4", "--set=total_env_steps=2048"});
  EXPECT_EQ(WEXITSTATUS(other->Wait()), 1) << other->output();
  EXPECT_THAT(other->output(), HasSubstr("environment.settings.size: \"3\" -> \"4\""));
  EXPECT_THAT(ReadText(run.folder / "run/experiment.textproto"), HasSubstr("value: \"3\""));
}

}  // namespace
}  // namespace troupe::testing
