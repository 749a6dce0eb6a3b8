// The learner's actors and the worker's inference are the same function: for every kind of spec, what a worker acts
// with and reports as log-probability is what the learner computes from the same exported weights.
#include <gtest/gtest.h>

#include <cmath>

#include "actor_worker/acting/group_actor.h"
#include "learner/algorithms/modules/actor_rows.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kSteps = 3, kCopies = 7;

class PolicyParity : public ::testing::TestWithParam<std::string> {};

TEST_P(PolicyParity, WorkerAndLearnerAgreeOnLogProbabilities) {
  const AlgorithmContext context = MakeContext(
      "policy { output_gain: 1 " + GetParam() + " } collection { num_shards: 1 copies_per_shard: 7 rollout_length: 3 }",
      {DiscreteGroup("cars", 4, 9, 5), DiscreteGroup("lights", 4, 6, 3)}, 0);
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kCopies, 11);
  const PolicySnapshot weights = CreateAlgorithm(context).value()->ExportPolicy(0);
  for (size_t g = 0; g < context.policies.size(); ++g) {
    const PolicySpec& policy = context.policies[g];
    GroupBatch& group = batch.groups[g];
    const auto tensors = GroupTensors(weights, policy);
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    auto actor = GroupActor::Create(policy, kCopies);
    ASSERT_TRUE(actor.ok()) << actor.status();
    ASSERT_TRUE((*actor)->SetSnapshot(weights).ok());

    const size_t row = static_cast<size_t>(kCopies) * policy.num_agents;
    RandomStream random(3);
    std::vector<float> uniforms(row);
    for (int step = 0; step < kSteps; ++step) {
      for (float& uniform : uniforms) uniform = random.Uniform();
      (*actor)->Act(
          absl::MakeConstSpan(group.observations)
              .subspan(step * row * policy.observation_size, row * policy.observation_size),
          absl::MakeConstSpan(group.action_masks).subspan(step * row * policy.action_size, row * policy.action_size),
          uniforms, {},
          {.discrete = absl::MakeSpan(group.discrete_actions).subspan(step * row, row),
           .log_probabilities = absl::MakeSpan(group.log_probabilities).subspan(step * row, row)});
    }

    std::vector<float> flat;
    for (const HostTensor& tensor : *tensors)
      flat.insert(flat.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
    DenseStack stack(policy.stack, 0, at::kCPU);
    stack.SetParameters(flat);
    const SlotMap map(policy);
    const int64_t steps = kSteps * kCopies, rows = int64_t{map.sets} * steps * map.slots;
    std::vector<float> inputs(rows * policy.stack.input_size);
    std::vector<uint8_t> masks(rows * policy.action_size);
    WriteActorRows(policy, map, group, steps, {inputs.data(), masks.data()});
    const at::Tensor logits =
        stack.Forward(at::from_blob(inputs.data(), {map.sets, rows / map.sets, policy.stack.input_size}, at::kFloat))
            .detach()
            .contiguous();
    const std::vector<float> learner =
        ActionLogProbabilities(map, group, steps, policy.action_size,
                               {logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel()});
    ASSERT_EQ(learner.size(), group.log_probabilities.size());
    double spread = 0;
    for (size_t i = 0; i < learner.size(); ++i) {
      EXPECT_NEAR(learner[i], group.log_probabilities[i], 2e-5) << policy.group << " " << i;
      spread = std::max(spread, std::abs(static_cast<double>(learner[i]) - learner[0]));
    }
    EXPECT_GT(spread, 0.1) << "the rows must differ for the comparison to mean something";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Specs, PolicyParity,
    ::testing::Values(
        "hidden_sizes: [32, 16]", "hidden_sizes: [32, 16] activation: TANH", "hidden_sizes: [24] agent_id_input: true",
        "hidden_sizes: [32, 16] sharing: PER_AGENT",
        "hidden_sizes: [32] sharing: PER_AGENT agent_id_input: true activation: TANH",
        "hidden_sizes: [32, 16] sharing: PARTITIONED partition: [1, 0, 1, 1]",
        "hidden_sizes: [20] sharing: PARTITIONED partition: [0, 1, 2, 0] agent_id_input: true",
        "hidden_sizes: [32, 16] input_layer_norm: true", "hidden_sizes: [32, 16] hidden_layer_norm: true",
        "hidden_sizes: [32, 16] input_layer_norm: true hidden_layer_norm: true activation: TANH sharing: PER_AGENT",
        "hidden_sizes: [64, 64] orthogonal_init: false"));

}  // namespace
}  // namespace troupe
