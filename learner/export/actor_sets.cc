#include "learner/export/actor_sets.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/files/snapshot_scalars.h"
#include "common/specs/agent_group_json.h"

namespace troupe {
namespace {

using Metadata = std::map<std::string, std::string>;

Metadata MetadataOf(const ActorFile& actors, const std::string& format) {
  Metadata metadata = {{"format", format},
                       {"experiment", FormatExperiment(actors.experiment)},
                       {"policy_version", absl::StrCat(actors.weights.policy_version)},
                       {"env_steps", absl::StrCat(actors.env_steps)}};
  AddScalars(actors.weights.scalars, &metadata);
  if (actors.best.has_value()) AddBestEvaluation(*actors.best, &metadata);
  return metadata;
}

// `group` is null where the actors do not know what their agents are called.
void AddGroup(const PolicySpec& policy, const AgentGroupSpec* group, int set, Metadata* metadata) {
  nlohmann::json names = nlohmann::json::array(), indices = nlohmann::json::array();
  for (int agent = 0; agent < policy.num_agents; ++agent) {
    if (policy.set_of_agent[agent] != set) continue;
    indices.push_back(agent);
    if (group != nullptr && agent < group->num_agents()) names.push_back(group->agents[agent]);
  }
  (*metadata)["group"] = policy.group;
  (*metadata)["agents"] = names.dump();
  (*metadata)["agent_indices"] = indices.dump();
  (*metadata)["distribution"] = std::string(TraitsOf(policy.distribution.kind).name);
  (*metadata)["policy"] = FormatPolicySpec(policy);
  if (group != nullptr) (*metadata)["spaces"] = FormatAgentGroup(*group);
}

}  // namespace

absl::StatusOr<std::vector<ActorSet>> ActorSetsOf(const ActorFile& actors, const std::string& format) {
  std::vector<ActorSet> sets;
  absl::Span<const HostTensor> tensors = actors.weights.tensors;
  for (size_t g = 0; g < actors.policies.size(); ++g) {
    const PolicySpec& policy = actors.policies[g];
    if (policy.group.empty() || policy.group.find('/') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("group \"", policy.group, "\": no name for a file"));
    }
    const size_t count = policy.Parameters().size();
    for (int set = 0; set < policy.stack.num_sets; ++set) {
      ActorSet of{.policy = &policy, .set = set, .tensors = tensors.subspan(0, count)};
      of.name = policy.stack.num_sets == 1 ? policy.group : absl::StrCat(policy.group, ".", set);
      of.metadata = MetadataOf(actors, format);
      AddGroup(policy, actors.groups.empty() ? nullptr : &actors.groups[g], set, &of.metadata);
      sets.push_back(std::move(of));
    }
    tensors.remove_prefix(std::min(count, tensors.size()));
  }
  return sets;
}

absl::Status CheckTensorsFit(const PolicySpec& policy, absl::Span<const HostTensor> tensors) {
  const auto fits = [&](const HostTensor& tensor, const DenseStackSpec::Parameter& parameter) {
    return tensor.name == absl::StrCat(policy.group, "/", parameter.name) && tensor.shape == parameter.shape &&
           tensor.data_type == DataType::kFloat32;
  };
  if (std::ranges::equal(tensors, policy.Parameters(), fits)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("group \"", policy.group, "\": its tensors are not those of its network"));
}

}  // namespace troupe
