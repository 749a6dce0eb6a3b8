// The learner's actors and the worker's inference are the same function: for every kind of spec, what a worker acts
// with and reports as log-probability is what the learner computes from the same exported weights.
#include <gtest/gtest.h>

#include <cmath>

#include "actor_worker/acting/group_actor.h"
#include "learner/algorithms/modules/actor_rows.h"
#include "learner/algorithms/modules/option_view.h"
#include "learner/arithmetic/networks/communication.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kSteps = 3, kCopies = 7;

class PolicyParity : public ::testing::TestWithParam<std::string> {};

TEST_P(PolicyParity, WorkerAndLearnerAgreeOnLogProbabilities) {
  const bool continuous = GetParam().find("GAUSSIAN") != std::string::npos;
  const bool multi = GetParam().find("MULTI_CATEGORICAL") != std::string::npos;
  const auto group_of = [&](const std::string& name, int agents, int observed, int size) {
    return continuous ? ContinuousGroup(name, agents, observed, size)
           : multi    ? MultiDiscreteGroup(name, agents, observed, {size, 2, 3})
                      : DiscreteGroup(name, agents, observed, size);
  };
  const AlgorithmContext context = MakeContext(
      "policy { output_gain: 1 " + GetParam() + " } collection { num_shards: 1 copies_per_shard: 7 rollout_length: 3 }",
      {group_of("cars", 4, 9, 5), group_of("lights", 4, 6, 3)}, 0);
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kCopies, 11);
  const PolicySnapshot weights = CreateAlgorithm(context).value()->ExportPolicy({.update = 0});
  for (size_t g = 0; g < context.policies.size(); ++g) {
    const PolicySpec& policy = context.policies[g];
    GroupBatch& group = batch.groups[g];
    const auto tensors = TensorsOfGroup(weights, policy);
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    auto actor = GroupActor::Create(policy, kCopies);
    ASSERT_TRUE(actor.ok()) << actor.status();
    ASSERT_TRUE((*actor)->SetSnapshot(weights).ok());

    const size_t row = static_cast<size_t>(kCopies) * policy.num_agents;
    RandomStream random(3);
    const size_t mask = continuous ? 0 : row * policy.action_size;
    const size_t sample = continuous ? row * policy.action_size : 0;
    const size_t discrete = continuous ? 0 : row * (multi ? policy.action_sizes.size() : 1);
    std::vector<int32_t>& actions = multi ? group.multi_discrete_actions : group.discrete_actions;
    std::vector<float> uniforms(row * (*actor)->draws_per_agent()), taken(sample);
    for (int step = 0; step < kSteps; ++step) {
      for (float& uniform : uniforms) uniform = random.Uniform();
      (*actor)->Act(absl::MakeConstSpan(group.observations)
                        .subspan(step * row * policy.observation_size, row * policy.observation_size),
                    absl::MakeConstSpan(group.action_masks).subspan(step * mask, mask), uniforms, {},
                    {.discrete = absl::MakeSpan(actions).subspan(step * discrete, discrete),
                     .sampled = absl::MakeSpan(group.continuous_actions).subspan(step * sample, sample),
                     .taken = absl::MakeSpan(taken),
                     .log_probabilities = absl::MakeSpan(group.log_probabilities).subspan(step * row, row)});
    }

    std::vector<float> flat, free;
    for (const HostTensor& tensor : *tensors) {
      std::vector<float>& to = tensor.name.ends_with("/log_std") ? free : flat;
      to.insert(to.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
    }
    EXPECT_EQ(free.empty(), !policy.distribution.has_log_std());
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
        ActionLogProbabilities(policy, map, group, steps,
                               {logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel()}, free);
    ASSERT_EQ(learner.size(), group.log_probabilities.size());
    double spread = 0;
    for (size_t i = 0; i < learner.size(); ++i) {
      EXPECT_NEAR(learner[i], group.log_probabilities[i], 2e-5) << policy.group << " " << i;
      spread = std::max(spread, std::abs(static_cast<double>(learner[i]) - learner[0]));
    }
    EXPECT_GT(spread, 0.1) << "the rows must differ for the comparison to mean something";
  }
}

// Recurrent networks over an episode's first steps, a state of each agent carried along on both sides.
class RecurrentParity : public ::testing::TestWithParam<std::string> {};

