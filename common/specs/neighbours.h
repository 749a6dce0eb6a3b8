// Who hears whom in a group of agents that tell each other something.
#ifndef TROUPE_COMMON_SPECS_NEIGHBOURS_H_
#define TROUPE_COMMON_SPECS_NEIGHBOURS_H_

#include <vector>

#include "common/specs/environment_spec.h"

namespace troupe {

// Of each agent those that it hears: as the environment says, or all others, in the order of agents.
std::vector<std::vector<int>> NeighboursOf(const AgentGroupSpec& group);

// Agents that one hears at most.
int MostHeard(const std::vector<std::vector<int>>& neighbours);

// Whether every agent hears others in [0, num_agents) alone, none twice.
bool AreNeighbours(const std::vector<std::vector<int>>& neighbours, int num_agents);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_NEIGHBOURS_H_
