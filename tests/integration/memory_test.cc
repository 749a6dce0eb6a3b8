// What a run says it will take against what it takes, and a run that does not fit its control group.
#include <sys/wait.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

constexpr double kMebibyte = 1 << 20;

// The most the process has had in memory, in bytes.
double PeakBytes(pid_t pid) {
  const std::string status = ReadText(absl::StrCat("/proc/", pid, "/status"));
  const size_t at = status.find("VmHWM:");
  return at == std::string::npos ? 0 : std::stod(status.substr(at + 6)) * 1024;
}

struct Measured {
  double estimated = 0;
  double peak = 0;
};

// Of the learner by itself, after a few updates.
Measured Measure(const std::string& experiment, const std::vector<std::string>& settings) {
  SmallRun run("SYNCHRONOUS", 1000000);
  std::vector<std::string> arguments = {
      absl::StrCat("--experiment=" TROUPE_SOURCE_DIR "/deploy/experiments/", experiment),
      absl::StrCat("--run_dir=", run.folder / "run"), "--no_final_evaluation", "--set=evaluation.interval_env_steps=0",
      "--device=cpu"};
  for (const std::string& setting : settings) arguments.push_back("--set=" + setting);
  Process learner("learner", arguments);
  EXPECT_TRUE(learner.Prints("run folder")) << learner.output();
  Process worker("actor_worker", {absl::StrCat("--learner=", learner.WordAfter("they connect to "))});
  EXPECT_TRUE(learner.Prints(" in use, of ")) << learner.output() << worker.output();
  EXPECT_TRUE(run.Reaches(2)) << learner.output();
  Measured measured = {
      std::stod(absl::StrReplaceAll(learner.output().substr(learner.output().find("memory       about ") + 19, 12),
                                    {{",", ""}})) *
          kMebibyte,
      PeakBytes(learner.pid())};
  learner.Signal(SIGTERM);
  EXPECT_EQ(learner.Wait(absl::Seconds(60)), 0) << learner.output();
  worker.Signal(SIGTERM);
  worker.Wait(absl::Seconds(30));
  return measured;
}

// The program itself and its libraries, by a run of next to nothing, taken off: the peak lies within a third of the
// estimate, above or below.
TEST(Memory, TheEstimateIsNearTheMeasuredPeak) {
  const double program = Measure("grid_world.textproto", {"collection.rollout_length=16",
                                                          "collection.copies_per_shard=1", "ppo.minibatch_size=64"})
                             .peak;
  const Measured grid = Measure(
      "grid_world.textproto",
      {"collection.rollout_length=256", "collection.copies_per_shard=128", "ppo.minibatch_size=16384", "ppo.epochs=1"});
  const Measured traffic = Measure("traffic_grid.textproto",
                                   {"collection.rollout_length=90", "collection.copies_per_shard=64", "ppo.epochs=1"});
  for (const Measured& measured : {grid, traffic}) {
    const double ratio = (measured.peak - program) / measured.estimated;
    std::printf("estimated %.0f MiB, measured %.0f MiB over the program's own %.0f\n", measured.estimated / kMebibyte,
                (measured.peak - program) / kMebibyte, program / kMebibyte);
    EXPECT_GT(measured.estimated, 50 * kMebibyte);
    EXPECT_GT(ratio, 2.0 / 3);
    EXPECT_LT(ratio, 4.0 / 3);
  }
}

// A control group of this test's own; empty: this user may make none.
class MemoryGroup {
 public:
  explicit MemoryGroup(size_t limit_bytes) {
    const std::filesystem::path one = "/sys/fs/cgroup/memory", two = "/sys/fs/cgroup";
    const bool version_1 = std::filesystem::exists(one);
    folder_ = ((version_1 ? one : two) / absl::StrCat("troupe_test_", getpid())).string();
    std::error_code error;
    std::filesystem::create_directory(folder_, error);
    std::ofstream(absl::StrCat(folder_, version_1 ? "/memory.limit_in_bytes" : "/memory.max")) << limit_bytes;
    usable_ = !error && !ReadText(absl::StrCat(folder_, version_1 ? "/memory.limit_in_bytes" : "/memory.max")).empty();
  }
  ~MemoryGroup() {
    std::error_code error;
    std::filesystem::remove(folder_, error);
  }
  bool usable() const { return usable_; }
  std::string tasks() const { return folder_ + "/cgroup.procs"; }

 private:
  std::string folder_;
  bool usable_ = false;
};

TEST(Memory, ARunThatDoesNotFitItsControlGroupIsRefusedWithTheArithmetic) {
  const MemoryGroup group(size_t{1} << 30);
  if (!group.usable()) GTEST_SKIP() << "this user may not limit memory";
  SmallRun run("SYNCHRONOUS", 1);
  const std::string command =
      absl::StrCat("echo $$ > ", group.tasks(),
                   " && exec " TROUPE_BIN_DIR "/learner --experiment=" TROUPE_SOURCE_DIR
                   "/deploy/experiments/traffic_grid.textproto --run_dir=",
                   run.folder / "run",
                   " --local_workers=1 --set collection.num_shards=64 --set collection.copies_per_shard=32 "
                   "--set collection.rollout_length=512");
  const std::unique_ptr<PipedProcess> learner = PipedProcess::Start({"/bin/sh", "-c", command}).value();
  std::string output;
  while (learner->ReadOutput(&output)) {
    pollfd descriptor = {learner->output(), POLLIN, 0};
    poll(&descriptor, 1, /*milliseconds=*/1000);
  }
  const int wait_status = learner->Wait();
  EXPECT_EQ(WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1, 2) << output;
  EXPECT_THAT(output, HasSubstr("the limit is 1024 MiB:\n"));
  EXPECT_THAT(output, HasSubstr("two batches of 64 shards × 32 copies × 512 steps = 1,048,576 steps"));
  EXPECT_THAT(output, HasSubstr("make collection.num_shards, copies_per_shard or rollout_length smaller"));
}

}  // namespace
}  // namespace troupe::testing
