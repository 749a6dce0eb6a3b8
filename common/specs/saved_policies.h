// What of an actor file acts: policies and their weights, without the experiment that made them.
#ifndef TROUPE_COMMON_SPECS_SAVED_POLICIES_H_
#define TROUPE_COMMON_SPECS_SAVED_POLICIES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/policy_snapshot.h"
#include "common/files/safetensors.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"

namespace troupe {

struct SavedPolicies {
  std::vector<PolicySpec> policies;  // one per agent group
  // What each policy's agents, observed numbers and actions are called, in the order of `policies`; empty in a file of
  // a version that did not tell.
  std::vector<AgentGroupSpec> groups;
  PolicySnapshot weights;
};

// OK when the metadata say that the file is an actor file, else INVALID_ARGUMENT; UNIMPLEMENTED: of another version of
// Troupe.
absl::Status CheckIsActorFile(const std::map<std::string, std::string>& metadata);

// Of an actor file (actor_file.h). Errors: INVALID_ARGUMENT naming the entry of the metadata or the tensor that is
// missing or does not fit; UNIMPLEMENTED as CheckIsActorFile.
absl::StatusOr<SavedPolicies> TakePolicies(SafetensorsFile file);

// Adds the entries that TakePolicies reads, the format's too. INVALID_ARGUMENT naming the tensor that does not fit.
absl::Status AddPolicies(SavedPolicies saved, SafetensorsFile* file);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_SAVED_POLICIES_H_
