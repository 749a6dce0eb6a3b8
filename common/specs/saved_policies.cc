#include "common/specs/saved_policies.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/files/metadata.h"
#include "common/files/snapshot_scalars.h"
#include "common/specs/agent_group_json.h"

namespace troupe {
namespace {

constexpr char kFormat[] = "troupe-actors/1";
constexpr char kFormatFamily[] = "troupe-actors/";
constexpr char kPolicyPrefix[] = "policy.";
constexpr char kSpacesPrefix[] = "spaces.";

using Metadata = std::map<std::string, std::string>;

// The policies in the order of their tensors.
absl::StatusOr<std::vector<PolicySpec>> ReadPolicies(const SafetensorsFile& file) {
  std::vector<PolicySpec> policies;
  for (const HostTensor& tensor : file.tensors) {
    const std::string group = tensor.name.substr(0, tensor.name.find('/'));
    if (!policies.empty() && policies.back().group == group) continue;
    ASSIGN_OR_RETURN(const std::string text, FindMetadata(file.metadata, kPolicyPrefix + group));
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
    ASSIGN_OR_RETURN(const std::string text, FindMetadata(metadata, kSpacesPrefix + policy.group));
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

}  // namespace

absl::Status CheckIsActorFile(const Metadata& metadata) {
  const auto format = metadata.find("format");
  if (format != metadata.end() && format->second == kFormat) return absl::OkStatus();
  if (format != metadata.end() && format->second.starts_with(kFormatFamily)) {
    return absl::UnimplementedError(absl::StrCat("written by another version of Troupe: its format is \"",
                                                 format->second, "\", this version reads \"", kFormat, "\""));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "not an actor file: metadata \"format\" is ",
      format == metadata.end() ? "missing" : absl::StrCat("\"", format->second, "\""), ", expected \"", kFormat, "\""));
}

absl::StatusOr<SavedPolicies> TakePolicies(SafetensorsFile file) {
  RETURN_IF_ERROR(CheckIsActorFile(file.metadata));
  SavedPolicies saved;
  ASSIGN_OR_RETURN(saved.weights.policy_version, FindMetadataNumber(file.metadata, "policy_version"));
  ASSIGN_OR_RETURN(saved.weights.scalars, ReadScalars(file.metadata));
  ASSIGN_OR_RETURN(saved.policies, ReadPolicies(file));
  ASSIGN_OR_RETURN(saved.groups, ReadGroups(file.metadata, saved.policies));
  RETURN_IF_ERROR(CheckTensors(saved.policies, file.tensors));
  saved.weights.tensors = std::move(file.tensors);
  return saved;
}

absl::Status AddPolicies(SavedPolicies saved, SafetensorsFile* file) {
  RETURN_IF_ERROR(CheckTensors(saved.policies, saved.weights.tensors));
  file->metadata["format"] = kFormat;
  file->metadata["policy_version"] = absl::StrCat(saved.weights.policy_version);
  AddScalars(saved.weights.scalars, &file->metadata);
  for (const PolicySpec& spec : saved.policies) file->metadata[kPolicyPrefix + spec.group] = FormatPolicySpec(spec);
  for (const AgentGroupSpec& group : saved.groups) {
    file->metadata[kSpacesPrefix + group.name] = FormatAgentGroup(group);
  }
  file->tensors = std::move(saved.weights.tensors);
  return absl::OkStatus();
}

}  // namespace troupe
