// The stages a run trains on, and when it is on to the next.
//
//   after update v:       Advance(v, steps)   the verdict that is due at v, and whether the stage ends
//                         the policy is exported with the stage and published
//                         Judge(policy)       every interval_updates: an evaluation on the stage is asked for
//   before update v + 1:  IsKnown(v + 1)      whether what Advance will go by has come
//
// The verdict on the policy of version w counts at version w + verdict_updates, whenever its evaluation came: which
// stage a version implies depends on version numbers and evaluated policies alone, never on a clock. A policy that is
// judged when its stage ends otherwise is forgotten.
#ifndef TROUPE_LEARNER_RUN_CURRICULUM_H_
#define TROUPE_LEARNER_RUN_CURRICULUM_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/environment_spec.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/curriculum_state.h"
#include "learner/ranks/collective.h"
#include "learner/reporting/episode_means.h"
#include "learner/reporting/run_records.h"
#include "learner/run/stage_evaluation.h"
#include "learner/service/learner_server.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Whether the environment reports what the stages go by. Errors: as of CheckStatistic.
absl::Status CheckStageStatistics(const CurriculumSettings& curriculum, const EnvironmentSpec& environment);

// Where a run begins in its curriculum; none where it has none.
std::optional<CurriculumState> FirstStage(const Experiment& experiment);

// Adds the stage that the snapshot implies, where there is a curriculum.
void AddStage(const std::optional<CurriculumState>& state, PolicySnapshot* policy);

// Whether an evaluation's mean of the statistic meets the bounds that are there. NaN meets none.
bool Meets(const StagePromotion& promote, double value);

// Belongs to the training thread.
class Curriculum {
 public:
  // What an update brought.
  struct Step {
    uint32_t stage = 0;                           // that the new version implies
    std::optional<StageVerdictRecord> verdict{};  // about the stage before, but for the date
    bool promoted = false;
  };

  // `server` outlives it; `start` has experiment, environment and where the run stands. `decides`: on the rank that
  // evaluates. Asks at once for what is judged.
  Curriculum(LearnerServer* server, const Checkpoint& start, bool decides);

  bool is_on() const { return state_.has_value(); }
  const std::optional<CurriculumState>& state() const { return state_; }

  // Whether what Advance(version) goes by is known, waiting up to `timeout` for it. Errors: as of
  // StageEvaluation::Answer.
  absl::StatusOr<bool> IsKnown(uint64_t version, absl::Duration timeout);

  // The run, which has a curriculum, has come to this version, trained on so many steps. Every rank calls it with the
  // same; those that do not decide are told by the first.
  Step Advance(uint64_t version, uint64_t env_steps, Collective* ranks);

  // The policy is out: asks for its evaluation if it is to be judged.
  void Judge(const std::shared_ptr<const PolicySnapshot>& policy);

 private:
  const StagePromotion& promotion() const { return settings_.stages(static_cast<int>(state_->stage)).promote(); }
  bool is_last() const { return state_->stage >= static_cast<uint32_t>(settings_.stages_size()); }
  bool IsVerdictDue(uint64_t version) const {
    return state_->judged != nullptr && state_->judged->policy_version + settings_.verdict_updates() <= version;
  }
  std::optional<StageVerdictRecord> TakeVerdict(uint64_t version, uint64_t env_steps);

  const CurriculumSettings settings_;
  const bool decides_;
  std::optional<CurriculumState> state_;
  StageEvaluation evaluation_;
  std::optional<EpisodeMeans> answer_;  // of the judged policy
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_CURRICULUM_H_
