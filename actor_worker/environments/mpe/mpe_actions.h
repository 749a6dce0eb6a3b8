// Actions of a particle scenario's agents as numbers, and back.
//
// Discrete, of an agent that moves: 0 none, 1 left, 2 right, 3 down, 4 up; of one that speaks: its word; of one that
// does both: move + 5 × word, as in mpe2. Multi-discrete: the move, then the word, of what it does. Continuous: control
// to the right and upwards in [-1, 1] each (mpe2 takes five numbers in [0, 1] and subtracts them in pairs), then how
// strongly each word is said, −1 not at all to 1 fully.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_ACTIONS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_ACTIONS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/mpe/mpe_scenario.h"

namespace troupe {

inline constexpr std::array<Vector2, 5> kMpeMoves = {{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}}};

// What the role's agents may do, as a group of `kind` says it: its kind, sizes and names of actions.
void DescribeActions(const MpeRole& role, ActionKind kind, AgentGroupSpec* group);

// What an agent's action does: its control, and its message (role.vocabulary numbers in [0, 1]), overwritten.
Vector2 ApplyDiscrete(const MpeRole& role, int action, absl::Span<double> message);
Vector2 ApplyMultiDiscrete(const MpeRole& role, absl::Span<const int32_t> action, absl::Span<double> message);
Vector2 ApplyContinuous(const MpeRole& role, absl::Span<const float> action, absl::Span<double> message);

// The action that makes the move. Discrete: the control is one of kMpeMoves.
int DiscreteActionOf(const MpeRole& role, const MpeMove& move);
void WriteMultiDiscreteAction(const MpeRole& role, const MpeMove& move, absl::Span<int32_t> action);
void WriteContinuousAction(const MpeRole& role, const MpeMove& move, absl::Span<float> action);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_ACTIONS_H_
