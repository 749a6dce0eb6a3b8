// What a chunk says, once its tensors have the right shapes: numbers finite, actions possible, flags consistent.
//
// A chunk that passes can be trained on without further looks: no index in it points outside, no number in it is NaN.
#ifndef TROUPE_LEARNER_INGEST_CHUNK_VALUES_H_
#define TROUPE_LEARNER_INGEST_CHUNK_VALUES_H_

#include "absl/status/status.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// `view` is of `chunk`. Pure. Errors: INVALID_ARGUMENT naming the field and the place ("groups[0].actions[3, 1, 0]"),
// what came and what was expected:
//  - what the table of trajectory_fields.h calls finite, returns, statistics, times: finite;
//  - rewards at most kLargestReward in magnitude;
//  - discrete actions in [0, N), allowed by the mask where the agent is alive; a living agent has an allowed action;
//    log-probabilities of discrete actions not above zero (1e-3 of rounding aside); of multi-discrete ones the same in
//    each dimension;
//  - options as option_values.h says;
//  - what the table calls a flag: 0 or 1; not both terminated and truncated;
//  - truncated_at: exactly the set places of `truncated`, by step, then copy;
//  - episodes: at a place that ended, each place once; length ≥ 1; as many returns as groups, as many statistics as
//  declared.
absl::Status CheckChunkValues(const EnvironmentSpec& spec, const ChunkShape& shape, const wire::Chunk& chunk,
                              const ReceivedChunkView& view);

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_CHUNK_VALUES_H_
