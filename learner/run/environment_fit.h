// Whether this machine can train this experiment on an environment: worked out from its sizes, before anything of those
// sizes is made. Any worker may announce one, and a few hundred bytes are enough to announce a million numbers for
// every agent.
#ifndef TROUPE_LEARNER_RUN_ENVIRONMENT_FIT_H_
#define TROUPE_LEARNER_RUN_ENVIRONMENT_FIT_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/metrics/memory_budget.h"
#include "common/metrics/memory_use.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/ingest/shard_range.h"
#include "proto/experiment.pb.h"

namespace troupe {

// The most parameters of one network: beginning with them takes some seconds, in which nothing else is seen to.
inline constexpr int64_t kMaxParameters = int64_t{1} << 27;

struct EnvironmentFit {
  std::vector<PolicySpec> policies;
  std::vector<MemoryTerm> memory;
  std::optional<MemoryUse> memory_use;
};

// Of a complete experiment. Errors: what of the experiment does not go with the environment (its algorithm, best_by,
// the curriculum's statistics); INVALID_ARGUMENT: chunks larger than a message, a network of more than kMaxParameters;
// RESOURCE_EXHAUSTED: more memory than there is, with the arithmetic.
absl::StatusOr<EnvironmentFit> FitEnvironment(const Experiment& experiment, const EnvironmentSpec& environment,
                                              ShardRange own_shards, int local_workers);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_ENVIRONMENT_FIT_H_
