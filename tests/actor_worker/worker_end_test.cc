// How a worker ends: told to stop, drained by its learner, with an environment that hangs.
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/fake_learner.h"
#include "tests/actor_worker/running_worker.h"

namespace troupe {
namespace {

TEST_F(WorkerTest, StopFinishesAndSendsTheChunkUnderWay) {
  const Experiment experiment = TinyExperiment(SYNCHRONOUS, 1);
  FakeLearner learner(experiment);
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  learner.on_chunk = [&](const wire::Chunk& chunk) {
    learner.Acknowledge(chunk);
    return grpc::Status::OK;
  };
  TinyFaults::Get().hang_at_step = 20;
  RunningWorker worker(learner.address(), [](WorkerOptions& options) { options.flush_timeout = absl::Seconds(30); });
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  while (TinyFaults::Get().steps < 20) std::this_thread::yield();
  worker.Stop();
  TinyFaults::Get().release->Notify();
  EXPECT_EQ(worker.Wait(), kWorkerDone);
  EXPECT_EQ(learner.chunks().size(), 1);
}

TEST_F(WorkerTest, AStopBehindChunksThatNobodyReadsIsToldBySomeOtherWay) {
  for (const auto code : {grpc::StatusCode::OK, grpc::StatusCode::UNIMPLEMENTED}) {
    const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
    absl::Notification read_on;
    FakeLearner learner(experiment);
    learner.leave_status = grpc::Status(code, "");
    learner.Publish(WeightsOf(TinyPlan(experiment), 0));
    learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
    learner.on_chunk = [&](const wire::Chunk&) {
      read_on.WaitForNotification();
      return grpc::Status::OK;
    };
    RunningWorker worker(learner.address());
    ASSERT_TRUE(learner.AwaitChunks(1));
    worker.Stop();
    EXPECT_EQ(worker.Wait(), kWorkerDone);
    EXPECT_EQ(learner.left(), std::vector<std::string>{"worker-1"});
    read_on.Notify();
  }
}

TEST_F(WorkerTest, DrainCutsTheChunkUnderWayShort) {
  Experiment experiment = TinyExperiment(SYNCHRONOUS, 1);
  experiment.mutable_collection()->set_rollout_length(60000);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  RunningWorker worker(learner.address());
  while (TinyFaults::Get().steps < 100) std::this_thread::yield();
  learner.Drain();
  EXPECT_EQ(worker.Wait(), kWorkerDone);
}

TEST_F(WorkerTest, AHangingEnvironmentLosesItsLeaseAndTheProcessEndsWhenNoThreadIsLeft) {
  Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  experiment.mutable_collection()->set_lease_timeout_seconds(1);
  experiment.mutable_collection()->set_stagger_first_episode(false);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  TinyFaults::Get().hang_at_step = 4;
  RunningWorker worker(learner.address(),
                       [](WorkerOptions& options) { options.end_timeout = absl::Milliseconds(100); });
  ASSERT_TRUE(learner.Await([](const Messages& messages) { return Failures(messages) == 1; }));
  EXPECT_EQ(worker.Wait(), kWorkerHangs);
  EXPECT_EQ(worker.ended_with(), kWorkerHangs);
}

}  // namespace
}  // namespace troupe
