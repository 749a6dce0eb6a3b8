#include "actor_worker/acting/saved_agent.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/config/settings_reader.h"

namespace troupe {

std::optional<SavedAgent> FindSavedAgent(const std::vector<PolicySpec>& policies,
                                         const std::vector<AgentGroupSpec>& groups, const std::string& name) {
  for (size_t g = 0; g < policies.size(); ++g) {
    const std::string prefix = policies[g].group + "/";
    int agent = 0;
    if (name.starts_with(prefix) && absl::SimpleAtoi(name.substr(prefix.size()), &agent)) return SavedAgent{g, agent};
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    for (int a = 0; a < groups[g].num_agents(); ++a) {
      if (groups[g].agents[a] == name) return SavedAgent{g, a};
    }
  }
  return std::nullopt;
}

std::string SavedAgentName(const std::vector<PolicySpec>& policies, const std::vector<AgentGroupSpec>& groups,
                           size_t group, int agent) {
  if (group < groups.size() && agent < groups[group].num_agents()) return groups[group].agents[agent];
  return absl::StrCat(policies[group].group, "/", agent);
}

std::string HasNoAgent(const std::string& name, const std::vector<std::string>& known) {
  const std::string nearest = NearestName(name, known);
  return absl::StrCat("has no agent \"", name, "\"",
                      nearest.empty() ? absl::StrCat("; its first is ", known.empty() ? "none" : known[0])
                                      : absl::StrCat("; did you mean \"", nearest, "\"?"));
}

}  // namespace troupe
