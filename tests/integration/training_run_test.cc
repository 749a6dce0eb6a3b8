// Whole runs: learner and workers as processes, gRPC between them.
#include <sys/wait.h>

#include <numeric>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/traffic/road_network.h"
#include "actor_worker/environments/traffic/sumo/network_export.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

std::vector<int> UpTo(int last) {
  std::vector<int> numbers(last);
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

// The records and the last checkpoint say so many updates. Whose steps these were made of, they do not:
// tests/faults/identities.py looks at that.
void ExpectEveryUpdateRecordedOnce(const SmallRun& run, int updates) {
  EXPECT_EQ(run.RecordedUpdates(), UpTo(updates));
  const auto last = ReadCheckpoint(CheckpointStore(run.folder / "run/checkpoints", 1).PathOf(updates));
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(last->counters.update, updates);
}

std::string WeightsWith(const std::string& mode, int workers, const std::vector<std::string>& flags = {},
                        const std::string& environment = kGridWorld) {
  SmallRun run(mode, 12, environment);
  const auto learner = run.Learner(workers, flags);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  ExpectEveryUpdateRecordedOnce(run, 12);
  return learner->WordAfter("weights sha256 ");
}

TEST(Determinism, SynchronousWeightsDoNotDependOnTheNumberOfWorkers) {
  const std::string one = WeightsWith("SYNCHRONOUS", 1);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(WeightsWith("SYNCHRONOUS", 2), one);
  EXPECT_EQ(WeightsWith("SYNCHRONOUS", 4), one);
}

TEST(Determinism, PipelinedWeightsDoNotDependOnTheNumberOfWorkers) {
  const std::string one = WeightsWith("PIPELINED", 1);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(WeightsWith("PIPELINED", 2), one);
  EXPECT_EQ(WeightsWith("PIPELINED", 4), one);
}

TEST(Determinism, WeightsOfGaussianPoliciesDoNotDependOnTheNumberOfWorkers) {
  const std::vector<std::string> flags = {"--set=ppo.noise_scale=1.3", "--set=ppo.final_noise_scale=0.8"};
  const std::string pendulum = "name: 'pendulum' settings { key: 'max_steps' value: '20' }";
  const std::string one = WeightsWith("PIPELINED", 1, flags, pendulum);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(WeightsWith("PIPELINED", 2, flags, pendulum), one);
  EXPECT_EQ(WeightsWith("PIPELINED", 4, flags, pendulum), one);
  EXPECT_NE(WeightsWith("PIPELINED", 1, {}, pendulum), one);
}

TEST(Determinism, WeightsOfMultiDiscretePoliciesDoNotDependOnTheNumberOfWorkers) {
  const std::string reference =
      "name: 'simple_reference' settings { key: 'actions' value: 'MULTI_DISCRETE' } settings { key: 'max_steps' value: "
      "'20' }";
  const std::string one = WeightsWith("PIPELINED", 1, {}, reference);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(WeightsWith("PIPELINED", 2, {}, reference), one);
  EXPECT_EQ(WeightsWith("PIPELINED", 4, {}, reference), one);
}

// The settings change the weights, the number of workers does not.
void ExpectTheSameWeightsOfAnyWorkers(const std::string& mode, const std::vector<std::string>& flags) {
  const std::string one = WeightsWith(mode, 1, flags);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(WeightsWith(mode, 2, flags), one);
  EXPECT_EQ(WeightsWith(mode, 4, flags), one);
  EXPECT_NE(WeightsWith(mode, 1), one);
}

TEST(Determinism, WeightsOfRecurrentNetworksDoNotDependOnTheNumberOfWorkers) {
  ExpectTheSameWeightsOfAnyWorkers("PIPELINED", {"--set=policy.recurrent_cell=GRU", "--set=policy.recurrent_size=16",
                                                 "--set=critic.recurrent_cell=LSTM", "--set=critic.recurrent_size=16",
                                                 "--set=collection.sequence_length=5"});
}

TEST(Determinism, WeightsOfAgentsThatTalkDoNotDependOnTheNumberOfWorkers) {
  for (const std::string mode : {"PIPELINED", "SYNCHRONOUS"}) {
    ExpectTheSameWeightsOfAnyWorkers(mode, {"--set=policy.message_size=3", "--set=collection.sequence_length=5"});
  }
}

TEST(Determinism, WeightsOfAgentsThatFollowOptionsDoNotDependOnTheNumberOfWorkers) {
  for (const std::string mode : {"PIPELINED", "SYNCHRONOUS"}) {
    ExpectTheSameWeightsOfAnyWorkers(mode, {"--set=policy.num_options=3", "--set=policy.option_steps=5"});
  }
}

// What grid_world shows is exact in half precision.
TEST(Determinism, HalfObservationsThatAreExactGiveTheSameWeights) {
  EXPECT_EQ(WeightsWith("PIPELINED", 2, {"--set=collection.half_observations=true"}), WeightsWith("PIPELINED", 1));
}

TEST(Determinism, AnotherSeedGivesOtherWeights) {
  SmallRun first("SYNCHRONOUS", 2), second("SYNCHRONOUS", 2);
  const auto learner = first.Learner(1), other = second.Learner(1, {"--seed=8"});
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  EXPECT_EQ(other->Wait(), 0) << other->output();
  EXPECT_NE(learner->WordAfter("weights sha256 "), other->WordAfter("weights sha256 "));
}

TEST(Training, AsynchronousRunReachesItsEnd) {
  SmallRun run("ASYNCHRONOUS", 12);
  const auto learner = run.Learner(2);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_EQ(run.RecordedUpdates(), UpTo(12));
}

TEST(Training, AsynchronousRunEndsWithItsLastEvaluation) {
  for (const int workers : {1, 3}) {
    SmallRun run("ASYNCHRONOUS", 60);
    const auto learner =
        run.Learner(workers, {"--set=evaluation.interval_env_steps=7680", "--set=evaluation.episodes=8"});
    EXPECT_EQ(learner->Wait(absl::Seconds(60)), 0) << learner->output() << run.Logs();
    EXPECT_THAT(learner->output(), HasSubstr("evaluation after 15.4 k steps")) << run.Logs();
  }
}

TEST(Training, ClosesWithATableAgainstTheBaselines) {
  SmallRun run("PIPELINED", 4);
  Process learner("learner", {absl::StrCat("--experiment=", run.folder / "e.textproto"),
                              absl::StrCat("--run_dir=", run.folder / "run"), "--local_workers=1",
                              "--set=evaluation.interval_env_steps=512", "--set=evaluation.episodes=4",
                              "--set=evaluation.final_episodes=4"});
  EXPECT_EQ(learner.Wait(), 0) << learner.output() << run.Logs();
  EXPECT_THAT(learner.output(), HasSubstr("the best so far"));
  const std::string table = ReadText(run.folder / "run/evaluation.txt");
  EXPECT_THAT(table, HasSubstr("random"));
  EXPECT_THAT(learner.output(), HasSubstr(table));
  EXPECT_THAT(ReadText(run.folder / "run/evaluation.json"), HasSubstr("\"random\""));
  for (const char* name : {"best", "last", "final"}) {
    EXPECT_TRUE(std::filesystem::exists(run.folder / absl::StrCat("run/actors/", name, ".safetensors"))) << name;
  }
}

// An option that SUMO does not know: every start of it fails.
TEST(Failing, ASimulatorThatNeverRunsEndsTheRunWithItsOwnWords) {
  const auto installation = FindSumo("");
  if (!installation.ok()) GTEST_SKIP() << installation.status();
  SmallRun run("PIPELINED", 4);
  const auto network = LoadRoadNetwork("grid_3x3");
  ASSERT_TRUE(network.ok()) << network.status();
  const auto sumocfg = ExportToSumo(*network, {}, *installation, run.folder.path());
  ASSERT_TRUE(sumocfg.ok()) << sumocfg.status();
  std::ofstream(run.folder / "sumo.textproto")
      << "name: 'failing' total_env_steps: 1000 environment { name: 'sumo' settings { key: 'network' value: '"
      << *sumocfg
      << "' } settings { key: 'sumo_options' value: '--scael 2' } }"
         "collection { num_shards: 2 copies_per_shard: 1 rollout_length: 8 lease_timeout_seconds: 1 }";
  Process learner("learner", {absl::StrCat("--experiment=", run.folder / "sumo.textproto"),
                              absl::StrCat("--run_dir=", run.folder / "run"), "--local_workers=1"});
  const int status = learner.Wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status << learner.output() << run.Logs();
  EXPECT_THAT(learner.output(), HasSubstr("failures in a row"));
  EXPECT_THAT(learner.output(), HasSubstr("No option with the name 'scael' exists"));
}

TEST(Stopping, SigtermLeavesACheckpointAndTheSameCommandGoesOn) {
  SmallRun run("PIPELINED", 400);
  const auto first = run.Learner(2);
  ASSERT_TRUE(run.Reaches(5)) << first->output() << run.Logs();
  first->Signal(SIGTERM);
  EXPECT_EQ(first->Wait(), 0) << first->output();
  EXPECT_THAT(first->output(), HasSubstr("stopped by request after"));
  const size_t done = run.RecordedUpdates().size();
  ASSERT_LT(done, 400);
  const auto second = run.Learner(2);
  EXPECT_EQ(second->Wait(), 0) << second->output() << run.Logs();
  EXPECT_THAT(second->output(), HasSubstr(absl::StrCat("goes on from update ", done)));
  ExpectEveryUpdateRecordedOnce(run, 400);
}

TEST(Stopping, ASecondSignalEndsAtOnceAndTakesTheWorkersAlong) {
  SmallRun run("SYNCHRONOUS", 100000);
  const auto learner = run.Learner(2);
  ASSERT_TRUE(run.Reaches(1)) << learner->output();
  const std::vector<pid_t> workers = learner->Children();
  EXPECT_EQ(workers.size(), 2);
  learner->Signal(SIGSTOP);
  learner->Signal(SIGINT);
  learner->Signal(SIGTERM);
  learner->Signal(SIGCONT);
  EXPECT_NE(learner->Wait(absl::Seconds(20)), -1);
  for (const pid_t worker : workers) {
    for (int i = 0; i < 1000 && IsAlive(worker); ++i) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_FALSE(IsAlive(worker));
  }
}

TEST(Chaos, AKilledWorkerCostsNothingButTime) {
  SmallRun run("PIPELINED", 150);
  const auto learner = run.Learner(2, {"--set=collection.lease_timeout_seconds=1"});
  for (const int updates : {10, 40}) {
    ASSERT_TRUE(run.Reaches(updates)) << learner->output() << run.Logs();
    const std::vector<pid_t> workers = learner->Children();
    ASSERT_FALSE(workers.empty());
    kill(workers.front(), SIGKILL);
  }
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_THAT(learner->output(), HasSubstr("was ended by signal 9"));
  ExpectEveryUpdateRecordedOnce(run, 150);
}

TEST(Chaos, AKilledLearnerGoesOnFromItsCheckpointAndRecordsNothingTwice) {
  SmallRun run("PIPELINED", 120);
  for (const int updates : {15, 60}) {
    const auto learner = run.Learner(2);
    ASSERT_TRUE(run.Reaches(updates)) << learner->output() << run.Logs();
    const std::vector<pid_t> workers = learner->Children();
    learner->Signal(SIGKILL);
    EXPECT_NE(learner->Wait(absl::Seconds(20)), -1);
    for (const pid_t worker : workers) {
      for (int i = 0; i < 1000 && IsAlive(worker); ++i) absl::SleepFor(absl::Milliseconds(10));
      EXPECT_FALSE(IsAlive(worker));
    }
  }
  const auto learner = run.Learner(2);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_THAT(learner->output(), HasSubstr("goes on from update "));
  ExpectEveryUpdateRecordedOnce(run, 120);
}

TEST(Chaos, WorkersOfTheirOwnOutliveTheLearnerAndServeItsSuccessor) {
  SmallRun run("PIPELINED", 100);
  auto first = run.Learner(0);
  ASSERT_TRUE(first->Prints("they connect to ")) << first->output();
  const std::string address = first->WordAfter("they connect to ");
  Process worker("actor_worker", {absl::StrCat("--learner=", address)});
  ASSERT_TRUE(run.Reaches(15)) << first->output();
  first->Signal(SIGKILL);
  EXPECT_NE(first->Wait(absl::Seconds(20)), -1);
  const auto second = run.Learner(0, {absl::StrCat("--listen=", address)});
  EXPECT_EQ(second->Wait(), 0) << second->output() << worker.output();
  ExpectEveryUpdateRecordedOnce(run, 100);
  EXPECT_EQ(worker.Wait(absl::Seconds(30)), 0) << worker.output();
}

TEST(Slow, GridWorldIsLearnt) {
  TemporaryFolder folder;
  Process learner("learner", {"--experiment=" TROUPE_SOURCE_DIR "/deploy/experiments/grid_world.textproto",
                              absl::StrCat("--run_dir=", folder / "run"), "--local_workers=2", "--device=cpu",
                              "--set=total_env_steps=250000", "--set=environment.settings.size=3",
                              "--set=evaluation.interval_env_steps=250000", "--no_final_evaluation"});
  ASSERT_EQ(learner.Wait(absl::Minutes(4)), 0) << learner.output();
  double value = -1000;
  const size_t at = learner.output().rfind("episode_return ");
  ASSERT_NE(at, std::string::npos) << learner.output();
  ASSERT_TRUE(
      absl::SimpleAtod(learner.output().substr(at + 15, learner.output().find(' ', at + 15) - at - 15), &value));
  EXPECT_GT(value, 8.0) << learner.output();
}

}  // namespace
}  // namespace troupe::testing
