#include "learner/export/export_onnx.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"
#include "common/command_line/version.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/files/snapshot_scalars.h"
#include "common/specs/agent_group_json.h"
#include "learner/export/onnx_policy.h"

namespace troupe {
namespace {

using Metadata = std::map<std::string, std::string>;

Metadata MetadataOf(const ActorFile& actors) {
  Metadata metadata = {{"format", "troupe-onnx/1"},
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

absl::StatusOr<std::vector<std::string>> WriteOnnxActors(const std::string& folder, const ActorFile& actors) {
  RETURN_IF_ERROR(MakeFolder(folder));
  std::vector<std::string> names;
  absl::Span<const HostTensor> tensors = actors.weights.tensors;
  for (size_t g = 0; g < actors.policies.size(); ++g) {
    const PolicySpec& policy = actors.policies[g];
    if (policy.group.empty() || policy.group.find('/') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("group \"", policy.group, "\": no name for a file"));
    }
    const size_t count = policy.Parameters().size();
    for (int set = 0; set < policy.stack.num_sets; ++set) {
      Metadata metadata = MetadataOf(actors);
      AddGroup(policy, actors.groups.empty() ? nullptr : &actors.groups[g], set, &metadata);
      ASSIGN_OR_RETURN(const OnnxModel model, MakeOnnxPolicy(policy, tensors.subspan(0, count), set));
      names.push_back(policy.stack.num_sets == 1 ? absl::StrCat(policy.group, ".onnx")
                                                 : absl::StrCat(policy.group, ".", set, ".onnx"));
      RETURN_IF_ERROR(
          WriteFileAtomically(absl::StrCat(folder, "/", names.back()), {model.Encode(ProjectVersion(), metadata)}));
    }
    tensors.remove_prefix(count);
  }
  return names;
}

}  // namespace troupe
