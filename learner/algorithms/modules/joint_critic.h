// Critics that are told the global state and what all agents do (modules/joint_actions.h).
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_JOINT_CRITIC_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_JOINT_CRITIC_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "proto/experiment.pb.h"

namespace troupe {

// A row is the global state [state.stack.input_size] and the joint action [W] side by side; of it every parameter set
// makes one value.
struct JointCriticSpec {
  CriticLayout state;       // the global state as a critic of states sees it
  DenseStackSpec stack;     // a set for every agent, or one for the team
  bool each_agent = false;  // critic.heads
};

// INVALID_ARGUMENT naming what such a critic does not have: inputs but GLOBAL_STATE, attention, the value of one of
// several teams.
absl::StatusOr<JointCriticSpec> MakeJointCritic(const CriticSettings& settings, const EnvironmentSpec& environment,
                                                int64_t joint_action_size);

// Writes rows [rows, stack.input_size] out of states and actions [rows, …].
void WriteJointRows(const JointCriticSpec& critic, const float* states, const float* actions, int64_t rows, float* to);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_JOINT_CRITIC_H_
