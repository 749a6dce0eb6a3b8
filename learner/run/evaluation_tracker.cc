#include "learner/run/evaluation_tracker.h"

#include <cmath>
#include <utility>

#include "common/threads/timed_wait.h"
#include "learner/checkpoint/evaluation_basis.h"

namespace troupe {

absl::StatusOr<EpisodeMeans> MeansOfOutcome(const EnvironmentSpec& spec,
                                            const absl::StatusOr<EvaluationOutcome>& outcome) {
  if (!outcome.ok()) return outcome.status();
  EpisodeMeans means = MeansOf(spec, outcome->episodes);
  if (means.count == 0) return absl::InternalError("no usable episode came back");
  return means;
}

EvaluationTracker::EvaluationTracker(LearnerServer* server, const Checkpoint& start)
    : server_(*server),
      settings_(start.experiment.evaluation()),
      environment_(start.environment),
      basis_(BasisOf(start.experiment, start.environment)),
      requested_env_steps_(start.counters.evaluated_env_steps) {}

bool EvaluationTracker::IsDue(uint64_t env_steps) const {
  const uint64_t interval = settings_.interval_env_steps();
  return interval > 0 && env_steps / interval > requested_env_steps_ / interval;
}

absl::Status EvaluationTracker::Request(std::shared_ptr<const Checkpoint> snapshot) {
  requested_env_steps_ = snapshot->counters.env_steps;
  EvaluationRequest request;
  request.weights = std::shared_ptr<const PolicySnapshot>(snapshot, &snapshot->policy);
  request.first_seed = settings_.first_seed();
  request.episodes = settings_.episodes();
  request.sample_actions = settings_.sample_actions();
  {
    absl::MutexLock lock(&mailbox_->mutex);
    ++mailbox_->pending;
  }
  const absl::Status status = server_.RequestEvaluation(
      request, [mailbox = mailbox_, snapshot, environment = environment_](absl::StatusOr<EvaluationOutcome> outcome) {
        FinishedEvaluation finished{snapshot, MeansOfOutcome(environment, outcome)};
        absl::MutexLock lock(&mailbox->mutex);
        --mailbox->pending;
        mailbox->arrived.push_back(std::move(finished));
      });
  if (!status.ok()) {
    absl::MutexLock lock(&mailbox_->mutex);
    --mailbox_->pending;
  }
  return status;
}

std::vector<FinishedEvaluation> EvaluationTracker::Take(absl::Duration timeout) {
  std::vector<FinishedEvaluation> taken;
  absl::MutexLock lock(&mailbox_->mutex);
  if (timeout > absl::ZeroDuration()) {
    const auto arrived = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mailbox_->mutex) { return !mailbox_->arrived.empty(); };
    AwaitFor(mailbox_->mutex, absl::Condition(&arrived), timeout);
  }
  taken.swap(mailbox_->arrived);
  return taken;
}

int EvaluationTracker::num_pending() const {
  absl::MutexLock lock(&mailbox_->mutex);
  return mailbox_->pending + static_cast<int>(mailbox_->arrived.size());
}

std::optional<BestEvaluation> EvaluationTracker::BetterThan(const std::optional<BestEvaluation>& best,
                                                            const EpisodeMeans& means,
                                                            const RunCounters& evaluated) const {
  const double value = means.Find(settings_.best_by()).value_or(std::nan(""));
  if (std::isnan(value)) return std::nullopt;
  const bool comparable = best.has_value() && best->basis == basis_;
  const bool better = !comparable || (settings_.smaller_is_better() ? value < best->value : value > best->value);
  if (!better) return std::nullopt;
  return BestEvaluation{value, evaluated.update, evaluated.env_steps, basis_};
}

}  // namespace troupe
