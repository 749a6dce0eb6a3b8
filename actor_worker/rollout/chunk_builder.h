// Cuts what a shard lives through into chunks: hands out rows of the chunk's own bytes, so that the environment and the
// policy write straight into the message that goes over the wire.
//
//   builder.Begin(chunk)                        row 0 = the last row of the chunk before
//   for t in 0 … T−1:
//     builder.SetStep(t)
//     whoever acts writes builder.network_states() and builder.learns(), where there are any
//     the team reads builder.observations() and writes builder.chosen()
//     environment.Step(builder.actions(), builder.outcome(), builder.next())
//     builder.Record(environment)               episodes that ended at t
//     whoever acts writes builder.option_states(), where there are any
//   builder.Finish()
//
// Letters as in proto/trajectory.proto.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_CHUNK_BUILDER_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_CHUNK_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "actor_worker/acting/distribution.h"
#include "actor_worker/environments/vector_environment.h"
#include "actor_worker/rollout/matches.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// Not thread-safe. One per lease: it remembers the row where the next chunk begins.
class ChunkBuilder {
 public:
  ChunkBuilder(const EnvironmentSpec& spec, const ChunkShape& shape);

  // Shapes `chunk` and copies the last chunk's final row to row 0. Before the first chunk row 0 is left to be written
  // through observations(). `chunk` must live and stay untouched until Finish.
  void Begin(wire::Chunk* chunk);

  // Points the rows below at step t in [0, T), whose observations have been written; Begin points them at 0.
  void SetStep(int t);

  const ObservationRow& observations() const { return present_; }  // row t
  const ObservationRow& next() const { return next_; }             // row t + 1
  const ActionRow& actions() const { return actions_; }            // row t, as the environment reads it
  const OutcomeRow& outcome() const { return outcome_; }           // row t
  // Row t, per group, where it is chosen. What is recorded lies in the chunk; what the environment is given beside it.
  const std::vector<ChosenActions>& chosen() const { return chosen_; }
  // Per group [E, A, H]: where to write what the agents remember before they act, at the steps that begin a sequence of
  // the group; empty at others and where its network remembers nothing.
  const std::vector<absl::Span<float>>& network_states() const { return network_states_; }
  // Per group [E, A, 2]: where to write, once step t is done and copies that ended begin anew, the options that agents
  // follow and for how long; empty where there are none.
  const std::vector<absl::Span<float>>& option_states() const { return option_states_; }
  // Row t, per group [E, A]: where to write whose actions the version's own actors choose; empty without a pool of
  // saved opponents.
  const std::vector<absl::Span<uint8_t>>& learns() const { return learns_; }

  // After the environment's step t: notes the episodes that ended there. Finished episodes that began with warm-up
  // steps are left out of `episodes`, since their figures are not the policy's own; their flags and final rows are data
  // like any other. `matches`: whom episodes were played against; null: nobody.
  void Record(absl::Span<const TruncatedCopy> truncated, absl::Span<const FinishedCopy> finished,
              const Matches* matches = nullptr);

  // Writes the truncated episodes' tensors and keeps the last row for the next chunk. OUT_OF_RANGE: an observation does
  // not fit in half precision.
  absl::Status Finish();

 private:
  void PointAt(int row, ObservationRow* observations);
  void PointAtStep(int t);
  // With half_observations: writes a row as the wire carries it, and back, so that nobody sees another.
  void Round(int row, const ObservationRow& observations);

  const EnvironmentSpec spec_;
  const ChunkShape shape_;

  wire::Chunk* chunk_ = nullptr;
  MutableChunkView view_;
  int step_ = 0;
  ObservationRow present_, next_;
  ActionRow actions_;
  OutcomeRow outcome_;
  std::vector<ChosenActions> chosen_;                         // per group
  std::vector<std::vector<float>> taken_;                     // per group [E, A, N], empty but for continuous groups
  std::vector<std::vector<float>> unsent_log_probabilities_;  // per group [E, A], empty where they are in the chunk
  std::vector<absl::Span<float>> network_states_;
  std::vector<absl::Span<float>> option_states_;
  std::vector<absl::Span<uint8_t>> learns_;

  // With half_observations, per group: rows [T+1, E, A, O] of this chunk, which its message has as halves.
  std::vector<std::vector<float>> unpacked_;
  bool all_fit_ = true;

  // Memory that outlives a chunk's, of some of its rows.
  using Kept = ChunkTensors<std::vector<float>, std::vector<int32_t>, std::vector<uint8_t>>;
  Kept truncated_;  // truncated episodes of this chunk, until their number K is known
  bool has_carry_ = false;
  Kept carry_;  // the last chunk's row T
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_CHUNK_BUILDER_H_
