// What files that other programs run are made of: the actors of one parameter set each.
#ifndef TROUPE_LEARNER_EXPORT_ACTOR_SETS_H_
#define TROUPE_LEARNER_EXPORT_ACTOR_SETS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/specs/actor_file.h"

namespace troupe {

// Views into the actor file.
struct ActorSet {
  std::string name;  // of the file, without what formats end in: GROUP, or GROUP.SET of a group with several
  const PolicySpec* policy = nullptr;
  int set = 0;
  absl::Span<const HostTensor> tensors;  // those of policy->Parameters(), all sets
  // group, agents and agent_indices (JSON lists: whose actors the file's are), distribution, policy (FormatPolicySpec),
  // spaces (FormatAgentGroup; where the actors know it), and of the actor file experiment, policy_version, env_steps,
  // scalars and what they are best by; format: as given.
  std::map<std::string, std::string> metadata;
};

// All sets of all groups, in their order. INVALID_ARGUMENT for a group whose name is no file's.
absl::StatusOr<std::vector<ActorSet>> ActorSetsOf(const ActorFile& actors, const std::string& format);

// INVALID_ARGUMENT where the tensors are not those of the set's policy.
absl::Status CheckTensorsFit(const PolicySpec& policy, absl::Span<const HostTensor> tensors);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_ACTOR_SETS_H_
