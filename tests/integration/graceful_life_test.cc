// Processes that come late, leave when asked to, and leave at once when asked twice.
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

std::unique_ptr<Process> Worker(const std::string& address) {
  return std::make_unique<Process>("actor_worker", std::vector<std::string>{absl::StrCat("--learner=", address)});
}

TEST(GracefulLife, AWorkerToldToStopFlushesLeavesAndItsShardsAreLeasedAtOnce) {
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, {"--set=collection.lease_timeout_seconds=600", "--expected_workers=2"});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  const auto staying = Worker(address), leaving = Worker(address);
  ASSERT_TRUE(run.Reaches(10)) << learner->output();
  leaving->Signal(SIGTERM);
  EXPECT_EQ(leaving->Wait(absl::Seconds(30)), 0) << leaving->output();
  EXPECT_TRUE(learner->Prints(" left")) << learner->output();
  EXPECT_TRUE(run.Reaches(run.RecordedUpdates().size() + 20)) << "the other has all shards: " << learner->output();
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  EXPECT_TRUE(staying->Prints("trying again")) << "a stopped run may go on: " << staying->output();
  staying->Signal(SIGTERM);
  EXPECT_EQ(staying->Wait(absl::Seconds(30)), 0) << staying->output();
  const auto last =
      ReadCheckpoint(CheckpointStore(run.folder / "run/checkpoints", 1).PathOf(run.RecordedUpdates().back()));
  EXPECT_TRUE(last.ok()) << last.status();
}

TEST(GracefulLife, AWorkersSecondSignalEndsItAtOnce) {
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const auto worker = Worker(learner->WordAfter("they connect to "));
  ASSERT_TRUE(run.Reaches(1)) << learner->output() << worker->output();
  worker->Signal(SIGSTOP);
  worker->Signal(SIGINT);
  worker->Signal(SIGTERM);
  worker->Signal(SIGCONT);
  EXPECT_EQ(WEXITSTATUS(worker->Wait(absl::Seconds(20))), 130);
}

TEST(GracefulLife, ALearnerNobodyHasComeToStopsWhenAsked) {
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(absl::Seconds(30)), 0) << learner->output();
}

TEST(GracefulLife, AWorkerThatWaitedLongFindsItsLearnerSoonAfterItsStart) {
  SmallRun run("PIPELINED", 100000);
  std::string address;
  {
    const auto before = run.Learner(0);
    ASSERT_TRUE(before->Prints("they connect to ")) << before->output();
    address = before->WordAfter("they connect to ");
    before->Signal(SIGKILL);
    before->Wait();
  }
  const auto worker = Worker(address);
  ASSERT_TRUE(worker->Prints("trying again")) << worker->output();
  // Long enough for every pause between attempts to have grown to its longest.
  EXPECT_FALSE(worker->Prints("worker worker-", absl::Seconds(12)));
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", address)});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const absl::Time listens = absl::Now();
  ASSERT_TRUE(worker->Prints("worker worker-")) << worker->output();
  // 1.6 s at most by design; the rest is for a machine that has other things to do.
  EXPECT_LT(absl::Now() - listens, absl::Seconds(4));
}

}  // namespace
}  // namespace troupe::testing
