// A batch as one group's actors train on it: rows arranged by parameter set. Host code.
//
// A slot is a place for one agent in a set's row block; sets with fewer agents than others are padded with slots that
// never live. Shared policy: one set, a slot per agent; per-agent policies: a set per agent, one slot each. S sets, R
// slots; row (s, step, r) is agent_of[s · R + r] at that step.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_ACTOR_ROWS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_ACTOR_ROWS_H_

#include <cstdint>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/batch/training_batch.h"

namespace troupe {

struct SlotMap {
  static constexpr int kPadding = -1;
  int sets = 1;
  int slots = 1;
  std::vector<int> agent_of;  // [sets, slots], kPadding where there is none

  explicit SlotMap(const PolicySpec& policy);
};

// Whom each place of a joint step hears, as NetworkPlan::hears; empty where nobody talks.
std::vector<std::vector<int>> PlacesHeard(const PolicySpec& policy, const SlotMap& map);

// Writes inputs of all rows of `batch` (already validated), as the arithmetic wants them, and masks of discrete groups.
// Of those that communicate who lives speaks.
void WriteActorRows(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t steps,
                    const RowMemory& to);

// Writes inputs alone: of observations [rows, A, O], those numbered index[0 … count − 1] (null: the first ones), as
// states [first, first + count) of `states`.
void WriteActorInputs(const PolicySpec& policy, const SlotMap& map, const float* observations, const int64_t* index,
                      int64_t count, int64_t first, int64_t states, float* inputs);

// Writes what a recurrent policy's agents remembered where `sequences` sequences begin.
void WriteActorStates(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t sequences,
                      const RowMemory& to);

// What the policy loss needs of each agent at each step, [steps, agents].
struct ActorTargets {
  const std::vector<uint8_t>* trained = nullptr;  // null: the living are
  const std::vector<float>* reference_log_probabilities = nullptr;
  const std::vector<float>* importance = nullptr;  // null: 1
  const std::vector<float>* advantages = nullptr;
};

// Writes the rows of the policy loss, [S, steps, R, fields of the policy's objective] (policy_objective.h):
// PolicyRow's, or of Gaussians GaussianRow's.
void WritePolicyRows(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t steps,
                     const ActorTargets& targets, float* rows);

// Living agents of each set at each step: [sets][steps]. `alive` [steps, agents] or longer.
std::vector<std::vector<int32_t>> LivingAgents(const SlotMap& map, const std::vector<uint8_t>& alive, int64_t steps);

// log π(action taken) of [steps, agents] as workers record it, but without a scale of noise: from the network's outputs
// [S, steps, R, stack.output_size] and its free parameters [S, size].
std::vector<float> ActionLogProbabilities(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch,
                                          int64_t steps, const std::vector<float>& outputs,
                                          const std::vector<float>& free);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_ACTOR_ROWS_H_
