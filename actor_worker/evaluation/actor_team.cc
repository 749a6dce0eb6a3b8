#include "actor_worker/evaluation/actor_team.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace troupe {

absl::Status CheckPoliciesFit(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies) {
  if (policies.size() != environment.groups.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the actors are of ", policies.size(), " agent groups, ",
                                                   environment.name, " has ", environment.groups.size()));
  }
  for (size_t g = 0; g < policies.size(); ++g) {
    const PolicySpec& policy = policies[g];
    const AgentGroupSpec& group = environment.groups[g];
    if (policy.group != group.name || policy.num_agents != group.num_agents() ||
        policy.observation_size != group.observation_size || policy.action_kind != group.action_kind ||
        policy.action_size != group.action_size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the actors of group \"", policy.group, "\" (", policy.num_agents, " agents, ", policy.observation_size,
          " observed numbers, ", policy.action_size, " actions) do not fit group \"", group.name, "\" of ",
          environment.name, " (", group.num_agents(), " agents, ", group.observation_size, " observed numbers, ",
          group.action_size, " actions)"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::unique_ptr<PolicyInference>>> MakeActorTeam(const EnvironmentSpec& environment,
                                                                            const std::vector<PolicySpec>& policies,
                                                                            const PolicyWeights& weights, int copies) {
  RETURN_IF_ERROR(CheckPoliciesFit(environment, policies));
  std::vector<std::unique_ptr<PolicyInference>> team;
  for (const PolicySpec& policy : policies) {
    ASSIGN_OR_RETURN(auto inference, PolicyInference::Create(policy, copies));
    ASSIGN_OR_RETURN(const auto tensors, GroupTensors(weights, policy));
    RETURN_IF_ERROR(inference->SetWeights(tensors));
    team.push_back(std::move(inference));
  }
  return team;
}

}  // namespace troupe
