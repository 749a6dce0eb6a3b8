// Runs that begin with another run's actors.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kLonger[] =
    "name: 'grid_world' settings { key: 'size' value: '3' } settings { key: 'max_steps' value: '9' }";

TEST(WarmStart, BeginsWithAnotherRunsActorsAndGoesOnWithoutTheirFile) {
  SmallRun other("PIPELINED", 6);
  const auto teacher = other.Learner(1);
  ASSERT_EQ(teacher->Wait(), 0) << teacher->output() << other.Logs();
  const std::string actors = other.folder / "run/actors/final.safetensors";
  const std::vector<std::string> flags = {absl::StrCat("--set=initial_actors=", actors)};

  SmallRun run("PIPELINED", 4, kLonger), same("PIPELINED", 4, kLonger), cold("PIPELINED", 4, kLonger);
  const auto learner = run.Learner(1, flags), twin = same.Learner(2, flags), from_nothing = cold.Learner(1);
  ASSERT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  ASSERT_EQ(twin->Wait(), 0) << twin->output() << same.Logs();
  ASSERT_EQ(from_nothing->Wait(), 0) << from_nothing->output() << cold.Logs();
  EXPECT_THAT(learner->output(), HasSubstr(absl::StrCat("from ", actors, " (run small, group ")));
  EXPECT_THAT(learner->output(), HasSubstr("policy of update 6):"));
  EXPECT_THAT(learner->output(), HasSubstr("/output (weight [1, 16, "));
  EXPECT_THAT(learner->output(), HasSubstr(": taken"));
  EXPECT_THAT(learner->output(), HasSubstr("2 of 2 layers taken"));
  const std::string weights = learner->WordAfter("weights sha256 ");
  EXPECT_EQ(twin->WordAfter("weights sha256 "), weights);
  EXPECT_NE(from_nothing->WordAfter("weights sha256 "), weights);

  std::filesystem::remove(actors);
  std::ofstream(run.folder / "e.textproto") << SmallExperiment("PIPELINED", 8, kLonger);
  const auto second = run.Learner(1, flags);
  EXPECT_EQ(second->Wait(), 0) << second->output() << run.Logs();
  EXPECT_THAT(second->output(), HasSubstr("goes on from update 4"));
  EXPECT_THAT(second->output(), HasSubstr(absl::StrCat("began with the actors of ", actors, " (run small")));
  EXPECT_THAT(second->output(), Not(HasSubstr(": taken")));
}

TEST(WarmStart, IsRefusedWhereNothingFitsOrNothingIsThere) {
  SmallRun other("PIPELINED", 1);
  ASSERT_EQ(other.Learner(1)->Wait(), 0);
  const std::string actors = other.folder / "run/actors/final.safetensors";
  SmallRun run("PIPELINED", 4);
  const auto narrow = run.Learner(1, {absl::StrCat("--set=initial_actors=", actors), "--set=policy.hidden_sizes=9"});
  EXPECT_NE(narrow->Wait(), 0);
  EXPECT_THAT(narrow->output(), HasSubstr(absl::StrCat("initial_actors: nothing of ", actors)));
  const auto missing = run.Learner(1, {"--set=initial_actors=/nowhere.safetensors"});
  EXPECT_NE(missing->Wait(), 0);
  EXPECT_THAT(missing->output(), HasSubstr("initial_actors: open /nowhere.safetensors: No such file"));
}

}  // namespace
}  // namespace troupe::testing
