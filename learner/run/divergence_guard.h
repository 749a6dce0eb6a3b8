// What is done about losses and gradients that are not finite, whatever the algorithm. The arithmetic moves no network
// by them (networks/flat_adam.h) and algorithms count them as "skipped_minibatches"; from that figure, which is the
// same on every rank, this decides:
//
//   an update without any          nothing; where it passes a multiple of checkpoint.interval_env_steps the state is
//   good one with some                  its batch is kept in FOLDER/UPDATE.safetensors (learner/batch/batch_file.h)
//   divergence.rollback_after of   the algorithm goes back to the last good state, with smaller learning rates; after
//   them in a row                  divergence.max_rollbacks the run ends instead
//
// It goes by nothing but updates: the same run gives the same weights, interrupted or not.
#ifndef TROUPE_LEARNER_RUN_DIVERGENCE_GUARD_H_
#define TROUPE_LEARNER_RUN_DIVERGENCE_GUARD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/host_tensor.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_shape.h"
#include "learner/algorithms/algorithm.h"
#include "learner/batch/training_batch.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/divergence_state.h"
#include "learner/reporting/run_records.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Not thread-safe: the training thread's.
class DivergenceGuard {
 public:
  // `start`: where the run begins or goes on; `algorithm`, which outlives this, has loaded it. `folder`: where batches
  // are kept; empty: nowhere.
  DivergenceGuard(const Checkpoint& start, Algorithm* algorithm, std::string folder);

  // After update number `update` (the version that came out) came to these figures. Empty: all of it was finite.
  // Otherwise what is to be told; the algorithm may have gone back. `status`: INTERNAL: it is not to go back any more.
  // Those of Algorithm::GoBackTo.
  struct Verdict {
    DivergenceRecord record;
    absl::Status status;
  };
  std::optional<Verdict> Judge(const UpdateStatistics& statistics, uint64_t update);

  // Keeps the batch of such an update; older ones make room. Returns the file's name, or "" where the settings have no
  // room for it. Errors: those of files.
  absl::StatusOr<std::string> KeepBatch(const TrainingBatch& batch, uint64_t update, uint64_t env_steps,
                                        const DivergenceRecord& record) const;

  // A multiple of checkpoint.interval_env_steps was passed; this is Algorithm::SaveState after `update`. It is the good
  // state from here on, unless the update before was none, or a number in it is not finite.
  void Offer(uint64_t update, std::shared_ptr<const std::vector<HostTensor>> state);

  double learning_rate_scale() const { return state_.learning_rate_scale; }
  // For a checkpoint after `update`.
  DivergenceState state(uint64_t update) const;

 private:
  // Removes the oldest batches until another one of `bytes` fits.
  absl::Status MakeRoom(uint64_t bytes) const;

  const DivergenceSettings settings_;
  const EnvironmentSpec environment_;
  const ChunkShape shape_;
  const std::string run_id_, folder_;
  Algorithm& algorithm_;
  DivergenceState state_;  // its `good` is never null
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_DIVERGENCE_GUARD_H_
