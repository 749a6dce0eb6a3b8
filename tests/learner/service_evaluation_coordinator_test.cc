#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/evaluation_coordinator.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const SteadyTime kStart = SteadyTime();

EvaluationRequest Request(uint32_t episodes, uint64_t first_seed = 100) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = 6;
  const float value = 1.5f;
  weights->tensors.push_back(HostTensor::Float32("g/output.bias", {1}, &value));
  return {weights, first_seed, episodes, true};
}

wire::EvaluationResult Result(const wire::EvaluationTask& task) {
  wire::EvaluationResult result;
  result.set_task_id(task.task_id());
  for (uint32_t i = 0; i < task.episodes(); ++i) {
    wire::EvaluationEpisode* const episode = result.add_episodes();
    episode->set_seed(task.first_seed() + i);
    episode->set_length(static_cast<uint32_t>(task.first_seed() + i));
    episode->add_group_returns(1.0f);
    episode->add_statistics(2.0f);
  }
  return result;
}

class EvaluationCoordinatorTest : public ::testing::Test {
 protected:
  EvaluationCoordinator::Done Keep() {
    return [this](absl::StatusOr<EvaluationOutcome> outcome) {
      EXPECT_FALSE(outcome_.has_value()) << "called once";
      outcome_ = std::move(outcome);
    };
  }
  void CallFinished() {
    for (const auto& call : coordinator_.TakeFinished()) call();
  }
  EvaluationCoordinator coordinator_{1, 1};
  std::optional<absl::StatusOr<EvaluationOutcome>> outcome_;
};

TEST_F(EvaluationCoordinatorTest, CollectsEpisodesBySeedHoweverTheyAreAnswered) {
  coordinator_.AddWorker("a");
  coordinator_.AddWorker("b");
  ASSERT_TRUE(coordinator_.Start(Request(10), Keep()).ok());
  std::vector<EvaluationCoordinator::Assignment> open;
  int tasks = 0;
  while (true) {
    for (auto& assignment : coordinator_.TakeAssignments(kStart)) open.push_back(std::move(assignment));
    EXPECT_LE(open.size(), 2u) << "one task per worker";
    if (open.empty()) break;
    EXPECT_LE(open.back().task.episodes(), EvaluationCoordinator::kMaxEpisodesPerTask);
    EXPECT_EQ(open.back().task.weights().policy_version(), 6);
    EXPECT_THAT(open.back().task.weights().tensors(), IsEmpty()) << "workers are sent them anyway";
    EXPECT_TRUE(open.back().task.sample_actions());
    ASSERT_TRUE(coordinator_.Receive(open.back().worker_id, Result(open.back().task)).ok());
    open.pop_back();
    ++tasks;
  }
  CallFinished();
  EXPECT_EQ(tasks, 3);
  ASSERT_TRUE(outcome_.has_value() && outcome_->ok());
  EXPECT_EQ((*outcome_)->policy_version, 6);
  ASSERT_THAT((*outcome_)->episodes, SizeIs(10));
  for (int i = 0; i < 10; ++i) EXPECT_EQ((*outcome_)->episodes[i].length, 100 + i);
}

TEST_F(EvaluationCoordinatorTest, ALostWorkersTaskGoesToAnother) {
  coordinator_.AddWorker("a");
  ASSERT_TRUE(coordinator_.Start(Request(2), Keep()).ok());
  const auto first = coordinator_.TakeAssignments(kStart);
  ASSERT_THAT(first, SizeIs(1));
  coordinator_.RemoveWorker("a");
  EXPECT_THAT(coordinator_.TakeAssignments(kStart), IsEmpty());
  coordinator_.AddWorker("b");
  const auto second = coordinator_.TakeAssignments(kStart);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].worker_id, "b");
  EXPECT_THAT(second[0].task.weights().tensors(), SizeIs(1)) << "it may have none of that version any more";
  ASSERT_TRUE(coordinator_.Receive("a", Result(first[0].task)).ok()) << "late answers are ignored";
  CallFinished();
  EXPECT_FALSE(outcome_.has_value());
  ASSERT_TRUE(coordinator_.Receive("b", Result(second[0].task)).ok());
  CallFinished();
  ASSERT_TRUE(outcome_.has_value() && outcome_->ok());
}