TEST_P(RecurrentParity, WorkerAndLearnerAgreeOnOutputsAndStates) {
  const AlgorithmContext context = MakeContext(
      "policy { output_gain: 1 " + GetParam() + " } collection { num_shards: 1 copies_per_shard: 7 rollout_length: 3 }",
      {DiscreteGroup("cars", 4, 9, 5)}, 0);
  const PolicySpec& policy = context.policies[0];
  const std::vector<float> flat = InitialParameters(policy.stack, 5);
  std::vector<HostTensor> tensors;
  const float* next = flat.data();
  for (const DenseStackSpec::Parameter& parameter : policy.stack.Parameters()) {
    tensors.push_back(HostTensor::Float32("cars/" + parameter.name, parameter.shape, next));
    next += tensors.back().num_elements();
  }
  const at::Tensor parameters =
      at::from_blob(const_cast<float*>(flat.data()), {static_cast<int64_t>(flat.size())}, at::kFloat);
  const auto network = MakeNetwork(policy, kCopies);
  network->SetParameters(tensors);
  const SlotMap map(policy);
  const int64_t size = policy.stack.state_size(), agents = policy.num_agents;
  ASSERT_EQ(network->state_size(), size);
  std::vector<float> state(kCopies * agents * size, 0.0f);
  // As the learner has them: [sets, copies · slots, …].
  at::Tensor before = at::zeros({map.sets, kCopies * map.slots, size}, at::kFloat);
  TrainingBatch batch = RandomBatch(context.environment, 12, kCopies, 11);
  double largest = 0;
  for (int step = 0; step < 12; ++step) {
    GroupBatch row;
    const auto seen =
        absl::MakeConstSpan(batch.groups[0].observations)
            .subspan(step * kCopies * agents * policy.observation_size, kCopies * agents * policy.observation_size);
    row.observations.assign(seen.begin(), seen.end());
    row.action_masks.assign(kCopies * agents * policy.action_size, 1);
    row.log_probabilities.assign(kCopies * agents, 0.0f);
    std::vector<float> inputs(map.sets * kCopies * map.slots * policy.stack.input_size);
    std::vector<uint8_t> masks(map.sets * kCopies * map.slots * policy.action_size);
    WriteActorRows(policy, map, row, kCopies, {inputs.data(), masks.data()});
    const RecurrentStep made = RecurrentReference(
        policy.stack, parameters,
        at::from_blob(inputs.data(), {map.sets, kCopies * map.slots, policy.stack.input_size}, at::kFloat), before);
    before = made.state;
    const absl::Span<const float> outputs = network->Outputs(seen, absl::MakeSpan(state));
    const at::Tensor expected = made.outputs.contiguous(), remembered = made.state.contiguous();
    for (int64_t place = 0; place < int64_t{map.sets} * map.slots; ++place) {
      const int agent = map.agent_of[place];
      if (agent == SlotMap::kPadding) continue;
      for (int64_t copy = 0; copy < kCopies; ++copy) {
        const int64_t theirs = place / map.slots * kCopies * map.slots + copy * map.slots + place % map.slots;
        const int64_t ours = copy * agents + agent;
        for (int64_t i = 0; i < policy.stack.output_size; ++i) {
          const float should = expected.const_data_ptr<float>()[theirs * policy.stack.output_size + i];
          ASSERT_NEAR(outputs[ours * policy.stack.output_size + i], should, 1e-5) << step;
          largest = std::max(largest, std::abs(static_cast<double>(should)));
        }
        for (int64_t i = 0; i < size; ++i) {
          ASSERT_NEAR(state[ours * size + i], remembered.const_data_ptr<float>()[theirs * size + i], 1e-5) << step;
        }
      }
    }
  }
  EXPECT_GT(largest, 0.1);
}

// The same of agents that tell each other something, some of whom are dead at some steps.
class CommunicatingParity : public ::testing::TestWithParam<std::string> {};

