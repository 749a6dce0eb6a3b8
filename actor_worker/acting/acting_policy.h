// The actors of all groups over the copies of one shard, with the weights they have now.
#ifndef TROUPE_ACTOR_WORKER_ACTING_ACTING_POLICY_H_
#define TROUPE_ACTOR_WORKER_ACTING_ACTING_POLICY_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actor_worker/acting/policy_inference.h"
#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Not thread-safe. What it computes depends on weights, inputs and the fixed shape alone, so the shards of one thread
// share one.
class ActingPolicy {
 public:
  // Errors: those of PolicyInference::Create.
  static absl::StatusOr<std::unique_ptr<ActingPolicy>> Create(const std::vector<PolicySpec>& policies, int copies);

  // Does nothing when these are the weights it has. INVALID_ARGUMENT naming the tensor that does not fit.
  absl::Status Apply(std::shared_ptr<const PolicyWeights> weights);

  PolicyInference& group(int index) { return *inference_[index]; }
  const std::vector<PolicySpec>& policies() const { return policies_; }

 private:
  explicit ActingPolicy(const std::vector<PolicySpec>& policies) : policies_(policies) {}

  const std::vector<PolicySpec> policies_;
  std::vector<std::unique_ptr<PolicyInference>> inference_;  // per group
  std::shared_ptr<const PolicyWeights> weights_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_ACTING_POLICY_H_