TEST_F(EvaluationCoordinatorTest, AnErrorIsTriedElsewhereAndGivenUpAfterKMaxTries) {
  coordinator_.AddWorker("a");
  coordinator_.AddWorker("b");
  ASSERT_TRUE(coordinator_.Start(Request(1), Keep()).ok());
  std::string last_worker;
  for (int tries = 0; tries < EvaluationCoordinator::kMaxTries; ++tries) {
    const auto assignments = coordinator_.TakeAssignments(kStart);
    ASSERT_THAT(assignments, SizeIs(1));
    EXPECT_NE(assignments[0].worker_id, last_worker);
    last_worker = assignments[0].worker_id;
    wire::EvaluationResult result;
    result.set_task_id(assignments[0].task.task_id());
    result.set_error("the simulator fell over");
    ASSERT_TRUE(coordinator_.Receive(last_worker, result).ok());
  }
  EXPECT_THAT(coordinator_.TakeAssignments(kStart), IsEmpty());
  CallFinished();
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_EQ(outcome_->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(outcome_->status().message()), HasSubstr("the simulator fell over"));
}

TEST_F(EvaluationCoordinatorTest, ATaskWithoutAnswerTimesOut) {
  coordinator_.AddWorker("a");
  coordinator_.AddWorker("b");
  ASSERT_TRUE(coordinator_.Start(Request(1), Keep()).ok());
  EXPECT_EQ(coordinator_.TakeAssignments(kStart)[0].worker_id, "a");
  EXPECT_THAT(coordinator_.TakeAssignments(kStart + absl::Minutes(9)), IsEmpty());
  const auto again = coordinator_.TakeAssignments(kStart + absl::Minutes(10));
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].worker_id, "b");
}

TEST_F(EvaluationCoordinatorTest, MalformedResultsNameTheFieldAndTheTaskGoesOn) {
  coordinator_.AddWorker("a");
  ASSERT_TRUE(coordinator_.Start(Request(2), Keep()).ok());
  const auto spoil = [&](auto change, const std::string& expected) {
    const auto assignments = coordinator_.TakeAssignments(kStart);
    ASSERT_THAT(assignments, SizeIs(1));
    wire::EvaluationResult result = Result(assignments[0].task);
    change(result);
    const absl::Status status = coordinator_.Receive("a", result);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(expected));
  };
  spoil([](auto& result) { result.mutable_episodes()->RemoveLast(); },
        "evaluation_result.episodes: came 1, expected 2");
  spoil([](auto& result) { result.mutable_episodes(1)->set_seed(1 << 30); }, "evaluation_result.episodes[1].seed");
  spoil([](auto& result) { result.mutable_episodes(0)->add_statistics(1); },
        "evaluation_result.episodes[0].statistics");
  spoil([](auto& result) { result.mutable_episodes(0)->set_group_returns(0, 1e38f * 10); }, "group_returns");
  const auto last = coordinator_.TakeAssignments(kStart);
  ASSERT_THAT(last, SizeIs(1));
  ASSERT_TRUE(coordinator_.Receive("a", Result(last[0].task)).ok());
  CallFinished();
  EXPECT_TRUE(outcome_.has_value() && outcome_->ok());
}

TEST_F(EvaluationCoordinatorTest, RefusesMoreThanItsBoundAndEmptyRequests) {
  EXPECT_EQ(coordinator_.Start(Request(0), Keep()).code(), absl::StatusCode::kInvalidArgument);
  int cancelled = 0;
  const auto count = [&](const absl::StatusOr<EvaluationOutcome>& outcome) {
    cancelled += absl::IsCancelled(outcome.status());
  };
  for (int i = 0; i < LearnerServer::kMaxEvaluations; ++i) ASSERT_TRUE(coordinator_.Start(Request(3), count).ok());
  EXPECT_EQ(coordinator_.Start(Request(3), count).code(), absl::StatusCode::kResourceExhausted);
  coordinator_.CancelAll(absl::CancelledError("draining"));
  CallFinished();
  EXPECT_EQ(cancelled, LearnerServer::kMaxEvaluations);
  EXPECT_TRUE(coordinator_.Start(Request(3), count).ok());
}

}  // namespace
}  // namespace troupe
