#include "common/specs/neighbours.h"

#include <algorithm>
#include <set>

namespace troupe {

std::vector<std::vector<int>> NeighboursOf(const AgentGroupSpec& group) {
  if (!group.neighbours.empty()) return group.neighbours;
  std::vector<std::vector<int>> neighbours(group.num_agents());
  for (int agent = 0; agent < group.num_agents(); ++agent) {
    for (int other = 0; other < group.num_agents(); ++other) {
      if (other != agent) neighbours[agent].push_back(other);
    }
  }
  return neighbours;
}

int MostHeard(const std::vector<std::vector<int>>& neighbours) {
  size_t most = 0;
  for (const std::vector<int>& heard : neighbours) most = std::max(most, heard.size());
  return static_cast<int>(most);
}

bool AreNeighbours(const std::vector<std::vector<int>>& neighbours, int num_agents) {
  if (neighbours.size() != static_cast<size_t>(num_agents)) return false;
  for (int agent = 0; agent < num_agents; ++agent) {
    const std::set<int> different(neighbours[agent].begin(), neighbours[agent].end());
    if (different.size() != neighbours[agent].size() || different.contains(agent)) return false;
    if (!different.empty() && (*different.begin() < 0 || *different.rbegin() >= num_agents)) return false;
  }
  return true;
}

}  // namespace troupe
