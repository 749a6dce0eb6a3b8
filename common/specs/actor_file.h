// An exported policy: what `learner export` and the run folder's actors/*.safetensors hold, and what evaluate, act and
// replay read.
#ifndef TROUPE_COMMON_SPECS_ACTOR_FILE_H_
#define TROUPE_COMMON_SPECS_ACTOR_FILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/policy_snapshot.h"
#include "common/files/best_evaluation.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct ActorFile {
  Experiment experiment;             // the run's, complete
  std::vector<PolicySpec> policies;  // one per agent group
  // What each policy's agents, observed numbers and actions are called, in the order of `policies`; empty in a file of
  // a version that did not tell.
  std::vector<AgentGroupSpec> groups;
  PolicySnapshot weights;
  uint64_t env_steps = 0;              // trained on when it was written
  std::optional<BestEvaluation> best;  // of a run's best actors: what they are best by
};

// safetensors with metadata: format ("troupe-actors/1"), experiment (textproto), policy.GROUP (FormatPolicySpec),
// spaces.GROUP (FormatAgentGroup), policy_version, env_steps, and those of AddScalars and AddBestEvaluation. Errors as
// in safetensors.h; reading adds INVALID_ARGUMENT for a file that is not an actor file or whose tensors do not fit its
// specs, and UNIMPLEMENTED for one of another version of Troupe, either by its format or because the file is whole and
// its experiment says what this version does not know.
absl::Status WriteActorFile(const std::string& path, const ActorFile& file);
absl::StatusOr<ActorFile> ReadActorFile(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_ACTOR_FILE_H_
