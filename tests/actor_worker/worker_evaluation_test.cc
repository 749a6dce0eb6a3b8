// Evaluation tasks that name a version of the policy and do not bring it.
#include <algorithm>

#include "absl/strings/match.h"
#include "common/wire/spec_codec.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/fake_learner.h"
#include "tests/actor_worker/running_worker.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

class NamedVersionTest : public WorkerTest {
 protected:
  static wire::LearnerMessage Task(uint64_t id, uint64_t version) {
    wire::LearnerMessage message;
    wire::EvaluationTask& task = *message.mutable_evaluation_task();
    task.set_task_id(id);
    task.set_first_seed(100);
    task.set_episodes(4);
    task.mutable_weights()->set_policy_version(version);
    return message;
  }
  static std::vector<wire::EvaluationResult> Results(FakeLearner& learner, size_t count) {
    std::vector<wire::EvaluationResult> results;
    EXPECT_TRUE(learner.Await([&](const std::vector<wire::WorkerMessage>& messages) {
      results.clear();
      for (const wire::WorkerMessage& message : messages) {
        if (message.has_evaluation_result()) results.push_back(message.evaluation_result());
      }
      return results.size() == count;
    }));
    return results;
  }
  // What episodes come to, whichever task they were of.
  static std::string Played(wire::EvaluationResult result) {
    result.clear_task_id();
    return result.SerializeAsString();
  }

  const Experiment experiment_ = TinyExperiment(SYNCHRONOUS);
  const RolloutPlan plan_ = TinyPlan(experiment_);
};

TEST_F(NamedVersionTest, IsPlayedAsIfItHadComeWithTheTask) {
  FakeLearner learner(experiment_);
  learner.Publish(WeightsOf(plan_, 3));
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitStreams(1));
  ASSERT_TRUE(learner.Send(Task(1, 3)));
  wire::LearnerMessage bringing = Task(2, 3);
  EncodeWeights(*WeightsOf(plan_, 3), bringing.mutable_evaluation_task()->mutable_weights());
  ASSERT_TRUE(learner.Send(bringing));
  const auto results = Results(learner, 2);
  ASSERT_EQ(results.size(), 2);
  EXPECT_EQ(results[0].error(), "");
  EXPECT_EQ(results[0].episodes_size(), 4);
  EXPECT_EQ(Played(results[0]), Played(results[1]));
}

TEST_F(NamedVersionTest, IsWaitedForWhereItIsStillOnItsWay) {
  FakeLearner learner(experiment_);
  learner.Publish(WeightsOf(plan_, 3));
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitStreams(1));
  ASSERT_TRUE(learner.Send(Task(1, 4)));
  learner.Publish(WeightsOf(plan_, 4));
  const auto results = Results(learner, 1);
  ASSERT_EQ(results.size(), 1);
  EXPECT_EQ(results[0].error(), "");
  EXPECT_EQ(results[0].episodes_size(), 4);
}

TEST_F(NamedVersionTest, IsRefusedWhereThereAreOnlyNewerOnes) {
  FakeLearner learner(experiment_);
  for (const uint64_t version : {5, 6, 7}) learner.Publish(WeightsOf(plan_, version));
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitStreams(1));
  ASSERT_TRUE(learner.Send(Task(1, 3)));
  const auto results = Results(learner, 1);
  ASSERT_EQ(results.size(), 1);
  EXPECT_TRUE(absl::StrContains(results[0].error(), "weights.policy_version: came 3, this worker has "))
      << results[0].error();
}

TEST_F(NamedVersionTest, WhoGoesAnswersNoTaskThatComes) {
  Metrics registry;
  WorkerMetrics metrics(&registry);
  WakeUp collected;
  WorkerRun run(plan_, 1, 4, &collected, &metrics);
  run.FinishChunks();
  wire::LearnerMessage task = Task(1, 3);
  run.Receive(task);
  EXPECT_EQ(run.leases().NextMessage(), nullptr) << "a refusal, which would have the learner ask again at once";
}

}  // namespace
}  // namespace troupe
