#include "actor_worker/acting/acting_policy.h"

#include <utility>

#include "common/base/status_macros.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<ActingPolicy>> ActingPolicy::Create(const std::vector<PolicySpec>& policies,
                                                                   int copies) {
  std::unique_ptr<ActingPolicy> acting(new ActingPolicy(policies));
  for (const PolicySpec& policy : policies) {
    ASSIGN_OR_RETURN(std::unique_ptr<PolicyInference> inference, PolicyInference::Create(policy, copies));
    acting->inference_.push_back(std::move(inference));
  }
  return acting;
}

absl::Status ActingPolicy::Apply(std::shared_ptr<const PolicyWeights> weights) {
  if (weights == weights_) return absl::OkStatus();
  weights_ = nullptr;
  for (int g = 0; g < policies_.size(); ++g) {
    ASSIGN_OR_RETURN(const absl::Span<const HostTensor> tensors, GroupTensors(*weights, policies_[g]));
    RETURN_IF_ERROR(inference_[g]->SetWeights(tensors));
  }
  weights_ = std::move(weights);
  return absl::OkStatus();
}

}  // namespace troupe
