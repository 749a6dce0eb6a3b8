// How an algorithm takes a batch into its replay, alone or with other learners.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_REPLAY_INTAKE_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_REPLAY_INTAKE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/batch/training_batch.h"
#include "learner/ranks/collective.h"
#include "learner/replay/replay_store.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct ReplayIntake {
  ReplayShare share;
  bool is_finite = false;  // on every rank; otherwise the batch was left out
  double env_steps = 0;    // that the replays of all ranks hold
  bool begins = false;     // there are `learning_starts` of them, or as many as fit
};

// Keeps the batch, which CheckBatch has seen, unless a number of any rank's is not finite: it would be drawn for as
// long as the replay keeps it. Errors: of ReplayStore::Add, of the ranks, and no stream for each column.
absl::StatusOr<ReplayIntake> TakeIn(const TrainingBatch& batch, uint64_t learning_starts, Collective* ranks,
                                    ReplayStore* replay);

// INVALID_ARGUMENT naming the `field` where `bytes` do not hold a batch of the run.
absl::Status CheckReplayHoldsABatch(const Experiment& experiment, const EnvironmentSpec& environment,
                                    const std::vector<PolicySpec>& policies, const std::string& field, uint64_t bytes);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_REPLAY_INTAKE_H_
