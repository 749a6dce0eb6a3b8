// The tensors of a whole chunk, as the table of trajectory_fields.h says: the worker allocates by it, the learner
// admits by it, and both read through the views it gives, in the message's own bytes or in those of the network.
//
// Letters as in proto/trajectory.proto.
#ifndef TROUPE_COMMON_WIRE_CHUNK_LAYOUT_H_
#define TROUPE_COMMON_WIRE_CHUNK_LAYOUT_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "common/wire/chunk_shape.h"
#include "common/wire/field_tensors.h"
#include "common/wire/scattered_floats.h"
#include "common/wire/trajectory_fields.h"
#include "proto/experiment.pb.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// Of a complete experiment whose groups have these policies: without the optional fields that its algorithm's card does
// not list, with the states of recurrent networks and what its critics need of last states.
ChunkShape ChunkShapeOf(const Experiment& experiment, const std::vector<PolicySpec>& policies);

// One definition for writing and for reading: parameters as in GroupTensors.
template <typename... Memory>
struct ChunkTensors : JointTensors<Memory...> {
  std::vector<GroupTensors<Memory...>> groups;
};

template <typename T>
using ConstSpan = absl::Span<const T>;
using MutableChunkView = ChunkTensors<absl::Span<float>, absl::Span<int32_t>, absl::Span<uint8_t>>;
using ChunkView = ChunkTensors<ConstSpan<float>, ConstSpan<int32_t>, ConstSpan<uint8_t>>;
using ReceivedChunkView = ChunkTensors<ConstSpan<float>, ConstSpan<int32_t>, ConstSpan<uint8_t>, ScatteredFloats>;

// A chunk as it was read from the network: the message, and beside it the bytes of its large tensors, whose `data` in
// the message is empty (type and shape are there). A view of memory that somebody else holds.
struct ReceivedChunk : ChunkTensors<InMessage, InMessage, InMessage, TensorPieces> {
  wire::Chunk chunk;
};

// Shapes `chunk` for a rollout: every tensor of fixed size gets its bytes (contents unspecified, memory of an earlier
// use kept), K = 0. The view is good until the chunk is touched in any other way than through it.
MutableChunkView AllocateChunk(const EnvironmentSpec& spec, const ChunkShape& shape, wire::Chunk* chunk);

// Where observations go instead of the view's, which are empty, when `shape` has half_observations: [T+1, E, A, O].
absl::Span<uint16_t> HalfObservations(wire::GroupTrajectory* group);

// Gives the K truncated episodes' tensors their bytes, once K is known; sets the view's final_* and truncated_at.
void AllocateTruncated(const EnvironmentSpec& spec, const ChunkShape& shape, int num_truncated, wire::Chunk* chunk,
                       MutableChunkView* view);

// Checks every tensor's type, shape and byte count and returns the view of a received chunk, good while `chunk` lives.
// Errors: INVALID_ARGUMENT naming the field ("groups[0].observations.shape"), what came and what was expected. Values
// are not looked at (learner/ingest/chunk_admission does that). Half observations are left empty.
absl::StatusOr<ChunkView> ViewChunk(const EnvironmentSpec& spec, const ChunkShape& shape, const wire::Chunk& chunk);
// The same, good while `received` and the memory it views live.
absl::StatusOr<ReceivedChunkView> ViewChunk(const EnvironmentSpec& spec, const ChunkShape& shape,
                                            const ReceivedChunk& received);

// Bytes of a chunk with K = T·E, the most there can be: the bound of a message.
size_t MaxChunkBytes(const EnvironmentSpec& spec, const ChunkShape& shape);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_CHUNK_LAYOUT_H_
