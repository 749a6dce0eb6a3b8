// Where the numbers of E copies lie in the memory that a worker and an environment server share: the table of
// proto/environment_service.proto.
//
// E = copies, A = agents of the group, O = observation size, N = action size, D = AgentGroupSpec::num_choices(), S =
// state_extras_size, K = num_statistics().
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SHARED_ARRAYS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SHARED_ARRAYS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// What a copy is to do when the server is rung.
enum class CopyCommand : uint8_t { kRest = 0, kReset = 1, kStep = 2 };
// How a copy's step left its episode.
enum class CopyEnding : uint8_t { kGoesOn = 0, kTerminated = 1, kTruncated = 2 };

inline constexpr int64_t kMostSharedBytes = int64_t{1} << 30;

// Offset of every array, in the table's order (0: an empty one), and how many bytes there are together.
struct SharedLayout {
  std::vector<uint64_t> offsets;
  int64_t bytes = 0;
};

// Errors: RESOURCE_EXHAUSTED beyond kMostSharedBytes.
absl::StatusOr<SharedLayout> PlanSharedMemory(const EnvironmentSpec& spec, int copies);

// Views of the memory. What the server writes is read once it has answered, and is whatever it wrote.
struct SharedArrays {
  absl::Span<uint8_t> commands;          // [E]
  absl::Span<uint64_t> seeds;            // [E]
  absl::Span<uint8_t> endings;           // [E]
  absl::Span<const double> statistics;   // [E, K]
  absl::Span<const float> state_extras;  // [E, S]
  struct Group {
    absl::Span<int32_t> discrete;           // [E, A, D]
    absl::Span<float> continuous;           // [E, A, N], of continuous groups
    absl::Span<const float> observations;   // [E, A, O]
    absl::Span<const uint8_t> action_mask;  // [E, A, N], empty for continuous groups
    absl::Span<const uint8_t> alive;        // [E, A]
    absl::Span<const float> rewards;        // [E, A]
  };
  std::vector<Group> groups;
};

// Writes the table to the beginning of `memory`, layout.bytes long.
SharedArrays LayOut(const EnvironmentSpec& spec, int copies, const SharedLayout& layout, char* memory);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SHARED_ARRAYS_H_
