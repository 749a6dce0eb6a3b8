// One evaluation at a time: of the policy that a curriculum's next verdict is about.
#ifndef TROUPE_LEARNER_RUN_STAGE_EVALUATION_H_
#define TROUPE_LEARNER_RUN_STAGE_EVALUATION_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/environment_spec.h"
#include "learner/reporting/episode_means.h"
#include "learner/service/learner_server.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Belongs to the training thread; answers come from the server's threads, even after destruction (they are forgotten
// then).
class StageEvaluation {
 public:
  // Evaluations that fail one after the other before that is the answer.
  static constexpr int kMaxTries = 3;

  // `server` outlives it.
  StageEvaluation(LearnerServer* server, const CurriculumSettings& settings, const EnvironmentSpec& environment)
      : server_(*server), settings_(settings), environment_(environment) {}

  // Forgets what was asked before.
  void Ask(std::shared_ptr<const PolicySnapshot> policy, uint32_t stage);
  void Forget() { question_ = nullptr; }

  // Of what was asked: the episodes' means once they are there; none yet: empty, after waiting up to `timeout`. Asks
  // again after a failure; the last one's error after kMaxTries.
  absl::StatusOr<std::optional<EpisodeMeans>> Answer(absl::Duration timeout);

 private:
  // Outlives the asker in the callback that still holds it.
  struct Question {
    std::shared_ptr<const PolicySnapshot> policy;
    uint32_t stage = 0;
    int tries = 0;
    absl::Mutex mutex;
    std::optional<absl::StatusOr<EpisodeMeans>> answer ABSL_GUARDED_BY(mutex);
  };
  void Send();

  LearnerServer& server_;
  const CurriculumSettings settings_;
  const EnvironmentSpec environment_;
  std::shared_ptr<Question> question_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_STAGE_EVALUATION_H_
