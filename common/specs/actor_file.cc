#include "common/specs/actor_file.h"

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/files/safetensors.h"
#include "common/files/snapshot_scalars.h"
#include "common/specs/agent_group_json.h"

namespace troupe {
namespace {

constexpr char kFormat[] = "troupe-actors/1";
constexpr char kPolicyPrefix[] = "policy.";
constexpr char kSpacesPrefix[] = "spaces.";

using Metadata = std::map<std::string, std::string>;

absl::StatusOr<std::string> Find(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return absl::InvalidArgumentError(absl::StrCat("metadata \"", key, "\" is missing"));
  return found->second;
}

absl::StatusOr<uint64_t> FindNumber(const Metadata& metadata, const std::string& key) {
  ASSIGN_OR_RETURN(const std::string text, Find(metadata, key));
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return absl::InvalidArgumentError(absl::StrCat("metadata \"", key, "\": \"", text, "\" is not a whole number"));
  }
  return value;
}

// The policies in the order of their tensors.
absl::StatusOr<std::vector<PolicySpec>> ReadPolicies(const SafetensorsFile& file) {
  std::vector<PolicySpec> policies;
  for (const HostTensor& tensor : file.tensors) {
    const std::string group = tensor.name.substr(0, tensor.name.find('/'));
    if (!policies.empty() && policies.back().group == group) continue;
    ASSIGN_OR_RETURN(const std::string text, Find(file.metadata, kPolicyPrefix + group));
    ASSIGN_OR_RETURN(PolicySpec spec, ParsePolicySpec(text));
    if (spec.group != group) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata \"", kPolicyPrefix, group, "\" describes group \"", spec.group, "\""));
    }
    policies.push_back(std::move(spec));
  }
  for (const auto& [key, value] : file.metadata) {
    if (!key.starts_with(kPolicyPrefix)) continue;
    size_t matching = 0;
    for (const PolicySpec& spec : policies) matching += kPolicyPrefix + spec.group == key;
    if (matching != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata \"", key, "\": the group's tensors come ", matching, " times, expected once"));
    }
  }
  if (policies.empty()) return absl::InvalidArgumentError("no tensors, expected at least one policy");
  return policies;
}

// None in files of versions that did not write them; else one per policy.
absl::StatusOr<std::vector<AgentGroupSpec>> ReadGroups(const Metadata& metadata,
                                                       const std::vector<PolicySpec>& policies) {
  std::vector<AgentGroupSpec> groups;
  const auto first = metadata.lower_bound(kSpacesPrefix);
  if (first == metadata.end() || !first->first.starts_with(kSpacesPrefix)) return groups;
  for (const PolicySpec& policy : policies) {
    ASSIGN_OR_RETURN(const std::string text, Find(metadata, kSpacesPrefix + policy.group));
    absl::StatusOr<AgentGroupSpec> group = ParseAgentGroup(text, policy);
    if (!group.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata \"", kSpacesPrefix, policy.group, "\": ", group.status().message()));
    }
    groups.push_back(*std::move(group));
  }
  return groups;
}

absl::Status CheckTensors(const std::vector<PolicySpec>& policies, const std::vector<HostTensor>& tensors) {
  size_t next = 0;
  for (const PolicySpec& spec : policies) {
    for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
      const std::string name = absl::StrCat(spec.group, "/", parameter.name);
      const auto describe = [](DataType type, const std::vector<int64_t>& shape) {
        return absl::StrCat(type == DataType::kFloat32 ? "float32" : "another type", " [", absl::StrJoin(shape, ", "),
                            "]");
      };
      if (next == tensors.size() || tensors[next].name != name) {
        return absl::InvalidArgumentError(absl::StrCat("tensor \"",
                                                       next == tensors.size() ? "(none)" : tensors[next].name,
                                                       "\" came where \"", name, "\" was expected"));
      }
      const HostTensor& tensor = tensors[next++];
      if (tensor.data_type != DataType::kFloat32 || tensor.shape != parameter.shape) {
        return absl::InvalidArgumentError(absl::StrCat("tensor \"", name, "\" is ",
                                                       describe(tensor.data_type, tensor.shape), ", expected ",
                                                       describe(DataType::kFloat32, parameter.shape)));
      }
    }
  }
  if (next != tensors.size()) {
    return absl::InvalidArgumentError(absl::StrCat("tensor \"", tensors[next].name, "\" belongs to no policy"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ActorFile> FromSafetensors(SafetensorsFile file) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    return absl::InvalidArgumentError(
        absl::StrCat("not an actor file: metadata \"format\" is ",
                     format == file.metadata.end() ? "missing" : absl::StrCat("\"", format->second, "\""),
                     ", expected \"", kFormat, "\""));
  }
  ActorFile actors;
  ASSIGN_OR_RETURN(const std::string experiment, Find(file.metadata, "experiment"));
  ASSIGN_OR_RETURN(actors.experiment, ParseExperiment(experiment, "metadata \"experiment\"", {}));
  ASSIGN_OR_RETURN(actors.weights.policy_version, FindNumber(file.metadata, "policy_version"));
  ASSIGN_OR_RETURN(actors.weights.scalars, ReadScalars(file.metadata));
  ASSIGN_OR_RETURN(actors.env_steps, FindNumber(file.metadata, "env_steps"));
  ASSIGN_OR_RETURN(actors.best, ReadBestEvaluation(file.metadata));
  ASSIGN_OR_RETURN(actors.policies, ReadPolicies(file));
  ASSIGN_OR_RETURN(actors.groups, ReadGroups(file.metadata, actors.policies));
  RETURN_IF_ERROR(CheckTensors(actors.policies, file.tensors));
  actors.weights.tensors = std::move(file.tensors);
  return actors;
}

}  // namespace

absl::Status WriteActorFile(const std::string& path, const ActorFile& file) {
  const absl::Status fits = CheckTensors(file.policies, file.weights.tensors);
  if (!fits.ok()) return absl::InternalError(absl::StrCat(path, ": ", fits.message()));
  SafetensorsFile safetensors;
  safetensors.metadata = {{"format", kFormat},
                          {"experiment", FormatExperiment(file.experiment)},
                          {"policy_version", absl::StrCat(file.weights.policy_version)},
                          {"env_steps", absl::StrCat(file.env_steps)}};
  AddScalars(file.weights.scalars, &safetensors.metadata);
  if (file.best.has_value()) AddBestEvaluation(*file.best, &safetensors.metadata);
  for (const PolicySpec& spec : file.policies) {
    safetensors.metadata[kPolicyPrefix + spec.group] = FormatPolicySpec(spec);
  }
  for (const AgentGroupSpec& group : file.groups) {
    safetensors.metadata[kSpacesPrefix + group.name] = FormatAgentGroup(group);
  }
  safetensors.tensors = file.weights.tensors;
  return WriteSafetensors(path, safetensors);
}

absl::StatusOr<ActorFile> ReadActorFile(const std::string& path) {
  ASSIGN_OR_RETURN(SafetensorsFile file, ReadSafetensors(path));
  absl::StatusOr<ActorFile> actors = FromSafetensors(std::move(file));
  if (!actors.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", actors.status().message()));
  return actors;
}

}  // namespace troupe
