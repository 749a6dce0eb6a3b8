// A worker that has nothing to send, or cannot get it through, says that it is there.
#include <algorithm>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/fake_learner.h"
#include "tests/actor_worker/running_worker.h"

namespace troupe {
namespace {

TEST_F(WorkerTest, HeartbeatsWhenThereIsNothingToSay) {
  Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  experiment.mutable_collection()->set_lease_timeout_seconds(1);
  FakeLearner learner(experiment);
  RunningWorker worker(learner.address());
  EXPECT_TRUE(learner.Await([](const Messages& messages) {
    return std::count_if(messages.begin(), messages.end(), [](const auto& m) { return m.has_heartbeat(); }) >= 2;
  }));
}

TEST_F(WorkerTest, SaysThatItIsThereWhileAChunkIsLongOnItsWay) {
  Experiment experiment = TinyExperiment(ASYNCHRONOUS, 1);
  experiment.mutable_collection()->set_lease_timeout_seconds(1);
  experiment.mutable_collection()->set_rollout_length(60000);  // more than gRPC takes ahead of its reader
  absl::Notification read_on;
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  learner.on_chunk = [&](const wire::Chunk&) {
    read_on.WaitForNotification();
    return grpc::Status::OK;
  };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitChunks(1));
  EXPECT_TRUE(learner.AwaitStillHere(3));
  EXPECT_EQ(learner.num_streams(), 1) << "a learner that does not know the call ends nothing";
  read_on.Notify();
}

}  // namespace
}  // namespace troupe
