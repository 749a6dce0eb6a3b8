#include "tests/benchmarks/support/recorded_chunk.h"

#include "absl/strings/str_cat.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "common/random.h"
#include "tests/benchmarks/support/must.h"

namespace troupe::testing {

std::shared_ptr<PolicyWeights> RandomWeights(const std::vector<PolicySpec>& policies) {
  auto weights = std::make_shared<PolicyWeights>();
  RandomStream random(1);
  for (const PolicySpec& policy : policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.stack.Parameters()) {
      int64_t size = 1;
      for (const int64_t axis : parameter.shape) size *= axis;
      std::vector<float> values(size);
      for (float& value : values) value = 0.1f * (random.Uniform() - 0.5f);
      weights->tensors.push_back(
          HostTensor::Float32(absl::StrCat(policy.group, "/", parameter.name), parameter.shape, values.data()));
    }
  }
  return weights;
}

wire::Chunk RecordChunk(const RolloutPlan& plan) {
  auto lease = std::make_shared<HeldLease>();
  lease->lease_epoch = 1;
  auto rollout = Must(ShardRollout::Create(plan, lease));
  auto policy = Must(ActingPolicy::Create(plan.policies, plan.chunk_shape().copies));
  Must(policy->Apply(RandomWeights(plan.policies)));
  RolloutProgress progress;
  wire::Chunk chunk;
  Must(rollout->Collect(0, 0, *policy, progress, &chunk));
  return chunk;
}

}  // namespace troupe::testing
