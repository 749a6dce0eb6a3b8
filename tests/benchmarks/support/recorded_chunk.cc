#include "tests/benchmarks/support/recorded_chunk.h"

#include <utility>

#include "actor_worker/rollout/shard_rollout.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/benchmarks/support/must.h"

namespace troupe::testing {

std::shared_ptr<PolicySnapshot> RandomPolicies(const std::vector<PolicySpec>& policies) {
  auto weights = std::make_shared<PolicySnapshot>();
  for (const PolicySpec& policy : policies) {
    for (HostTensor& tensor : RandomWeights(policy, /*seed=*/1)) weights->tensors.push_back(std::move(tensor));
  }
  return weights;
}

wire::Chunk RecordChunk(const RolloutPlan& plan) {
  auto lease = std::make_shared<HeldLease>();
  lease->lease_epoch = 1;
  auto rollout = Must(ShardRollout::Create(plan, lease));
  auto policy = Must(ActorTeam::Create(plan.policies, plan.chunk_shape().copies));
  const auto weights = RandomPolicies(plan.policies);
  Must(policy->Apply(weights));
  RolloutProgress progress;
  wire::Chunk chunk;
  Must(rollout->Collect(0, *weights, *policy, progress, &chunk));
  return chunk;
}

}  // namespace troupe::testing
