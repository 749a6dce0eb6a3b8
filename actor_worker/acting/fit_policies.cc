#include "actor_worker/acting/fit_policies.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/specs/bounds_text.h"
#include "common/specs/neighbours.h"

namespace troupe {

namespace {

bool PlaysAnyNumber(const PolicySpec& policy) { return policy.stack.num_sets == 1 && !policy.agent_id_input; }

// None: all are as they are by default.
std::string AllBoundsText(std::vector<ActionBounds> bounds, int size) {
  if (bounds.empty()) bounds.resize(size);
  return BoundsText(bounds);
}

// What stands between the policy and the group, or "". Policies of before environments told their bounds take them.
std::string Differences(const PolicySpec& policy, const AgentGroupSpec& group) {
  std::vector<std::string> found;
  const auto differ = [&found](const std::string& what, const auto& trained, const auto& here,
                               const std::string& why = "") {
    if (trained != here) found.push_back(absl::StrCat(what, " ", trained, ", here ", here, why));
  };
  if (!PlaysAnyNumber(policy)) {
    const std::string why = policy.agent_id_input ? " (the network takes the agent's number in its group)"
                                                  : absl::StrCat(" (there are ", policy.stack.num_sets, " networks)");
    differ("agents", policy.num_agents, group.num_agents(), why);
  }
  differ("observed numbers", policy.observation_size, group.observation_size);
  differ("kind of actions", NameOf(policy.action_kind), NameOf(group.action_kind));
  differ("actions", policy.action_size, group.action_size);
  differ("choices of each dimension", absl::StrJoin(policy.action_sizes, " × "),
         absl::StrJoin(group.action_sizes, " × "));
  if (!policy.action_bounds.empty()) {
    differ("bounds", AllBoundsText(policy.action_bounds, policy.action_size),
           AllBoundsText(group.action_bounds, group.action_size));
  }
  if (policy.stack.communicates() && policy.stack.messages.side_by_side) {
    differ("neighbours at most", policy.stack.messages.most_heard, MostHeard(NeighboursOf(group)));
  }
  return absl::StrJoin(found, "; ");
}

}  // namespace

absl::StatusOr<std::vector<PolicySpec>> FitPolicies(const EnvironmentSpec& environment,
                                                    const std::vector<PolicySpec>& policies) {
  std::vector<PolicySpec> fitted;
  for (const AgentGroupSpec& group : environment.groups) {
    const auto policy =
        std::find_if(policies.begin(), policies.end(), [&](const PolicySpec& p) { return p.group == group.name; });
    if (policy == policies.end()) {
      const std::string known = absl::StrJoin(
          policies, ", ", [](std::string* text, const PolicySpec& p) { absl::StrAppend(text, "\"", p.group, "\""); });
      return absl::InvalidArgumentError(
          absl::StrCat("group \"", group.name, "\" of ", environment.name, " has no actors: they are of ", known));
    }
    if (const std::string differences = Differences(*policy, group); !differences.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the actors of group \"", group.name, "\" do not fit ", environment.name, ": ", differences));
    }
    fitted.push_back(*policy);
    fitted.back().num_agents = group.num_agents();
    fitted.back().action_bounds = group.action_bounds;
    fitted.back().set_of_agent.resize(group.num_agents(), 0);
    if (!policy->stack.communicates()) continue;
    fitted.back().neighbours = NeighboursOf(group);
    fitted.back().stack.messages.most_heard = MostHeard(fitted.back().neighbours);
  }
  return fitted;
}

}  // namespace troupe
