// What worker tests share: an experiment on the tiny environment, weights for it.
#ifndef TROUPE_TESTS_ACTOR_WORKER_WORKER_FIXTURE_H_
#define TROUPE_TESTS_ACTOR_WORKER_WORKER_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actor_worker/rollout/worker_run.h"
#include "common/base/random.h"
#include "common/config/experiment_loader.h"
#include "tests/actor_worker/tiny_environment.h"

namespace troupe {

inline absl::StatusOr<const EnvironmentEntry*> FindTiny(const std::string& name) {
  if (name != "tiny") return absl::NotFoundError("environment.name: only tiny");
  return &TinyEntry();
}

inline Experiment TinyExperiment(CollectionMode mode = PIPELINED, int shards = 2) {
  Experiment experiment;
  experiment.set_name("tiny");
  experiment.set_seed(7);
  experiment.set_total_env_steps(1000000);
  experiment.mutable_environment()->set_name("tiny");
  experiment.mutable_policy()->add_hidden_sizes(8);
  experiment.mutable_collection()->set_mode(mode);
  experiment.mutable_collection()->set_num_shards(shards);
  experiment.mutable_collection()->set_copies_per_shard(3);
  experiment.mutable_collection()->set_rollout_length(5);
  experiment.mutable_collection()->set_lease_timeout_seconds(20);
  FillDefaults(&experiment);
  return experiment;
}

inline RolloutPlan TinyPlan(const Experiment& experiment) { return MakeRolloutPlan(experiment, FindTiny).value(); }

// Small numbers that depend on the version.
inline std::shared_ptr<const PolicySnapshot> WeightsOf(const RolloutPlan& plan, uint64_t version) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = version;
  RandomStream random(MixKey({version, 99}));
  for (const PolicySpec& policy : plan.policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
      size_t count = 1;
      for (const int64_t size : parameter.shape) count *= size;
      std::vector<float> values(count);
      for (float& value : values) value = random.Uniform() - 0.5f;
      weights->tensors.push_back(
          HostTensor::Float32(policy.group + "/" + parameter.name, parameter.shape, values.data()));
    }
  }
  return weights;
}

// The chunk without its times, to compare.
inline std::string Contents(const wire::Chunk& chunk) {
  wire::Chunk copy = chunk;
  copy.clear_environment_seconds();
  copy.clear_inference_seconds();
  return copy.SerializeAsString();
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_WORKER_FIXTURE_H_
