// What the settings decide about the sizes of a chunk; the rest its environment does.
#ifndef TROUPE_COMMON_WIRE_CHUNK_SHAPE_H_
#define TROUPE_COMMON_WIRE_CHUNK_SHAPE_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace troupe {

// What the agents of one group remember from step to step, and how often it is recorded.
struct NetworkStateShape {
  int state_size = 0;       // H, numbers of one agent; 0: its network remembers nothing, and nothing is recorded
  int sequence_length = 1;  // L, steps from one record to the next; at least 1 where H > 0, and not looked at elsewhere
};

// What the agents of one group may follow (common/specs/option_policies.h).
struct OptionShape {
  int count = 0;  // 0: no options, and nothing is recorded
  int steps = 0;
};

struct ChunkShape {
  int rollout_length = 0;  // T
  int copies = 0;          // E; of a batch: its columns
  bool half_observations = false;
  bool values_actions = false;  // whether a truncated episode's last state says which actions are allowed there
  std::vector<NetworkStateShape> network_states{};  // per group; empty: no network remembers anything
  std::vector<absl::string_view> left_out{};        // optional fields (trajectory_fields.h) that nobody asks for
  bool asks_who_lives = false;                      // whether critics see who lives in a truncated episode's last state
  std::vector<OptionShape> options{};               // per group; empty: no group has options
  bool meets_saved = false;  // whether saved versions of the actors play in some episodes (SelfPlaySettings)
};

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_CHUNK_SHAPE_H_
