// The one place that knows which tensors a chunk has and how large they are: the worker allocates by it, the learner
// admits by it, and both read through the views it gives, in the message's own bytes or in those of the network.
//
// Letters as in proto/trajectory.proto.
#ifndef TROUPE_COMMON_WIRE_CHUNK_LAYOUT_H_
#define TROUPE_COMMON_WIRE_CHUNK_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/specs/environment_spec.h"
#include "common/wire/scattered_floats.h"
#include "proto/experiment.pb.h"
#include "proto/trajectory.pb.h"

namespace troupe {

struct ChunkShape {
  int rollout_length = 0;  // T
  int copies = 0;          // E
  bool half_observations = false;
};

ChunkShape ChunkShapeOf(const CollectionSettings& collection);

// Float is float or const float, and so on: one definition for writing and for reading. Large: what holds the tensors
// that make up most of a chunk.
template <typename Float, typename Int, typename Byte, typename Large = absl::Span<Float>>
struct GroupChunkViewOf {
  Large observations;                    // [T+1, E, A, O]
  absl::Span<Int> discrete_actions;      // [T, E, A], empty for continuous groups
  absl::Span<Float> continuous_actions;  // [T, E, A, N], empty for discrete groups
  absl::Span<Float> log_probabilities;   // [T, E, A]
  absl::Span<Float> rewards;             // [T, E, A]
  absl::Span<Byte> action_masks;         // [T+1, E, A, N], empty for continuous groups
  absl::Span<Byte> alive;                // [T+1, E, A]
  absl::Span<Float> final_observations;  // [K, A, O]
};

template <typename Float, typename Int, typename Byte, typename Large = absl::Span<Float>>
struct ChunkViewOf {
  std::vector<GroupChunkViewOf<Float, Int, Byte, Large>> groups;
  Large state_extras;                    // [T+1, E, S]
  absl::Span<Byte> terminated;           // [T, E]
  absl::Span<Byte> truncated;            // [T, E]
  absl::Span<Int> truncated_at;          // [K, 2]
  absl::Span<Float> final_state_extras;  // [K, S]
};

using MutableChunkView = ChunkViewOf<float, int32_t, uint8_t>;
using ChunkView = ChunkViewOf<const float, const int32_t, const uint8_t>;
using ReceivedChunkView = ChunkViewOf<const float, const int32_t, const uint8_t, ScatteredFloats>;

// A chunk as it was read from the network: the message, and beside it the bytes of its large tensors, whose `data` in
// the message is empty (type and shape are there). A view of memory that somebody else holds.
struct ReceivedChunk {
  using Bytes = std::vector<absl::string_view>;  // the pieces one after the other
  wire::Chunk chunk;
  std::vector<Bytes> observations;  // per group of the message
  Bytes state_extras;
};

// Shapes `chunk` for a rollout: every tensor of fixed size gets its bytes (contents unspecified, memory of an earlier
// use kept), K = 0. The view is good until the chunk is touched in any other way than through it.
MutableChunkView AllocateChunk(const EnvironmentSpec& spec, ChunkShape shape, wire::Chunk* chunk);

// Where observations go instead of the view's, which are empty, when `shape` has half_observations: [T+1, E, A, O].
absl::Span<uint16_t> HalfObservations(wire::GroupTrajectory* group);

// Gives the K truncated episodes' tensors their bytes, once K is known; sets the view's final_* and truncated_at.
void AllocateTruncated(const EnvironmentSpec& spec, int num_truncated, wire::Chunk* chunk, MutableChunkView* view);

// Checks every tensor's type, shape and byte count and returns the view of a received chunk, good while `chunk` lives.
// Errors: INVALID_ARGUMENT naming the field ("groups[0].observations.shape"), what came and what was expected. Values
// are not looked at (learner/ingest/chunk_admission does that). Half observations are left empty.
absl::StatusOr<ChunkView> ViewChunk(const EnvironmentSpec& spec, ChunkShape shape, const wire::Chunk& chunk);
// The same, good while `received` and the memory it views live.
absl::StatusOr<ReceivedChunkView> ViewChunk(const EnvironmentSpec& spec, ChunkShape shape,
                                            const ReceivedChunk& received);

// Bytes of a chunk with K = T·E, the most there can be: the bound of a message.
size_t MaxChunkBytes(const EnvironmentSpec& spec, ChunkShape shape);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_CHUNK_LAYOUT_H_
