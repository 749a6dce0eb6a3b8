// Self-play against saved versions over real processes: the same weights whoever collects, and from where a learner
// goes on; what it comes to in a game whose equilibrium is known.
#include <cmath>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGame[] =
    "name: 'zero_sum' settings { key: 'game' value: 'heavy_rock' } settings { key: 'rounds' value: '3' }";

const std::vector<std::string> kPool = {"--set=self_play.save_interval_updates=2", "--set=self_play.pool_size=3",
                                        "--set=self_play.newest_probability=0.3", "--set=self_play.opponents=HARDEST"};

std::string RunId(const std::string& run_folder) {
  std::string id = ReadText(run_folder + "/run_id");
  id.pop_back();  // the end of the line
  return id;
}

Checkpoint Newest(const std::string& run_folder) {
  std::vector<std::string> passed_over;
  return **CheckpointStore(run_folder + "/checkpoints", 1).LoadNewest(RunId(run_folder), &passed_over);
}

std::vector<uint64_t> PoolOf(const std::string& run_folder) {
  std::vector<uint64_t> versions;
  const Checkpoint newest = Newest(run_folder);
  for (const SavedVersion& saved : newest.self_play->pool) versions.push_back(saved.actors->policy_version);
  return versions;
}

std::string WeightsWith(const std::string& mode, int workers, const std::vector<std::string>& flags) {
  const SmallRun run(mode, 14, kGame);
  const auto learner = run.Learner(workers, flags);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  return learner->WordAfter("weights sha256 ");
}

TEST(SelfPlay, WeightsDoNotDependOnTheNumberOfWorkers) {
  for (const char* const mode : {"SYNCHRONOUS", "PIPELINED"}) {
    const std::string one = WeightsWith(mode, 1, kPool);
    EXPECT_EQ(one.size(), 64);
    EXPECT_EQ(WeightsWith(mode, 2, kPool), one) << mode;
    EXPECT_EQ(WeightsWith(mode, 4, kPool), one) << mode;
    EXPECT_NE(WeightsWith(mode, 1, {}), one) << mode;
  }
}

TEST(SelfPlay, ARunThatGoesOnMeetsTheSameOpponentsWhoeverCollects) {
  const SmallRun run("PIPELINED", 7, kGame);
  const auto first = run.Learner(2, kPool);
  ASSERT_EQ(first->Wait(), 0) << first->output() << run.Logs();
  EXPECT_THAT(PoolOf(run.folder / "run"), ElementsAre(2, 4, 6));
  std::vector<std::string> weights;
  for (const int workers : {1, 2, 4}) {
    const SmallRun again("PIPELINED", 14, kGame);
    std::filesystem::copy(run.folder / "run", again.folder / "run", std::filesystem::copy_options::recursive);
    const auto second = again.Learner(workers, kPool);
    EXPECT_EQ(second->Wait(), 0) << second->output() << again.Logs();
    EXPECT_THAT(second->output(), HasSubstr("goes on from update 7"));
    EXPECT_THAT(second->output(), HasSubstr("(NEWEST_STAY), 3 now; 70 % of the episodes are against one of them"));
    EXPECT_THAT(PoolOf(again.folder / "run"), ElementsAre(10, 12, 14));
    weights.push_back(second->WordAfter("weights sha256 "));
  }
  EXPECT_EQ(weights[0].size(), 64);
  EXPECT_EQ(weights[1], weights[0]);
  EXPECT_EQ(weights[2], weights[0]);
}

TEST(SelfPlay, AKilledLearnerGoesOnWithItsPool) {
  const SmallRun run("PIPELINED", 14, kGame);
  std::vector<std::string> flags = kPool;
  flags.push_back("--set=checkpoint.interval_env_steps=256");
  for (const int updates : {4, 9}) {
    const auto learner = run.Learner(2, flags);
    ASSERT_TRUE(run.Reaches(updates)) << learner->output() << run.Logs();
    learner->Signal(SIGKILL);
    EXPECT_NE(learner->Wait(absl::Seconds(20)), -1);
  }
  const auto learner = run.Learner(2, flags);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_THAT(PoolOf(run.folder / "run"), ElementsAre(10, 12, 14));
}

TEST(SelfPlay, AFrozenGroupStaysAsItBegan) {
  const auto column_of = [](const std::vector<HostTensor>& tensors) {
    std::vector<std::vector<char>> bytes;
    for (const HostTensor& tensor : tensors) {
      if (tensor.name.starts_with("column/")) bytes.push_back(tensor.bytes);
    }
    return bytes;
  };
  std::vector<std::vector<std::vector<char>>> after;
  std::vector<std::string> weights;
  for (const int updates : {1, 6}) {
    const SmallRun run("PIPELINED", updates, kGame);
    const auto learner = run.Learner(1, {"--set=group_policies.column.frozen=true"});
    ASSERT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
    weights.push_back(learner->WordAfter("weights sha256 "));
    after.push_back(column_of(Newest(run.folder / "run").policy.tensors));
  }
  EXPECT_FALSE(after[0].empty());
  EXPECT_EQ(after[0], after[1]);
  EXPECT_NE(weights[0], weights[1]) << "row was trained";
}

TEST(SelfPlay, SettingsThatMakeNoSenseAreRefusedBeforeAnythingStarts) {
  const SmallRun run("PIPELINED", 2, kGridWorld);
  const auto learner = run.Learner(1, kPool);
  EXPECT_NE(learner->Wait(), 0) << learner->output();
  EXPECT_THAT(learner->output(), HasSubstr("self_play.save_interval_updates: 2, but of the 1 team of grid_world"));
}

}  // namespace
}  // namespace troupe::testing
