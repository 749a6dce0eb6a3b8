#include "learner/algorithms/modules/joint_actions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/random.h"

namespace troupe {
namespace {

// Calls visit(first, size) for the part of an action's numbers that each dimension has.
template <typename Visit>
void ForEachDimension(const PolicySpec& policy, const Visit& visit) {
  if (policy.action_sizes.empty()) return visit(int64_t{0}, int64_t{policy.action_size});
  int64_t first = 0;
  for (const int size : policy.action_sizes) {
    visit(first, int64_t{size});
    first += size;
  }
}

double Gumbel(RandomStream* random) { return -std::log(-std::log(std::max(1e-300, random->UniformDouble()))); }

// Which of y + noise is the largest over what is allowed, and a softmax of it.
int64_t Relax(const float* outputs, const uint8_t* mask, int64_t size, const ActingRules& rules, RandomStream* noise,
              float* relaxed) {
  const bool is_masked =
      mask != nullptr && std::any_of(mask, mask + size, [](uint8_t allowed) { return allowed != 0; });
  std::vector<double> z(size);
  int64_t best = -1;
  double highest = 0, most = -std::numeric_limits<double>::infinity();
  for (int64_t j = 0; j < size; ++j) {
    const double drawn = noise == nullptr ? 0 : Gumbel(noise);
    if (is_masked && mask[j] == 0) continue;
    z[j] = (outputs[j] + drawn) / rules.temperature;
    if (best < 0 || z[j] > highest) best = j, highest = z[j];
    if (rules.relaxes_without_noise) z[j] = outputs[j] / rules.temperature;
    most = std::max(most, z[j]);
  }
  double sum = 0;
  for (int64_t j = 0; j < size; ++j) sum += z[j] = is_masked && mask[j] == 0 ? 0 : std::exp(z[j] - most);
  for (int64_t j = 0; j < size; ++j) relaxed[j] = static_cast<float>(z[j] / sum);
  return best;
}

void ActContinuously(const float* outputs, int64_t size, const ActingRules& rules, RandomStream* noise, float* action,
                     float* relaxed) {
  for (int64_t j = 0; j < size; ++j) {
    relaxed[j] = static_cast<float>(std::tanh(double{outputs[j]}));
    const double moved =
        rules.deviation > 0 ? std::clamp(rules.deviation * noise->Normal(), -rules.clip, rules.clip) : 0;
    action[j] = static_cast<float>(std::clamp(relaxed[j] + moved, -1.0, 1.0));
  }
}

}  // namespace

JointActionLayout::JointActionLayout(const std::vector<ValuedGroup>& groups) {
  for (const ValuedGroup& group : groups) {
    for (int64_t agent = 0; agent < group.policy.num_agents; ++agent) {
      first_of_agent_.push_back(size_);
      size_ += group.policy.action_size;
    }
  }
}

ActionDimension DimensionOf(const PolicySpec& policy, int64_t choice) {
  ActionDimension found;
  ForEachDimension(policy, [&](int64_t first, int64_t count) {
    if (first <= choice && choice < first + count) found = {first, count};
  });
  return found;
}

void WriteRecordedActions(const JointActionLayout& layout, const ValuedGroup& group, const GroupBatch& batch,
                          int64_t steps, float* rows) {
  const PolicySpec& policy = group.policy;
  const int64_t agents = policy.num_agents, size = policy.action_size;
  const bool is_multi = policy.action_kind == ActionKind::kMultiDiscrete;
  const std::vector<int32_t>& chosen = is_multi ? batch.multi_discrete_actions : batch.discrete_actions;
  const int64_t choices = is_multi ? static_cast<int64_t>(policy.action_sizes.size()) : 1;
  for (int64_t i = 0; i < steps * agents; ++i) {
    float* const to = rows + i / agents * layout.size() + layout.At(group, i % agents);
    std::fill_n(to, size, 0.0f);
    if (batch.alive[i] == 0) continue;
    if (policy.action_kind == ActionKind::kContinuous) {
      for (int64_t j = 0; j < size; ++j) to[j] = std::clamp(batch.continuous_actions[i * size + j], -1.0f, 1.0f);
      continue;
    }
    const int32_t* choice = chosen.data() + i * choices;
    ForEachDimension(policy, [&](int64_t first, int64_t) { to[first + *choice++] = 1.0f; });
  }
}

void WriteActorActions(const JointActionLayout& layout, const ValuedGroup& group, const ActorOutputs& actors,
                       const ActingRules& rules, float* rows, std::vector<float>* relaxed) {
  const PolicySpec& policy = group.policy;
  const int64_t agents = policy.num_agents, size = policy.action_size;
  const bool is_continuous = policy.action_kind == ActionKind::kContinuous;
  const bool draws = is_continuous ? rules.deviation > 0 : policy.distribution.kind != DistributionKind::kEpsilonGreedy;
  relaxed->assign(int64_t{group.map.sets} * actors.steps * group.map.slots * size, 0.0f);
  for (int64_t i = 0; i < actors.steps * agents; ++i) {
    const int64_t step = i / agents, agent = i % agents, from = group.ValuesAt(agent, step, actors.steps);
    float* const to = rows + step * layout.size() + layout.At(group, agent);
    std::fill_n(to, size, 0.0f);
    if (actors.alive[i] == 0) continue;
    RandomStream noise(draws ? rules.keys[step] : 0, static_cast<uint64_t>(group.first + agent));
    if (is_continuous) {
      ActContinuously(actors.outputs + from, size, rules, &noise, to, relaxed->data() + from);
      continue;
    }
    ForEachDimension(policy, [&](int64_t first, int64_t count) {
      const uint8_t* const mask = actors.masks == nullptr ? nullptr : actors.masks + i * size + first;
      to[first + Relax(actors.outputs + from + first, mask, count, rules, draws ? &noise : nullptr,
                       relaxed->data() + from + first)] = 1.0f;
    });
  }
}

void ActorSlopes(const PolicySpec& policy, double temperature, const float* relaxed, const float* by_action,
                 float* by_outputs) {
  if (policy.action_kind == ActionKind::kContinuous) {
    for (int64_t j = 0; j < policy.action_size; ++j) by_outputs[j] = by_action[j] * (1 - relaxed[j] * relaxed[j]);
    return;
  }
  ForEachDimension(policy, [&](int64_t first, int64_t count) {
    double mean = 0;
    for (int64_t j = first; j < first + count; ++j) mean += double{relaxed[j]} * by_action[j];
    for (int64_t j = first; j < first + count; ++j) {
      by_outputs[j] = static_cast<float>(relaxed[j] * (by_action[j] - mean) / temperature);
    }
  });
}

}  // namespace troupe
