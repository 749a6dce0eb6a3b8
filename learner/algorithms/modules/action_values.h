// Agents whose networks put out a value for each of their actions: where those lie, which is taken or best, and what
// pushes them. Host code.
//
// Agents of all groups together are numbered in the order of groups; n of them.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_ACTION_VALUES_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_ACTION_VALUES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"
#include "learner/algorithms/modules/actor_rows.h"
#include "learner/arithmetic/arithmetic.h"

namespace troupe {

// One group's agents, of whom the first has number `first` among all.
struct ValuedGroup {
  ValuedGroup(const PolicySpec& policy, int first);

  // The first of an agent's values at a state, among outputs [sets, states, slots, N] for `states` states.
  int64_t ValuesAt(int64_t agent, int64_t state, int64_t states) const {
    const int64_t set = place_of[agent] / map.slots, slot = place_of[agent] % map.slots;
    return ((set * states + state) * map.slots + slot) * policy.action_size;
  }

  PolicySpec policy;
  SlotMap map;
  std::vector<int64_t> place_of;  // [A], set · slots + slot
  int first = 0;
};

// Of every group, with the agents numbered.
std::vector<ValuedGroup> ValuedGroups(const std::vector<PolicySpec>& policies);
int64_t NumAgents(const std::vector<ValuedGroup>& groups);

// A network of the group's policy with values for outputs; those that are stepped are pushed as ChosenOutputObjective
// says.
NetworkPlan ValuePlan(const ValuedGroup& group, const std::string& kind, uint64_t key, bool is_stepped,
                      const AdamSettings& optimizer);

// The number of the largest of the allowed values, the lowest of equals, as workers choose (acting/distribution.h).
int64_t BestAction(const float* values, const uint8_t* mask, int64_t actions);

// What one group's agents chose at joint steps, and where they lived; [steps, A] each.
struct Choices {
  const int32_t* actions = nullptr;
  const uint8_t* alive = nullptr;
};

// Writes the values of chosen actions at the first `steps` of `states` states to `chosen` [steps, n]; 0 for the dead.
void ReadChosen(const ValuedGroup& group, const std::vector<float>& outputs, int64_t states, int64_t steps,
                const Choices& choices, int64_t num_agents, float* chosen);

// Writes the fields of ChosenOutputObjective out of slopes [steps, n].
void WriteSlopes(const ValuedGroup& group, int64_t steps, const Choices& choices, const float* slopes,
                 int64_t num_agents, float* fields);

// The groups' networks, which are the arithmetic's first ones, as workers run them with ε.
PolicySnapshot ExportValues(const Arithmetic& arithmetic, const std::vector<ValuedGroup>& groups, uint64_t version,
                            double epsilon);

// What the steps of the arithmetic's first `networks` came to.
struct StepsTaken {
  double gradient_norm = 0;  // mean over sets' steps, before clipping
  double skipped = 0;        // minibatches of the set that left out most
};
StepsTaken SumUpSteps(const UpdateFigures& figures, size_t networks);

// ε after `env_steps` of the run: linear from `first` to `last` over `span` environment steps.
double EpsilonAt(double first, double last, uint64_t span, uint64_t env_steps);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_ACTION_VALUES_H_
