#include "learner/run/run_results.h"

#include <filesystem>
#include <fstream>

#include "common/specs/actor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kEvaluated[] = "evaluation { interval_env_steps: 16 best_by: 'waiting' episodes: 2 ";

// Trains to `updates`, after which no policy is evaluated any more, with waiting_of_version[v] = values[v]; smaller is
// better.
class RunResultsTest : public ::testing::Test {
 protected:
  void Train(const Experiment& experiment, int updates, const std::map<uint64_t, float>& values) {
    TinyProcess process(run, experiment);
    lines.clear();
    ASSERT_TRUE(TakeUpBest(**RunFolder::Open(run.folder.path()), &process.start, &lines).ok());
    process.server.waiting_of_version = values;
    process.parts.stop_requested = [&] { return process.algorithm.updates() == updates; };
    ASSERT_TRUE(process.Run().ok());
  }
  BestEvaluation BestFile() const { return ReadCheckpoint(run.store().best_path())->counters.best.value(); }
  std::optional<BestEvaluation> BestActors() const {
    return ReadActorFile(run.folder / "actors/best.safetensors")->best;
  }

  TinyRun run;
  std::vector<std::string> lines;
  const Experiment experiment = TinyExperiment(absl::StrCat(kEvaluated, "smaller_is_better: true }"));
};

TEST_F(RunResultsTest, TheBestFilesSayWhatTheirValueIsOf) {
  Train(experiment, 6, {{2, 5.0f}, {4, 3.0f}, {6, 4.0f}});
  const BestEvaluation expected{3.0, 4, 32, {"waiting", true, 2, 1000000, false, TinyBasis().environment}};
  EXPECT_EQ(BestFile(), expected);
  EXPECT_EQ(BestActors(), expected);
  EXPECT_FALSE(ReadActorFile(run.folder / "actors/last.safetensors")->best.has_value());
}

// The learner dies after a new best was written and before the checkpoint that tells of it.
TEST_F(RunResultsTest, AWorsePolicyDoesNotReplaceTheBestOfBeforeACrash) {
  Train(experiment, 3, {{2, 5.0f}});
  Train(experiment, 5, {{4, 3.0f}});
  EXPECT_EQ(BestFile().policy_version, 4);
  std::filesystem::rename(run.store().PathOf(5), run.folder / "lost");
  Train(experiment, 7, {{4, 3.5f}, {6, 4.0f}});  // better than 5.0, worse than what is on disk
  EXPECT_EQ(BestFile().policy_version, 4);
  EXPECT_EQ(BestFile().value, 3.0);
  EXPECT_EQ(BestActors(), BestFile());
}

TEST_F(RunResultsTest, AValueOfOtherEvaluationsIsNotComparedAndItsPolicyIsKept) {
  for (const char* other : {"smaller_is_better: true first_seed: 7 }", "smaller_is_better: true sample_actions: true }",
                            "smaller_is_better: false }"}) {
    SCOPED_TRACE(other);
    for (const char* name : {"checkpoints", "actors"}) {
      std::filesystem::remove_all(run.folder / name);
      std::filesystem::create_directory(run.folder / name);
    }
    Train(experiment, 3, {{2, 3.0f}});
    Train(TinyExperiment(absl::StrCat(kEvaluated, other)), 5, {{4, 3.0f}});
    EXPECT_EQ(BestFile().policy_version, 4);
    EXPECT_THAT(lines, ElementsAre(HasSubstr("the two are not compared"), HasSubstr("best-of-update-2.safetensors"),
                                   HasSubstr("actors/best-of-update-2.safetensors")));
    EXPECT_EQ(ReadActorFile(run.folder / "actors/best-of-update-2.safetensors")->best->value, 3.0);
    EXPECT_EQ(ReadCheckpoint(run.folder / "checkpoints/best-of-update-2.safetensors")->counters.update, 2);
  }
}

TEST_F(RunResultsTest, ADamagedBestIsSetAsideAndItsActorsStillSetTheStandard) {
  Train(experiment, 3, {{2, 3.0f}});
  std::filesystem::resize_file(run.store().best_path(), 100);
  Train(experiment, 5, {{4, 4.0f}});
  EXPECT_THAT(lines, ElementsAre(HasSubstr("best.safetensors.damaged")));
  EXPECT_EQ(BestActors()->policy_version, 2);
}

TEST_F(RunResultsTest, ABestThatIsInNoFileIsToldAndNotBelieved) {
  Train(experiment, 3, {{2, 3.0f}});
  std::filesystem::remove(run.store().best_path());
  std::filesystem::remove(run.folder / "actors/best.safetensors");
  Train(experiment, 5, {{4, 4.0f}});
  EXPECT_THAT(lines, ElementsAre(HasSubstr("is in no file")));
  EXPECT_EQ(BestFile().policy_version, 4);
}

TEST_F(RunResultsTest, BestActorsFollowTheBestCheckpoint) {
  Train(experiment, 3, {{2, 3.0f}});
  std::filesystem::remove(run.folder / "actors/best.safetensors");  // died between the two
  Train(experiment, 5, {{4, 4.0f}});
  EXPECT_EQ(BestActors()->policy_version, 2);
}

TEST_F(RunResultsTest, FinalActorsThatCannotBeWrittenAreNamedAsOlder) {
  Train(experiment, 3, {});
  const Checkpoint last = *ReadCheckpoint(run.store().PathOf(3));
  const auto folder = *RunFolder::Open(run.folder.path());
  std::filesystem::create_directories(folder->File("actors/final.safetensors/in_the_way"));
  const absl::Status status = KeepFinalActors(*folder, last);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "not RESOURCE_EXHAUSTED, which is a run that does not fit";
  EXPECT_THAT(std::string(status.message()), HasSubstr("actors/final.safetensors of update 3 is not written"));
}

TEST_F(RunResultsTest, FinalResultsOfAnotherPolicyAreNoneAndAreRenamed) {
  Train(experiment, 3, {});
  const Checkpoint last = *ReadCheckpoint(run.store().PathOf(3));
  const auto folder = *RunFolder::Open(run.folder.path());
  ASSERT_TRUE(KeepActors(*folder, "final", last).ok());
  EXPECT_FALSE(HasFinalTable(*folder, last.counters));
  std::ofstream(folder->File("evaluation.txt")) << "table\n";
  EXPECT_FALSE(HasFinalTable(*folder, last.counters));
  std::ofstream(folder->File("evaluation.json"))
      << R"({"players":[{"name":"mappo final","policy_version":3,"env_steps":24},{"name":"random"}]})";
  EXPECT_TRUE(HasFinalTable(*folder, last.counters));
  lines.clear();
  ASSERT_TRUE(SetFinalResultsAside(*folder, &last.counters, &lines).ok());
  EXPECT_THAT(lines, IsEmpty());

  RunCounters later = last.counters;
  later.update = 4;
  later.env_steps = 32;
  EXPECT_FALSE(HasFinalTable(*folder, later));
  ASSERT_TRUE(SetFinalResultsAside(*folder, &later, &lines).ok());
  EXPECT_EQ(lines.size(), 3);
  for (const char* name :
       {"evaluation-after-24-steps.txt", "evaluation-after-24-steps.json", "actors/final-after-24-steps.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(folder->File(name))) << name;
  }
  lines.clear();
  ASSERT_TRUE(SetFinalResultsAside(*folder, nullptr, &lines).ok());
  EXPECT_THAT(lines, IsEmpty());
}

}  // namespace
}  // namespace troupe::testing
