// Several learners of one run as processes, Gloo between them over loopback, workers of their own for each.
#include <sys/wait.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "tests/integration/run_processes.h"
#include "tests/support/loopback.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// A run whose learners are started by number.
struct RankedRun : SmallRun {
  using SmallRun::SmallRun;

  std::vector<std::string> Environment(int rank, int size = 2) const {
    // torchrun's agents count restarts each for itself: the last is no two learners' common name for anything.
    return {absl::StrCat("RANK=", rank), absl::StrCat("WORLD_SIZE=", size), "MASTER_ADDR=127.0.0.1",
            absl::StrCat("MASTER_PORT=", port), absl::StrCat("TORCHELASTIC_RESTART_COUNT=", rank)};
  }
  std::unique_ptr<Process> Rank(int rank, std::vector<std::string> more = {}, int size = 2) const {
    std::vector<std::string> arguments = {"train", absl::StrCat("--experiment=", experiment),
                                          absl::StrCat("--run_dir=", folder / "run"), "--local_workers=1",
                                          "--no_final_evaluation"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Process>("learner", arguments, Environment(rank, size));
  }
  std::vector<std::unique_ptr<Process>> Ranks(const std::vector<std::string>& more = {}, int size = 2) const {
    std::vector<std::unique_ptr<Process>> ranks;
    for (int rank = 0; rank < size; ++rank) ranks.push_back(Rank(rank, more, size));
    return ranks;
  }
  Checkpoint CheckpointAt(int update) const {
    const auto read = ReadCheckpoint(CheckpointStore(folder / "run/checkpoints", 1).PathOf(update));
    EXPECT_TRUE(read.ok()) << read.status();
    return read.value_or(Checkpoint());
  }

  // Waits until the checkpoint of that update, or a later one, is on disk.
  bool Keeps(uint64_t update) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (absl::Now() < deadline) {
      const auto kept = CheckpointStore(folder / "run/checkpoints", 1).List();
      if (kept.ok() && !kept->empty() && kept->back().first >= update) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return false;
  }

  int port = FreePort();
  std::string experiment = folder / "e.textproto";
};

std::string OutputOf(const std::vector<std::unique_ptr<Process>>& ranks) {
  std::string text;
  for (const auto& rank : ranks) absl::StrAppend(&text, "--- rank\n", rank->output());
  return text;
}

// All to their end; their common weights.
std::string FinishRanks(const std::vector<std::unique_ptr<Process>>& ranks) {
  for (const auto& rank : ranks) EXPECT_EQ(rank->Wait(), 0) << OutputOf(ranks);
  const std::string weights = ranks[0]->WordAfter("weights sha256 ");
  EXPECT_EQ(weights.size(), 64);
  for (const auto& rank : ranks) EXPECT_EQ(rank->WordAfter("weights sha256 "), weights);
  return weights;
}

void ExpectEachUpdateOnce(const RankedRun& run, int updates) {
  std::vector<int> expected(updates);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(run.RecordedUpdates(), expected);
  const Checkpoint last = run.CheckpointAt(updates);
  EXPECT_EQ(last.counters.env_steps, updates * 256);
  EXPECT_EQ(last.ingest.chunks_trained, updates * 4);
  EXPECT_EQ(last.ingest.lease_epochs.size(), 4);
}

std::vector<double> Numbers(const HostTensor& tensor) {
  if (tensor.data_type == DataType::kFloat32) return {tensor.floats(), tensor.floats() + tensor.num_elements()};
  std::vector<double> numbers(tensor.num_elements());
  std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  return numbers;
}

struct Differences {
  double absolute = 0;  // the largest anywhere
  double relative = 0;  // the largest, as a part of its tensor's largest entry
};

Differences Compare(const std::vector<HostTensor>& state, const std::vector<HostTensor>& expected) {
  Differences largest;
  EXPECT_EQ(state.size(), expected.size());
  for (size_t i = 0; i < std::min(state.size(), expected.size()); ++i) {
    EXPECT_EQ(state[i].name, expected[i].name);
    const std::vector<double> came = Numbers(state[i]), wanted = Numbers(expected[i]);
    double scale = 1e-30, difference = 0;
    for (size_t j = 0; j < wanted.size(); ++j) {
      scale = std::max(scale, std::fabs(wanted[j]));
      difference = std::max(difference, std::fabs(came[j] - wanted[j]));
    }
    largest.absolute = std::max(largest.absolute, difference);
    largest.relative = std::max(largest.relative, difference / scale);
  }
  return largest;
}

// "episodes":{…} of every update of a run.
std::vector<std::string> EpisodesOf(const RankedRun& run) {
  std::vector<std::string> episodes;
  std::ifstream file(run.folder / "run/metrics.jsonl");
  for (std::string line; std::getline(file, line);) episodes.push_back(line.substr(line.find("\"episodes\":")));
  return episodes;
}

// Both ways of training the same experiment, and how far apart they end.
void ExpectTheSame(const RankedRun& alone, const RankedRun& together, int updates,
                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"train", absl::StrCat("--experiment=", alone.experiment),
                                        absl::StrCat("--run_dir=", alone.folder / "run"), "--local_workers=1",
                                        "--no_final_evaluation"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Process learner("learner", arguments);
  EXPECT_EQ(learner.Wait(), 0) << learner.output() << alone.Logs();
  FinishRanks(together.Ranks(more));

  const Checkpoint one = alone.CheckpointAt(updates), two = together.CheckpointAt(updates);
  const Differences state = Compare(two.algorithm_state, one.algorithm_state);
  const Differences policy = Compare(two.policy.tensors, one.policy.tensors);
  std::printf(
      "%d updates, two ranks against one: whole state max absolute %.3g, relative %.3g; "
      "actors max absolute %.3g, relative %.3g\n",
      updates, state.absolute, state.relative, policy.absolute, policy.relative);
  // Two ranks add the same float32 terms in another order: a gradient moves by some 1e-7 of its size. Adam's steps of
  // 5e-4 … 1e-3 move by as much of themselves, and some 50 of them add up to less than one last digit of a weight near
  // 1 (6e-8 … 1.2e-7 is what comes out). The bounds leave twenty times that. A count or moment that is a rank's own
  // moves steps by whole parts of themselves, 1e-5 … 1e-3; a sampled action that fell otherwise shows in the episodes.
  EXPECT_LT(policy.absolute, 2e-6);
  EXPECT_LT(state.relative, 2e-5);
  EXPECT_EQ(EpisodesOf(together), EpisodesOf(alone));
  EXPECT_EQ(two.counters.env_steps, one.counters.env_steps);
  EXPECT_EQ(two.counters.update, one.counters.update);
  EXPECT_EQ(two.ingest.chunks_trained, one.ingest.chunks_trained);
  EXPECT_EQ(two.ingest.lease_epochs, one.ingest.lease_epochs);
}

class SameAsAlone : public ::testing::TestWithParam<std::string> {};

TEST_P(SameAsAlone, OnGridWorld) {
  const RankedRun alone(GetParam(), 12), together(GetParam(), 12);
  ExpectTheSame(alone, together, 12);
  ExpectEachUpdateOnce(together, 12);
}

TEST_P(SameAsAlone, OnAPendulumWithAGaussianPolicy) {
  const std::string pendulum = "name: 'pendulum' settings { key: 'max_steps' value: '20' }";
  const RankedRun alone(GetParam(), 4, pendulum), together(GetParam(), 4, pendulum);
  ExpectTheSame(alone, together, 4, {"--set=policy.activation=TANH", "--set=critic.activation=TANH"});
  ExpectEachUpdateOnce(together, 4);
}

TEST_P(SameAsAlone, OnGridWorldWithRecurrentNetworks) {
  const RankedRun alone(GetParam(), 6), together(GetParam(), 6);
  ExpectTheSame(alone, together, 6,
                {"--set=policy.recurrent_cell=GRU", "--set=policy.recurrent_size=16", "--set=policy.activation=TANH",
                 "--set=critic.recurrent_cell=LSTM", "--set=critic.recurrent_size=16", "--set=critic.activation=TANH",
                 "--set=collection.sequence_length=5"});
  ExpectEachUpdateOnce(together, 6);
}

TEST_P(SameAsAlone, OnTrafficGrid) {
  RankedRun alone(GetParam(), 1), together(GetParam(), 1);
  alone.experiment = together.experiment = TROUPE_SOURCE_DIR "/deploy/experiments/traffic_grid.textproto";
  // 4 updates of 4 shards × 2 copies × 30 steps. Smooth activations: where a ReLU's input is within rounding of zero,
  // the unit is on in one run and off in the other, and Adam makes up to 1e-3 of a weight's scale out of it.
  ExpectTheSame(alone, together, 4,
                {absl::StrCat("--set=collection.mode=", GetParam()), "--set=collection.copies_per_shard=2",
                 "--set=collection.rollout_length=30", "--set=total_env_steps=960", "--set=ppo.minibatch_size=80",
                 "--set=evaluation.interval_env_steps=0", "--set=policy.activation=TANH",
                 "--set=critic.activation=TANH", "--set=compute.precision=F32", "--device=cpu"});
}

// Episodes' records end with the stage.
TEST_P(SameAsAlone, ThroughACurriculumsStages) {
  const std::string memory = "name: 'memory' settings { key: 'length' value: '6' }";
  const RankedRun alone(GetParam(), 6, memory), together(GetParam(), 6, memory);
  ExpectTheSame(
      alone, together, 6,
      {"--set=policy.activation=TANH", "--set=critic.activation=TANH", "--set=curriculum.stages.0.name=short",
       "--set=curriculum.stages.0.settings.length=1", "--set=curriculum.stages.0.promote.after_env_steps=512"});
  EXPECT_THAT(EpisodesOf(together)[0], HasSubstr("\"curriculum_stage\":\"short\""));
  EXPECT_THAT(EpisodesOf(together)[1], HasSubstr("\"curriculum_stage\":\"task\""));
  EXPECT_EQ(together.CheckpointAt(6).policy.Scalar(kCurriculumStageScalar), 1);
}

INSTANTIATE_TEST_SUITE_P(Modes, SameAsAlone, ::testing::Values("SYNCHRONOUS", "PIPELINED"),
                         [](const auto& info) { return info.param; });

TEST(DataParallel, RepeatsItselfBitForBitForAnyNumberOfWorkers) {
  const RankedRun first("PIPELINED", 8), second("PIPELINED", 8);
  const std::string weights = FinishRanks(first.Ranks({}, 3));
  EXPECT_EQ(FinishRanks(second.Ranks({"--local_workers=2"}, 3)), weights);
}

// Rank 0 reads the file and has the verdicts; what the ranks end with is the same.
TEST(DataParallel, RanksBeginWithTheSameActorsAndPassTheSameStages) {
  const std::string memory = "name: 'memory' settings { key: 'length' value: '6' }";
  const SmallRun teacher("PIPELINED", 2, memory);
  const auto taught = teacher.Learner(1);
  ASSERT_EQ(taught->Wait(), 0) << taught->output();
  const std::vector<std::string> flags = {
      absl::StrCat("--set=initial_actors=", teacher.folder / "run/actors/final.safetensors"),
      "--set=curriculum.interval_updates=2",
      "--set=curriculum.verdict_updates=1",
      "--set=curriculum.stages.0.name=short",
      "--set=curriculum.stages.0.settings.length=1",
      "--set=curriculum.stages.0.promote.statistic=right",
      "--set=curriculum.stages.0.promote.at_least=0"};
  const RankedRun run("PIPELINED", 6, memory);
  const auto ranks = run.Ranks(flags);
  FinishRanks(ranks);
  EXPECT_THAT(ranks[0]->output(), HasSubstr("2 of 2 layers taken"));
  EXPECT_THAT(ranks[0]->output(), HasSubstr("curriculum: short ended after update 3"));
  EXPECT_EQ(run.CheckpointAt(6).curriculum->stage, 1);
}

TEST(DataParallel, RanksCountTheirOwnSharesWhichAddUp) {
  const RankedRun run("SYNCHRONOUS", 100000);
  const auto ranks = run.Ranks();
  ASSERT_TRUE(run.Reaches(20)) << OutputOf(ranks);
  double sum = 0;
  for (const auto& rank : ranks) {
    ASSERT_TRUE(rank->Prints("leases shards")) << OutputOf(ranks);
    ASSERT_TRUE(rank->Prints("/metrics")) << OutputOf(ranks);
    const std::string address = rank->WordAfter("metrics http://127.0.0.1:");
    const std::string page = HttpGet(std::stoi(address), "/metrics");
    const size_t at = page.find("\ntroupe_env_steps_total ");
    ASSERT_NE(at, std::string::npos) << page;
    const double steps = std::stod(page.substr(at + std::strlen("\ntroupe_env_steps_total ")));
    // Two shards of 4 copies; chunks are counted whole.
    EXPECT_EQ(std::fmod(steps, 4 * 16), 0);
    EXPECT_GE(steps, 20 * 128);
    sum += steps;
  }
  // The pages were read one after the other: what was recorded by then bounds their sum.
  const double recorded = static_cast<double>(run.RecordedUpdates().size());
  EXPECT_GE(sum, 20 * 256);
  EXPECT_LE(sum, (recorded + 2) * 256);
  for (const auto& rank : ranks) rank->Signal(SIGTERM);
  for (const auto& rank : ranks) EXPECT_EQ(rank->Wait(), 0) << OutputOf(ranks);
}

TEST(DataParallel, SigtermToAnyRankStopsAllAndTheSameCommandsGoOn) {
  const RankedRun run("PIPELINED", 150);
  {
    const auto ranks = run.Ranks();
    ASSERT_TRUE(run.Reaches(5)) << OutputOf(ranks);
    ranks[1]->Signal(SIGTERM);
    for (const auto& rank : ranks) EXPECT_EQ(rank->Wait(), 0) << OutputOf(ranks);
    EXPECT_THAT(ranks[0]->output(), HasSubstr("stopped by request after"));
  }
  const size_t done = run.RecordedUpdates().size();
  ASSERT_LT(done, 150);
  const auto ranks = run.Ranks();
  FinishRanks(ranks);
  EXPECT_THAT(ranks[0]->output(), HasSubstr(absl::StrCat("goes on from update ", done)));
  ExpectEachUpdateOnce(run, 150);
}

TEST(DataParallelChaos, AKilledRankEndsTheOthersSoonAndTheRunGoesOnFromWhereItWas) {
  const RankedRun run("PIPELINED", 150);
  {
    const auto ranks = run.Ranks();
    ASSERT_TRUE(run.Reaches(7)) << OutputOf(ranks);
    ranks[1]->Signal(SIGKILL);
    const absl::Time killed = absl::Now();
    const int status = ranks[0]->Wait(absl::Seconds(30));
    std::printf("rank 0 ended %.1f s after rank 1 was killed\n", absl::ToDoubleSeconds(absl::Now() - killed));
    ASSERT_NE(status, -1) << OutputOf(ranks);
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_THAT(ranks[0]->output(), HasSubstr("rank 0 has lost the other learners"));
  }
  const size_t done = run.RecordedUpdates().size();
  ASSERT_LT(done, 150);
  EXPECT_EQ(run.CheckpointAt(static_cast<int>(done)).counters.update, done);
  const auto ranks = run.Ranks();
  FinishRanks(ranks);
  EXPECT_THAT(ranks[0]->output(), HasSubstr(absl::StrCat("goes on from update ", done)));
  ExpectEachUpdateOnce(run, 150);
}

TEST(DataParallelChaos, WithoutRankZeroTheOthersEndAndItsLastCheckpointCounts) {
  const RankedRun run("SYNCHRONOUS", 300);
  {
    const auto ranks = run.Ranks();
    ASSERT_TRUE(run.Keeps(10)) << OutputOf(ranks);
    ranks[0]->Signal(SIGKILL);
    const int status = ranks[1]->Wait(absl::Seconds(30));
    ASSERT_NE(status, -1) << OutputOf(ranks);
    EXPECT_EQ(WEXITSTATUS(status), 1);
  }
  const auto ranks = run.Ranks();
  FinishRanks(ranks);
  EXPECT_THAT(ranks[0]->output(), HasSubstr("goes on from update "));
  ExpectEachUpdateOnce(run, 300);
}

TEST(DataParallelChaos, ARankThatHangsIsGivenUpAfterTheTimeout) {
  const RankedRun run("SYNCHRONOUS", 100000);
  const auto ranks = run.Ranks({"--rank_timeout=2"});
  ASSERT_TRUE(run.Reaches(3)) << OutputOf(ranks);
  ranks[1]->Signal(SIGSTOP);
  const int status = ranks[0]->Wait(absl::Seconds(30));
  EXPECT_NE(status, -1) << OutputOf(ranks);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_THAT(ranks[0]->output(), HasSubstr("rank 0 has lost the other learners"));
  ranks[1]->Signal(SIGKILL);
  ranks[1]->Signal(SIGCONT);
  EXPECT_NE(ranks[1]->Wait(absl::Seconds(20)), -1);
}

TEST(DataParallelRefusals, SayWhatIsWrongBeforeAnythingBegins) {
  const RankedRun run("PIPELINED", 4);
  const auto refused = [&](std::vector<std::string> environment, const std::string& told) {
    Process learner("learner",
                    {"train", absl::StrCat("--experiment=", run.experiment),
                     absl::StrCat("--run_dir=", run.folder / "run"), "--no_final_evaluation"},
                    environment);
    EXPECT_EQ(WEXITSTATUS(learner.Wait(absl::Seconds(60))), 2) << learner.output();
    EXPECT_THAT(learner.output(), HasSubstr(told));
  };
  refused(run.Environment(0, 8), "WORLD_SIZE=8: collection.num_shards is 4");
  refused({"WORLD_SIZE=2"}, "RANK is missing");
  refused({"RANK=0", "WORLD_SIZE=2", "MASTER_ADDR=192.0.2.1", "MASTER_PORT=1"}, "--insecure_ranks");
  EXPECT_FALSE(std::filesystem::exists(run.folder / "run"));
}

TEST(DataParallelRefusals, AMasterPortInUseIsNamed) {
  const RankedRun run("PIPELINED", 4);
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackAddress(run.port);
  ASSERT_EQ(bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  const auto first = run.Rank(0);
  EXPECT_EQ(WEXITSTATUS(first->Wait(absl::Seconds(60))), 1);
  EXPECT_THAT(first->output(), HasSubstr(absl::StrCat("MASTER_PORT=", run.port, ": rank 0 cannot listen")));
  close(taken);
}

TEST(DataParallelRefusals, RanksWithOtherExperimentsDoNotBegin) {
  const RankedRun run("PIPELINED", 4);
  const auto first = run.Rank(0), second = run.Rank(1, {"--set=ppo.clip=0.3"});
  EXPECT_EQ(WEXITSTATUS(first->Wait(absl::Seconds(60))), 1);
  EXPECT_EQ(WEXITSTATUS(second->Wait(absl::Seconds(60))), 1);
  EXPECT_THAT(second->output(), HasSubstr("rank 1 has another experiment than rank 0"));
  EXPECT_THAT(second->output(), HasSubstr("clip"));
  EXPECT_THAT(first->output(), HasSubstr("rank 1 ended the run"));
}

TEST(DataParallelRefusals, AListeningPortInUseEndsAll) {
  const RankedRun run("PIPELINED", 4);
  const std::string listen = absl::StrCat("--listen=127.0.0.1:", FreePort());
  // Without LOCAL_RANK both ask for the same port.
  const auto first = run.Rank(0, {listen}), second = run.Rank(1, {listen});
  EXPECT_EQ(WEXITSTATUS(first->Wait(absl::Seconds(60))), 1);
  EXPECT_EQ(WEXITSTATUS(second->Wait(absl::Seconds(60))), 1);
  EXPECT_THAT(first->output() + second->output(), HasSubstr("cannot listen on "));
  EXPECT_THAT(first->output() + second->output(), HasSubstr("ended the run; its own output says why"));
}

TEST(DataParallel, ALearnerCanBeStoppedWhileItWaitsForTheOthers) {
  const RankedRun run("PIPELINED", 4);
  const auto first = run.Rank(0);
  ASSERT_TRUE(first->Prints("waiting for rank 1 of 2")) << first->output();
  first->Signal(SIGTERM);
  EXPECT_EQ(first->Wait(absl::Seconds(20)), 0) << first->output();
}

}  // namespace
}  // namespace troupe::testing
