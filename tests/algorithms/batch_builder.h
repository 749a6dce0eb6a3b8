// Training batches and contexts for tests and benchmarks, without collecting anything.
#ifndef TROUPE_TESTS_ALGORITHMS_BATCH_BUILDER_H_
#define TROUPE_TESTS_ALGORITHMS_BATCH_BUILDER_H_

#include <cmath>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/config/experiment_loader.h"
#include "common/specs/option_policies.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/algorithm.h"

namespace troupe {

inline AgentGroupSpec DiscreteGroup(const std::string& name, int agents, int observation_size, int actions) {
  AgentGroupSpec group{.name = name, .observation_size = observation_size, .action_size = actions};
  for (int a = 0; a < agents; ++a) group.agents.push_back(name + std::to_string(a));
  return group;
}

// `size` numbers an action.
inline AgentGroupSpec ContinuousGroup(const std::string& name, int agents, int observation_size, int size) {
  AgentGroupSpec group = DiscreteGroup(name, agents, observation_size, size);
  group.action_kind = ActionKind::kContinuous;
  return group;
}

// An index in each dimension, of `sizes` choices.
inline AgentGroupSpec MultiDiscreteGroup(const std::string& name, int agents, int observation_size,
                                         std::vector<int> sizes) {
  AgentGroupSpec group = DiscreteGroup(name, agents, observation_size, std::accumulate(sizes.begin(), sizes.end(), 0));
  group.action_kind = ActionKind::kMultiDiscrete;
  group.action_sizes = std::move(sizes);
  return group;
}

// `text` is an experiment's textproto without name, environment and steps. In float32, alike on every processor, unless
// it asks for BF16.
inline AlgorithmContext MakeContext(const std::string& text, std::vector<AgentGroupSpec> groups,
                                    int state_extras_size) {
  AlgorithmContext context;
  const auto experiment = ParseExperiment(
      "name: \"test\" total_env_steps: 100000 environment { name: \"matrix_game\" } " + text, "test", {});
  if (!experiment.ok()) throw std::runtime_error(std::string(experiment.status().message()));
  context.experiment = *experiment;
  if (context.experiment.compute().precision() == FASTEST) context.experiment.mutable_compute()->set_precision(F32);
  context.environment.groups = std::move(groups);
  context.environment.state_extras_size = state_extras_size;
  const auto policies = MakePolicySpecs(context.experiment, context.environment);
  if (!policies.ok()) throw std::runtime_error(std::string(policies.status().message()));
  context.policies = *policies;
  return context;
}

// "name: value name: value …", and those of `usual` whose names are not among them.
inline std::string FieldsWith(const std::string& fields, const std::string& usual) {
  std::string all = fields;
  std::istringstream stream(usual);
  for (std::string name, value; stream >> name >> value;) {
    if ((" " + fields).find(" " + name) == std::string::npos) all += " " + name + " " + value;
  }
  return all;
}

// All sizes right, all zero: everyone alive, everything allowed, no episode ends, actions 0 with the probability of
// choosing anything alike, or with the density of N standard normal numbers.
inline TrainingBatch EmptyBatch(const EnvironmentSpec& environment, int steps, int columns) {
  TrainingBatch batch;
  batch.rollout_length = steps;
  batch.columns = columns;
  const size_t acted = static_cast<size_t>(steps) * columns, seen = acted + columns;
  for (const AgentGroupSpec& spec : environment.groups) {
    const size_t agents = spec.num_agents();
    GroupBatch group;
    group.observations.assign(seen * agents * spec.observation_size, 0.0f);
    const bool multi = spec.action_kind == ActionKind::kMultiDiscrete, masked = spec.has_masks();
    float log_probability = masked ? 0 : -0.918938533f * static_cast<float>(spec.action_size);
    for (int i = 0; i < spec.num_choices(); ++i) log_probability -= std::log(static_cast<float>(spec.choices_of(i)));
    group.discrete_actions.assign(masked && !multi ? acted * agents : 0, 0);
    group.multi_discrete_actions.assign(multi ? acted * agents * spec.num_choices() : 0, 0);
    group.continuous_actions.assign(masked ? 0 : acted * agents * spec.action_size, 0.0f);
    group.log_probabilities.assign(acted * agents, log_probability);
    group.rewards.assign(acted * agents, 0.0f);
    group.action_masks.assign(masked ? seen * agents * spec.action_size : 0, 1);
    group.alive.assign(seen * agents, 1);
    batch.groups.push_back(std::move(group));
  }
  batch.state_extras.assign(seen * environment.state_extras_size, 0.0f);
  batch.terminated.assign(acted, 0);
  batch.truncated.assign(acted, 0);
  batch.policy_versions.assign(columns, 0);
  return batch;
}

// Ends an episode after step t of a column by truncation; the final observation is `value` everywhere.
inline void Truncate(const EnvironmentSpec& environment, int t, int column, float value, TrainingBatch* batch) {
  batch->truncated[t * batch->columns + column] = 1;
  batch->truncated_at.insert(batch->truncated_at.end(), {t, column});
  batch->final_state_extras.insert(batch->final_state_extras.end(), environment.state_extras_size, value);
  for (size_t g = 0; g < environment.groups.size(); ++g) {
    const AgentGroupSpec& spec = environment.groups[g];
    auto& finals = batch->groups[g].final_observations;
    finals.insert(finals.end(), static_cast<size_t>(spec.num_agents()) * spec.observation_size, value);
  }
}

// Random multi-discrete actions, and with `ends` forbidden choices and agents that die.
inline void FillChoices(const AgentGroupSpec& spec, bool ends, RandomStream* random, GroupBatch* group) {
  const size_t count = spec.num_choices();
  for (size_t i = 0; i < group->log_probabilities.size(); ++i) {
    group->log_probabilities[i] += 0.3f * static_cast<float>(random->Normal());
    if (ends) group->alive[i] = random->Below(8) != 0;
    uint8_t* mask = group->action_masks.data() + i * spec.action_size;
    for (size_t d = 0; d < count; ++d) {
      const int size = spec.choices_of(static_cast<int>(d));
      const auto chosen = static_cast<int32_t>(random->Below(size));
      group->multi_discrete_actions[i * count + d] = chosen;
      for (int choice = 0; choice < size; ++choice, ++mask) {
        if (ends && choice != chosen) *mask = random->Below(6) != 0;
      }
    }
  }
}

// Random everything: observations, extras and rewards Gaussian, uniform or standard normal actions, and with `ends`
// episodes that terminate or are truncated, agents that die and actions that are forbidden.
inline TrainingBatch RandomBatch(const EnvironmentSpec& environment, int steps, int columns, uint64_t seed,
                                 bool ends = true) {
  TrainingBatch batch = EmptyBatch(environment, steps, columns);
  RandomStream random(seed);
  const auto fill = [&](std::vector<float>& values) {
    for (float& value : values) value = static_cast<float>(random.Normal());
  };
  fill(batch.state_extras);
  for (size_t g = 0; g < environment.groups.size(); ++g) {
    const uint32_t actions = environment.groups[g].action_size;
    GroupBatch& group = batch.groups[g];
    fill(group.observations);
    fill(group.rewards);
    fill(group.continuous_actions);
    for (size_t i = 0; i < group.continuous_actions.size(); ++i) {
      const float u = group.continuous_actions[i];
      group.log_probabilities[i / actions] -= 0.5f * u * u;
    }
    for (size_t i = 0; i < group.log_probabilities.size() && !group.continuous_actions.empty(); ++i) {
      group.log_probabilities[i] += 0.3f * static_cast<float>(random.Normal());
      if (ends) group.alive[i] = random.Below(8) != 0;
    }
    for (size_t i = 0; i < group.discrete_actions.size(); ++i) {
      group.discrete_actions[i] = static_cast<int32_t>(random.Below(actions));
      group.log_probabilities[i] += 0.3f * static_cast<float>(random.Normal());
      if (!ends) continue;
      group.alive[i] = random.Below(8) != 0;
      for (uint32_t a = 0; a < actions; ++a) {
        if (static_cast<int32_t>(a) != group.discrete_actions[i])
          group.action_masks[i * actions + a] = random.Below(6) != 0;
      }
    }
    if (!group.multi_discrete_actions.empty()) FillChoices(environment.groups[g], ends, &random, &group);
  }
  for (int cell = 0; ends && cell < steps * columns; ++cell) {
    const uint32_t draw = random.Below(12);
    if (draw == 0) batch.terminated[cell] = 1;
    if (draw == 1) Truncate(environment, cell / columns, cell % columns, static_cast<float>(random.Normal()), &batch);
  }
  return batch;
}

// What managers look for in a batch: options as they are followed from a random place in one on, choices of random
// probability.
inline void FillOptions(const AlgorithmContext& context, uint64_t seed, TrainingBatch* batch) {
  RandomStream random(seed);
  const int64_t cells = batch->env_steps(), columns = batch->columns;
  for (size_t g = 0; g < context.policies.size(); ++g) {
    const OptionSpec& spec = context.policies[g].options;
    if (spec.count == 0) continue;
    const int64_t agents = context.policies[g].num_agents;
    GroupBatch& group = batch->groups[g];
    group.options.assign(cells * agents, 0);
    group.option_log_probabilities.assign(cells * agents, 0.0f);
    group.option_states.assign((cells + columns) * agents * 2, 0.0f);
    for (int64_t i = 0; i < (cells + columns) * agents; ++i) {
      float* const state = &group.option_states[2 * i];
      if (i < columns * agents) {
        state[0] = static_cast<float>(random.Below(spec.count));
        state[1] = static_cast<float>(i / agents % (spec.steps + 1));
      }
      if (i >= cells * agents) continue;
      const int age = static_cast<int>(state[1]);
      group.options[i] = static_cast<int32_t>(state[0]);
      if (IsChoice(spec, age)) {
        group.options[i] = static_cast<int32_t>(random.Below(spec.count));
        group.option_log_probabilities[i] =
            std::min(0.0f, 0.3f * static_cast<float>(random.Normal()) - std::log(static_cast<float>(spec.count)));
      }
      float* const next = &group.option_states[2 * (i + columns * agents)];
      if (batch->terminated[i / agents] != 0 || batch->truncated[i / agents] != 0) continue;
      next[0] = static_cast<float>(group.options[i]);
      next[1] = IsChoice(spec, age) ? 1.0f : static_cast<float>(age + 1);
    }
  }
}

// What critics that ask who lives look for in a batch: in its last states one in four agents is dead.
inline void FillFinalAlive(const AlgorithmContext& context, TrainingBatch* batch) {
  if (!ChunkShapeOf(context.experiment, context.policies).asks_who_lives) return;
  RandomStream random(batch->truncated_at.size());
  for (size_t g = 0; g < context.environment.groups.size(); ++g) {
    batch->groups[g].final_alive.resize(batch->truncated_at.size() / 2 * context.environment.groups[g].num_agents());
    for (uint8_t& flag : batch->groups[g].final_alive) flag = random.Below(4) != 0;
  }
}

// What recurrent networks look for in a batch, as random numbers: its columns are the first of leases of `epoch`.
inline void FillRemembered(const AlgorithmContext& context, uint32_t epoch, TrainingBatch* batch) {
  const int64_t length = context.experiment.collection().sequence_length();
  const int64_t sequences = (batch->rollout_length + length - 1) / length * batch->columns;
  RandomStream random(epoch);
  for (size_t g = 0; g < context.policies.size(); ++g) {
    const PolicySpec& policy = context.policies[g];
    batch->groups[g].network_states.resize(sequences * policy.num_agents * policy.stack.state_size());
    for (float& value : batch->groups[g].network_states) value = static_cast<float>(0.5 * random.Normal());
  }
  batch->streams.clear();
  for (int column = 0; column < batch->columns; ++column) {
    batch->streams.push_back({.shard = 0, .copy = static_cast<uint32_t>(column), .lease_epoch = epoch});
  }
}

// Leaves out what chunks of the experiment's algorithm do not carry, and adds flags they do besides, all 1.
inline void ShapeForAlgorithm(const AlgorithmContext& context, TrainingBatch* batch) {
  ChunkShape shape = ChunkShapeOf(context.experiment, context.policies);
  shape.rollout_length = batch->rollout_length;
  shape.copies = batch->columns;
  const auto finals = static_cast<uint32_t>(batch->truncated_at.size() / 2);
  for (size_t g = 0; g < batch->groups.size(); ++g) {
    const FieldSizes sizes = GroupSizes(context.environment, shape, g, finals);
    ForEachField(
        [&](const TrajectoryField& field, auto& values) {
          if (field.only_where.holds != kFollowingOptions.holds) values.resize(NumElements(field, sizes), 1);
        },
        batch->groups[g]);
  }
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_BATCH_BUILDER_H_