TEST_P(CommunicatingParity, WorkerAndLearnerAgreeOnOutputsAndStates) {
  AgentGroupSpec cars = DiscreteGroup("cars", 4, 9, 5);
  cars.neighbours = {{1, 2, 3}, {3}, {}, {2, 0}};
  const AlgorithmContext context = MakeContext(
      "policy { output_gain: 1 " + GetParam() + " } collection { num_shards: 1 copies_per_shard: 7 rollout_length: 3 }",
      {cars}, 0);
  const PolicySpec& policy = context.policies[0];
  const PolicySnapshot weights = CreateAlgorithm(context).value()->ExportPolicy({.update = 0});
  auto actor = *GroupActor::Create(policy, kCopies);
  ASSERT_TRUE(actor->SetSnapshot(weights).ok());
  std::vector<float> flat;
  for (const HostTensor& tensor : weights.tensors) {
    flat.insert(flat.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
  }
  const at::Tensor parameters = at::from_blob(flat.data(), {static_cast<int64_t>(flat.size())}, at::kFloat);
  const SlotMap map(policy);
  const Listeners listeners(policy.stack, PlacesHeard(policy, map));
  const int64_t size = policy.stack.state_size(), agents = policy.num_agents, rows = kCopies * agents;
  const int64_t places = int64_t{map.sets} * kCopies * map.slots;
  std::vector<float> state(rows * size, 0.0f), log_probabilities(rows);
  std::vector<int32_t> actions(rows);
  at::Tensor before = at::zeros({map.sets, kCopies * map.slots, size}, at::kFloat);
  const TrainingBatch batch = RandomBatch(context.environment, 12, kCopies, 11);
  double loudest = 0;
  for (int step = 0; step < 12; ++step) {
    GroupBatch row;
    const auto part = [&](const auto& all, int64_t width) {
      return absl::MakeConstSpan(all).subspan(step * rows * width, rows * width);
    };
    const auto seen = part(batch.groups[0].observations, policy.observation_size);
    const auto alive = part(batch.groups[0].alive, 1);
    row.observations.assign(seen.begin(), seen.end());
    row.alive.assign(alive.begin(), alive.end());
    row.action_masks.assign(rows * policy.action_size, 1);
    row.log_probabilities.assign(rows, 0.0f);
    std::vector<float> inputs(places * policy.stack.input_size);
    std::vector<uint8_t> masks(places * policy.action_size);
    WriteActorRows(policy, map, row, kCopies, {inputs.data(), masks.data()});
    const RecurrentStep made = CommunicatingReference(
        policy.stack, listeners, parameters,
        at::from_blob(inputs.data(), {map.sets, kCopies * map.slots, policy.stack.input_size}, at::kFloat), before);
    before = made.state;
    std::vector<float> uniforms(rows, 0.5f);
    actor->Act(seen, {}, uniforms, absl::MakeSpan(state),
               {.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)}, alive);
    row.discrete_actions = actions;
    const at::Tensor outputs = made.outputs.contiguous(), remembered = made.state.contiguous();
    const std::vector<float> learner = ActionLogProbabilities(
        policy, map, row, kCopies, {outputs.const_data_ptr<float>(), outputs.const_data_ptr<float>() + outputs.numel()},
        {});
    for (int64_t i = 0; i < rows; ++i) ASSERT_NEAR(learner[i], log_probabilities[i], 1e-5) << step << " " << i;
    for (int64_t place = 0; place < int64_t{map.sets} * map.slots; ++place) {
      const int agent = map.agent_of[place];
      if (agent == SlotMap::kPadding) continue;
      for (int64_t copy = 0; copy < kCopies; ++copy) {
        const int64_t theirs = place / map.slots * kCopies * map.slots + copy * map.slots + place % map.slots;
        for (int64_t i = 0; i < size; ++i) {
          const float ours = state[(copy * agents + agent) * size + i];
          ASSERT_NEAR(ours, remembered.const_data_ptr<float>()[theirs * size + i], 1e-5) << step;
          if (i + policy.stack.messages.size >= size) loudest = std::max(loudest, std::abs(double{ours}));
        }
      }
    }
  }
  EXPECT_GT(loudest, 0.1);
}

// The same of agents that follow options: worker and learner agree on what each option, and each action under it, has
// as its probability, on the same rows that the learner trains on.
class OptionParity : public ::testing::TestWithParam<std::string> {};

