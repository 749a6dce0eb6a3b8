// When to evaluate, what is under way, and which policy is the best so far.
#ifndef TROUPE_LEARNER_RUN_EVALUATION_TRACKER_H_
#define TROUPE_LEARNER_RUN_EVALUATION_TRACKER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/reporting/episode_means.h"
#include "learner/service/learner_server.h"
#include "proto/experiment.pb.h"

namespace troupe {

// The episodes' means. Errors: the outcome's own; INTERNAL when none of its episodes fits the environment.
absl::StatusOr<EpisodeMeans> MeansOfOutcome(const EnvironmentSpec& spec,
                                            const absl::StatusOr<EvaluationOutcome>& outcome);

// One evaluation that came back, with the whole learner state it was made from: should it be the best, that state is
// kept.
struct FinishedEvaluation {
  std::shared_ptr<const Checkpoint> snapshot;
  absl::StatusOr<EpisodeMeans> means;
};

// Belongs to the training thread; results arrive from the server's threads, even after destruction (they are forgotten
// then).
class EvaluationTracker {
 public:
  // `server` outlives it; `start` has the experiment, the environment and where the run begins or goes on.
  EvaluationTracker(LearnerServer* server, const Checkpoint& start);

  // A boundary of interval_env_steps was passed since the last request.
  bool IsDue(uint64_t env_steps) const;
  bool WasRequested(uint64_t env_steps) const { return requested_env_steps_ == env_steps && env_steps > 0; }
  bool is_enabled() const { return settings_.interval_env_steps() > 0; }

  // Errors: those of RequestEvaluation; the boundary counts as passed all the same.
  absl::Status Request(std::shared_ptr<const Checkpoint> snapshot);

  // What came back since the last call, waiting up to `timeout` for something.
  std::vector<FinishedEvaluation> Take(absl::Duration timeout);
  int num_pending() const;

  // What is to be kept as the best evaluation when `evaluation` beats `best`, else nothing. NaN beats nothing; anything
  // beats none, and a value that came about otherwise.
  std::optional<BestEvaluation> BetterThan(const std::optional<BestEvaluation>& best, const EpisodeMeans& means,
                                           const RunCounters& evaluated) const;

 private:
  // Outlives the tracker in the callbacks that still hold it.
  struct Mailbox {
    absl::Mutex mutex;
    std::vector<FinishedEvaluation> arrived ABSL_GUARDED_BY(mutex);
    int pending ABSL_GUARDED_BY(mutex) = 0;
  };

  LearnerServer& server_;
  const EvaluationSettings settings_;
  const EnvironmentSpec environment_;
  const EvaluationBasis basis_;
  uint64_t requested_env_steps_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_EVALUATION_TRACKER_H_
