// What an environment offers its agents: groups, spaces, global state, statistics.
//
// The plain twin of proto/environment_spec.proto, for code that knows nothing of the wire.
#ifndef TROUPE_COMMON_SPECS_ENVIRONMENT_SPEC_H_
#define TROUPE_COMMON_SPECS_ENVIRONMENT_SPEC_H_

#include <string>
#include <vector>

namespace troupe {

// Discrete: one of so many actions. Multi-discrete: one of so many choices in each of several dimensions.
enum class ActionKind { kDiscrete, kContinuous, kMultiDiscrete };

// "discrete", "continuous", "multi_discrete".
std::string NameOf(ActionKind kind);

// What one number of an observation or of the global state is: for people, and for whoever feeds an exported actor.
struct ObservedNumber {
  std::string name;       // different from the others of its list: "standing_north"
  std::string unit;       // of the quantity: "vehicles"; empty: a pure number
  double divided_by = 1;  // the number is the quantity over this, > 0
  std::string meaning;    // in a few words
  bool operator==(const ObservedNumber&) const = default;
};

// One discrete action, one choice of a multi-discrete one, or one dimension of a continuous one.
struct NamedAction {
  std::string name;  // different from the others of its group
  std::string meaning;
  bool operator==(const NamedAction&) const = default;
};

// Of one continuous dimension, in the environment's units. Policies act in [-1, 1], and this maps what they do.
struct ActionBounds {
  float low = -1, high = 1;  // finite, low < high
  // -1 becomes low, 1 becomes high, what is between in proportion.
  float At(float action) const;
  bool operator==(const ActionBounds&) const = default;
};

// Agents with equal spaces. Their order is the order of the A axis of every tensor.
struct AgentGroupSpec {
  std::string name;
  std::vector<std::string> agents;
  int observation_size = 0;
  ActionKind action_kind = ActionKind::kDiscrete;
  int action_size = 0;  // discrete: number of actions; continuous: dimensions; multi-discrete: choices of all together
  // What they are, in order: observation_size and action_size entries, or none where nobody tells.
  std::vector<ObservedNumber> observed{};
  std::vector<NamedAction> actions{};
  std::vector<int> action_sizes{};            // multi-discrete only: choices of each dimension, action_size together
  std::vector<ActionBounds> action_bounds{};  // continuous only: of each dimension, or none: all are [-1, 1]
  // Whom the group plays with: groups of the same name here are one team, and so are all that have none.
  std::string team{};
  // Of each agent the numbers of those whose messages can reach it, none twice and not its own, or no entries: those of
  // all others can.
  std::vector<std::vector<int>> neighbours{};

  // Whether actions are indices, of which masks say which are allowed.
  bool has_masks() const { return action_kind != ActionKind::kContinuous; }
  // D: indices that an action consists of. 1 of discrete actions, 0 of continuous ones.
  int num_choices() const {
    return action_kind == ActionKind::kMultiDiscrete ? static_cast<int>(action_sizes.size()) : has_masks() ? 1 : 0;
  }
  // Of index d in [0, D): it is in [0, this).
  int choices_of(int d) const { return action_kind == ActionKind::kMultiDiscrete ? action_sizes[d] : action_size; }
  int num_agents() const { return static_cast<int>(agents.size()); }
  bool operator==(const AgentGroupSpec&) const = default;
};

struct EnvironmentSpec {
  std::string name;
  std::vector<AgentGroupSpec> groups;
  // The global state is the concatenation of all agents' observations in group order (if the flag is set), then the
  // extras. Only the extras travel.
  bool state_includes_observations = true;
  int state_extras_size = 0;
  std::vector<ObservedNumber> observed_extras{};  // state_extras_size entries, or none
  // What every finished episode reports: the statistics in this order, then for each agent (in group order) its
  // agent_statistics.
  std::vector<std::string> statistics;
  std::vector<std::string> agent_statistics;
  // Names of environment.settings that belong to the machine and not to the task (where a simulator is, how much memory
  // it may have, how long it may take): a run may go on with other values of them.
  std::vector<std::string> machine_settings;

  // The names that groups have for their team, each once, in the order of groups.
  std::vector<std::string> teams() const;
  // Agents of all groups together.
  int num_agents() const;
  // Numbers that a finished episode reports.
  int num_statistics() const;
  // Size of the whole global state.
  int state_size() const;
  bool operator==(const EnvironmentSpec&) const = default;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_ENVIRONMENT_SPEC_H_
