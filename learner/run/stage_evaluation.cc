#include "learner/run/stage_evaluation.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/threads/timed_wait.h"
#include "learner/run/evaluation_tracker.h"

namespace troupe {

void StageEvaluation::Ask(std::shared_ptr<const PolicySnapshot> policy, uint32_t stage) {
  question_ = std::make_shared<Question>();
  question_->policy = std::move(policy);
  question_->stage = stage;
  Send();
}

void StageEvaluation::Send() {
  ++question_->tries;
  EvaluationRequest request;
  request.weights = question_->policy;
  request.first_seed = settings_.first_seed();
  request.episodes = settings_.episodes();
  request.sample_actions = settings_.sample_actions();
  request.curriculum_stage = question_->stage;
  const auto answered = [question = question_, environment = environment_](absl::StatusOr<EvaluationOutcome> outcome) {
    absl::StatusOr<EpisodeMeans> means = MeansOfOutcome(environment, outcome);
    absl::MutexLock lock(&question->mutex);
    question->answer = std::move(means);
  };
  if (absl::Status status = server_.RequestEvaluation(request, answered); !status.ok()) {
    absl::MutexLock lock(&question_->mutex);
    question_->answer = std::move(status);
  }
}

absl::StatusOr<std::optional<EpisodeMeans>> StageEvaluation::Answer(absl::Duration timeout) {
  Question& question = *question_;
  absl::Status failure;
  {
    absl::MutexLock lock(&question.mutex);
    const auto arrived = [&question]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(question.mutex) { return question.answer.has_value(); };
    if (timeout > absl::ZeroDuration()) AwaitFor(question.mutex, absl::Condition(&arrived), timeout);
    if (!question.answer.has_value()) return std::optional<EpisodeMeans>();
    if (question.answer->ok()) return std::optional<EpisodeMeans>(**question.answer);
    failure = question.answer->status();
    if (question.tries < kMaxTries) question.answer.reset();
  }
  if (question.tries < kMaxTries) {
    Send();
    return std::optional<EpisodeMeans>();
  }
  return absl::Status(failure.code(), absl::StrCat("the evaluation that the curriculum waits for, of update ",
                                                   question.policy->policy_version, ", failed ", kMaxTries,
                                                   " times, the last with: ", failure.message()));
}

}  // namespace troupe
