#include "common/specs/environment_spec.h"

#include <algorithm>
#include <set>

namespace troupe {

std::string NameOf(ActionKind kind) {
  switch (kind) {
    case ActionKind::kDiscrete:
      return "discrete";
    case ActionKind::kContinuous:
      return "continuous";
    case ActionKind::kMultiDiscrete:
      break;
  }
  return "multi_discrete";
}

float ActionBounds::At(float action) const {
  const double middle = (double{low} + high) / 2, half = (double{high} - low) / 2;
  return std::clamp(static_cast<float>(middle + half * action), low, high);
}

std::vector<std::string> EnvironmentSpec::teams() const {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const AgentGroupSpec& group : groups) {
    if (taken.insert(group.team).second) names.push_back(group.team);
  }
  return names;
}

int EnvironmentSpec::num_agents() const {
  int count = 0;
  for (const AgentGroupSpec& group : groups) count += group.num_agents();
  return count;
}

int EnvironmentSpec::num_statistics() const {
  return static_cast<int>(statistics.size()) + num_agents() * static_cast<int>(agent_statistics.size());
}

int EnvironmentSpec::state_size() const {
  int size = state_extras_size;
  if (state_includes_observations) {
    for (const AgentGroupSpec& group : groups) size += group.num_agents() * group.observation_size;
  }
  return size;
}

}  // namespace troupe