TEST_P(OptionParity, WorkerAndLearnerAgreeOnOptionsAndActions) {
  const AlgorithmContext context =
      MakeContext("policy { output_gain: 1 num_options: 3 option_steps: 4 " + GetParam() + " }",
                  {DiscreteGroup("cars", 4, 9, 5)}, 0);
  const PolicySpec& policy = context.policies[0];
  const PolicySnapshot weights = CreateAlgorithm(context).value()->ExportPolicy({.update = 0});
  auto actor = *GroupActor::Create(policy, kCopies);
  ASSERT_TRUE(actor->SetSnapshot(weights).ok());
  constexpr int kSteps = 10;
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kCopies, 11, /*ends=*/false);
  FillOptions(context, 1, &batch);
  GroupBatch& cars = batch.groups[0];
  const int64_t rows = kCopies * policy.num_agents;
  std::vector<float> state(cars.option_states.begin(), cars.option_states.begin() + 2 * rows);
  RandomStream random(3);
  for (int step = 0; step < kSteps; ++step) {
    const auto part = [&](auto& all, int64_t width = 1) {
      return absl::MakeSpan(all).subspan(step * rows * width, rows * width);
    };
    std::vector<float> uniforms(2 * rows);
    for (float& uniform : uniforms) uniform = random.Uniform();
    actor->Act(part(cars.observations, policy.observation_size), {}, uniforms, absl::MakeSpan(state),
               {.discrete = part(cars.discrete_actions),
                .log_probabilities = part(cars.log_probabilities),
                .options = part(cars.options),
                .option_log_probabilities = part(cars.option_log_probabilities)});
    std::copy(state.begin(), state.end(), cars.option_states.begin() + 2 * rows * (step + 1));
  }
  const OptionView view(context.environment, context.policies);
  const TrainingBatch seen = view.See(batch);
  size_t first = 0;  // tensor
  for (const OptionView::Actor& one : view.actors()) {
    const SlotMap map(one.policy);
    std::vector<float> flat;
    for (size_t i = 0; i < one.policy.Parameters().size(); ++i, ++first) {
      const HostTensor& tensor = weights.tensors[first];
      flat.insert(flat.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
    }
    const int64_t steps = batch.env_steps(), per_set = steps * map.slots;
    std::vector<float> inputs(map.sets * per_set * one.policy.stack.input_size);
    std::vector<uint8_t> masks(map.sets * per_set * one.policy.action_size);
    WriteActorRows(one.policy, map, seen.groups[one.rows], steps, {inputs.data(), masks.data()});
    const at::Tensor outputs =
        ForwardReference(one.policy.stack, at::from_blob(flat.data(), {static_cast<int64_t>(flat.size())}, at::kFloat),
                         at::from_blob(inputs.data(), {map.sets, per_set, one.policy.stack.input_size}, at::kFloat))
            .contiguous();
    const std::vector<float> learner = ActionLogProbabilities(
        one.policy, map, seen.groups[one.rows], steps,
        {outputs.const_data_ptr<float>(), outputs.const_data_ptr<float>() + outputs.numel()}, {});
    int compared = 0;
    for (int64_t i = 0; i < steps * policy.num_agents; ++i) {
      if (one.manages && seen.groups[one.rows].alive[i] == 0) continue;
      EXPECT_NEAR(learner[i], seen.groups[one.rows].log_probabilities[i], 1e-5) << one.policy.group << " " << i;
      ++compared;
    }
    EXPECT_GT(compared, 2 * rows);
  }
  EXPECT_EQ(first, weights.tensors.size());
}

INSTANTIATE_TEST_SUITE_P(
    Hierarchy, OptionParity,
    ::testing::Values("hidden_sizes: [32, 16]", "hidden_sizes: [16] agent_id_input: true activation: TANH",
                      "hidden_sizes: [16] sharing: PER_AGENT hidden_layer_norm: true",
                      "hidden_sizes: [20] sharing: PARTITIONED partition: [0, 1, 2, 0] agent_id_input: true "
                      "input_layer_norm: true hidden_layer_norm: true"));

INSTANTIATE_TEST_SUITE_P(
    Talk, CommunicatingParity,
    ::testing::Values("hidden_sizes: [32] message_size: 3",
                      "hidden_sizes: [16] message_size: 2 concatenate_messages: true agent_id_input: true",
                      "hidden_sizes: [16] message_size: 4 recurrent_cell: GRU recurrent_size: 9 sharing: PER_AGENT",
                      "hidden_sizes: [20] message_size: 3 recurrent_cell: LSTM recurrent_size: 8 sharing: PARTITIONED "
                      "partition: [0, 1, 2, 0] agent_id_input: true hidden_layer_norm: true input_layer_norm: true "
                      "concatenate_messages: true"));

INSTANTIATE_TEST_SUITE_P(
    Cells, RecurrentParity,
    ::testing::Values(
        "hidden_sizes: [32] recurrent_cell: GRU", "hidden_sizes: [32] recurrent_cell: LSTM recurrent_size: 20",
        "hidden_sizes: [32] recurrent_cell: GRU recurrent_size: 37 sharing: PER_AGENT hidden_layer_norm: true",
        "hidden_sizes: [24, 16] recurrent_cell: LSTM input_layer_norm: true hidden_layer_norm: true activation: TANH",
        "hidden_sizes: [20] recurrent_cell: GRU sharing: PARTITIONED partition: [0, 1, 2, 0] agent_id_input: true"));

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
        "hidden_sizes: [64, 64] orthogonal_init: false", "hidden_sizes: [32, 16] distribution: MULTI_CATEGORICAL",
        "hidden_sizes: [16] distribution: MULTI_CATEGORICAL sharing: PER_AGENT agent_id_input: true",
        "hidden_sizes: [32, 16] distribution: GAUSSIAN",
        "hidden_sizes: [16] distribution: GAUSSIAN state_dependent_std: true sharing: PER_AGENT",
        "hidden_sizes: [16] distribution: SQUASHED_GAUSSIAN initial_log_std: -0.5 sharing: PARTITIONED partition: [1, "
        "0, "
        "1, 1]",
        "hidden_sizes: [16] distribution: SQUASHED_GAUSSIAN state_dependent_std: true agent_id_input: true"));

}  // namespace
}  // namespace troupe
