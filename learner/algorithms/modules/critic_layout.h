// What a run's critics are: how many, what they look at, whose value each of their outputs is.
//
// A critic maps each joint step to `columns` values: rows_per_step input rows of stack.input_size, each giving
// stack.output_size outputs.
//   input GLOBAL_STATE, heads TEAM:        one critic "team", 1 row, 1 output: the team reward; where the environment
//                                          has several teams a critic for each, "team_NAME", that shares nothing
//   input GLOBAL_STATE, heads EACH_AGENT:  one critic "agents", 1 row, an output per agent of all groups, in order
//   per-agent inputs, heads EACH_AGENT:    a critic per group, named after it, a row per agent, 1 output
// With attention a row holds, instead of the global state, a token of every agent (its observation, and its one-hot
// index in the group if agent_id_input), the extras as one more if there are any, and of every agent whether it lives
// (AttentionSpec, common/specs/policy_spec.h).
//
// What a critic sees of a dead agent is what the environment leaves in its observation, or zeros with death_masking; an
// agent's one-hot stays. With attention no other agent's value, nor the team's, depends on it. In the final state of a
// truncated episode those are dead who died in its last step.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_CRITIC_LAYOUT_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_CRITIC_LAYOUT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/algorithms/modules/advantages.h"
#include "learner/batch/training_batch.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct CriticLayout {
  std::string name;
  CriticInput input = GLOBAL_STATE;
  bool team = false;
  bool agent_id_input = false;
  bool masks_dead = false;  // zeros for dead agents' observations
  int group = -1;           // per-agent inputs: whose agents
  int rows_per_step = 1;
  std::vector<std::pair<int, int>> agents;  // (group, agent) of each column; empty for a team
  std::vector<int> team_groups;             // a team's: whose agents it consists of
  DenseStackSpec stack;

  int columns() const { return team ? 1 : static_cast<int>(agents.size()); }
  bool is_team_of(int g) const;
};

// INVALID_ARGUMENT: per-agent inputs with TEAM heads.
absl::StatusOr<std::vector<CriticLayout>> MakeCriticLayouts(const CriticSettings& settings,
                                                            const EnvironmentSpec& environment);

// critic_inputs.cc: inputs of all states of the batch: rows of steps 0 … T (T+1 × B), then of the K truncated episodes'
// final states:
// [(T+1) · B + K, rows_per_step, stack.input_size]. `inputs` has that size.
void WriteCriticInputs(const CriticLayout& layout, const EnvironmentSpec& environment, const TrainingBatch& batch,
                       float* inputs);

// How rewards become those of value streams.
struct RewardSettings {
  double scale = 1;
  TeamReward team = MEAN_ALL;
  bool bootstrap_dead = true;  // ValueStreams::bootstrap_inactive
};

// Rewards, values and ends of every column (N = B · columns). `values` [(T+1) · B + K, columns] in reward units;
// `importance` per group [T, B, A], π/μ, or empty for none. A team's importance is the product over its living agents;
// other teams count as part of the environment, as other agents do for an agent's.
ValueStreams MakeValueStreams(const CriticLayout& layout, const EnvironmentSpec& environment,
                              const TrainingBatch& batch, const RewardSettings& reward,
                              const std::vector<float>& values, const std::vector<std::vector<float>>& importance);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_CRITIC_LAYOUT_H_
