// Clocks that are set, and processes that stand still.
#include <sys/wait.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

#ifdef TROUPE_WALL_CLOCK
// The offset of the wall clocks of processes started with Environment().
class WallClock {
 public:
  explicit WallClock(std::string file) : file_(std::move(file)) { Set(absl::ZeroDuration()); }
  std::vector<std::string> Environment() const {
    return {absl::StrCat("LD_PRELOAD=", TROUPE_WALL_CLOCK), absl::StrCat("WALL_CLOCK_OFFSET=", file_)};
  }
  void Set(absl::Duration offset) const {
    const int64_t nanoseconds = absl::ToInt64Nanoseconds(offset);
    // In place: the processes have it mapped.
    std::fstream file(file_, std::filesystem::exists(file_) ? std::ios::in | std::ios::out : std::ios::out);
    file.write(reinterpret_cast<const char*>(&nanoseconds), sizeof(nanoseconds));
  }

 private:
  const std::string file_;
};

#endif

std::vector<std::string> Arguments(const SmallRun& run, int local_workers, int lease_timeout_seconds) {
  return {"train",
          absl::StrCat("--experiment=", run.folder / "e.textproto"),
          absl::StrCat("--run_dir=", run.folder / "run"),
          absl::StrCat("--local_workers=", local_workers),
          absl::StrCat("--set=collection.lease_timeout_seconds=", lease_timeout_seconds),
          "--no_final_evaluation"};
}

#ifdef TROUPE_WALL_CLOCK
TEST(Time, AWallClockSetBackAnHourChangesNothing) {
  const SmallRun run("PIPELINED", 1000000);
  const WallClock clock(run.folder / "clock");
  Process learner("learner", Arguments(run, 2, 4), clock.Environment());
  ASSERT_TRUE(run.Reaches(5)) << learner.output();
  clock.Set(-absl::Hours(1));
  ASSERT_TRUE(run.Reaches(run.RecordedUpdates().size() + 30)) << learner.output() << run.Logs();
  // What a dead worker had is given to others: leases go on to expire.
  const std::vector<pid_t> workers = learner.Children();
  ASSERT_EQ(workers.size(), 2);
  kill(workers[0], SIGKILL);
  EXPECT_TRUE(learner.Prints("started again in", absl::Seconds(30))) << learner.output();
  EXPECT_TRUE(learner.Prints("is lost: nothing heard for 3s", absl::Seconds(30))) << learner.output();
  ASSERT_TRUE(run.Reaches(run.RecordedUpdates().size() + 30)) << learner.output() << run.Logs();
  learner.Signal(SIGTERM);
  EXPECT_EQ(learner.Wait(absl::Seconds(30)), 0) << learner.output();

  std::ifstream file(run.folder / "run/metrics.jsonl");
  double before = 0;
  for (std::string line; std::getline(file, line);) {
    const auto record = nlohmann::json::parse(line);
    EXPECT_GT(record["wall_seconds"], before);
    EXPECT_GT(record["env_steps_per_second"], 0);
    before = record["wall_seconds"];
  }
}

TEST(Time, AWorkerWhoseWallClockIsSetBackFindsALearnerThatComesBack) {
  const SmallRun run("PIPELINED", 1000000);
  const WallClock clock(run.folder / "clock");
  std::string address;
  std::unique_ptr<Process> worker;
  {
    Process learner("learner", Arguments(run, 0, 4));
    ASSERT_TRUE(learner.Prints("they connect to ")) << learner.output();
    address = learner.WordAfter("they connect to ");
    worker = std::make_unique<Process>("actor_worker", std::vector<std::string>{absl::StrCat("--learner=", address)},
                                       clock.Environment());
    ASSERT_TRUE(run.Reaches(5)) << learner.output() << worker->output();
    clock.Set(-absl::Hours(1));
    learner.Signal(SIGKILL);
    learner.Wait();
  }
  ASSERT_TRUE(worker->Prints("Connection refused")) << worker->output();
  std::vector<std::string> arguments = Arguments(run, 0, 4);
  arguments.push_back(absl::StrCat("--listen=", address));
  Process learner("learner", arguments);
  EXPECT_TRUE(learner.Prints("registered from", absl::Seconds(20))) << learner.output() << worker->output();
  worker->Signal(SIGTERM);
  EXPECT_EQ(worker->Wait(absl::Seconds(20)), 0) << worker->output();
  learner.Signal(SIGTERM);
  EXPECT_EQ(learner.Wait(absl::Seconds(20)), 0) << learner.output();
}

#endif

TEST(Time, APauseOfTheLearnersIsNotItsWorkersSilence) {
  const SmallRun run("PIPELINED", 1000000);
  Process learner("learner", Arguments(run, 2, 4));
  ASSERT_TRUE(run.Reaches(5)) << learner.output();
  learner.Signal(SIGSTOP);
  absl::SleepFor(absl::Seconds(6));
  learner.Signal(SIGCONT);
  ASSERT_TRUE(run.Reaches(run.RecordedUpdates().size() + 30)) << learner.output() << run.Logs();
  learner.Signal(SIGTERM);
  EXPECT_EQ(learner.Wait(absl::Seconds(30)), 0) << learner.output();
  EXPECT_THAT(learner.output(), Not(HasSubstr("is lost")));
  EXPECT_THAT(learner.output(), Not(HasSubstr("worker-3-"))) << "nobody had to register again";
}

}  // namespace
}  // namespace troupe::testing
