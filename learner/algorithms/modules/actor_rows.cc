#include "learner/algorithms/modules/actor_rows.h"

#include <algorithm>
#include <cstring>

#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/objectives/gaussian_rows.h"
#include "learner/arithmetic/objectives/loss_rows.h"

namespace troupe {
namespace {

// Calls body(row, step, agent) for every row, on all threads; agent is SlotMap::kPadding in slots without one.
template <typename Body>
void ForEachRow(const SlotMap& map, int64_t steps, Body&& body) {
  ParallelFor(steps, [&](int, int64_t begin, int64_t end) {
    for (int64_t place = 0; place < int64_t{map.sets} * map.slots; ++place) {
      const int64_t set = place / map.slots, slot = place % map.slots;
      for (int64_t step = begin; step < end; ++step) {
        body((set * steps + step) * map.slots + slot, step, map.agent_of[place]);
      }
    }
  });
}

int64_t NumAgents(const GroupBatch& batch, int64_t steps) {
  return static_cast<int64_t>(batch.log_probabilities.size()) / steps;
}

bool IsTrained(const ActorTargets& targets, const GroupBatch& batch, int64_t place) {
  return (targets.trained == nullptr ? batch.alive : *targets.trained)[place] != 0;
}

// What agents chose, of discrete actions or of multi-discrete ones.
class Indices {
 public:
  Indices(const PolicySpec& policy, const GroupBatch& batch)
      : sizes_(policy.action_sizes), values_(batch.discrete_actions.data()) {
    if (sizes_.empty()) sizes_ = {policy.action_size};
    if (policy.action_kind == ActionKind::kMultiDiscrete) values_ = batch.multi_discrete_actions.data();
  }
  int64_t count() const { return static_cast<int64_t>(sizes_.size()); }  // of an action
  int64_t size(int64_t index) const { return sizes_[index]; }            // choices
  // Of agent `place` of [steps, agents].
  const int32_t* of(int64_t place) const { return values_ + place * count(); }

 private:
  std::vector<int> sizes_;
  const int32_t* values_;
};

void WriteGaussianRows(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t steps,
                       const ActorTargets& targets, float* rows) {
  const int64_t agents = NumAgents(batch, steps), size = policy.action_size, fields = GaussianRow::kSample + size;
  const bool squashes = policy.distribution.kind == DistributionKind::kSquashedGaussian;
  ForEachRow(map, steps, [&](int64_t row, int64_t step, int agent) {
    float* const to = rows + row * fields;
    if (agent == SlotMap::kPadding) {
      std::fill_n(to, fields, 0.0f);
      return;
    }
    const int64_t from = step * agents + agent;
    const float* const sample = batch.continuous_actions.data() + from * size;
    double reference = (*targets.reference_log_probabilities)[from];
    for (int64_t j = 0; squashes && j < size; ++j) reference += LogSquashSlope(sample[j]);
    to[GaussianRow::kReferenceLogDensity] = static_cast<float>(reference);
    to[GaussianRow::kImportance] = targets.importance == nullptr ? 1.0f : (*targets.importance)[from];
    to[GaussianRow::kAdvantage] = (*targets.advantages)[from];
    to[GaussianRow::kAlive] = IsTrained(targets, batch, from) ? 1.0f : 0.0f;
    std::copy_n(sample, size, to + GaussianRow::kSample);
  });
}

}  // namespace

SlotMap::SlotMap(const PolicySpec& policy) : sets(policy.stack.num_sets) {
  std::vector<std::vector<int>> agents(sets);
  for (int agent = 0; agent < policy.num_agents; ++agent) agents[policy.set_of_agent[agent]].push_back(agent);
  for (const std::vector<int>& members : agents) slots = std::max(slots, static_cast<int>(members.size()));
  agent_of.assign(static_cast<size_t>(sets) * slots, kPadding);
  for (int set = 0; set < sets; ++set) {
    std::copy(agents[set].begin(), agents[set].end(), agent_of.begin() + static_cast<int64_t>(set) * slots);
  }
}

std::vector<std::vector<int>> PlacesHeard(const PolicySpec& policy, const SlotMap& map) {
  std::vector<std::vector<int>> heard;
  if (!policy.stack.communicates()) return heard;
  std::vector<int> place_of(policy.num_agents);
  for (size_t place = 0; place < map.agent_of.size(); ++place) {
    if (map.agent_of[place] != SlotMap::kPadding) place_of[map.agent_of[place]] = static_cast<int>(place);
  }
  for (const int agent : map.agent_of) {
    heard.emplace_back();
    if (agent == SlotMap::kPadding) continue;
    for (const int other : policy.neighbours[agent]) heard.back().push_back(place_of[other]);
  }
  return heard;
}

void WriteActorRows(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t steps,
                    const RowMemory& to) {
  const int64_t observation = policy.observation_size, width = policy.stack.input_size, actions = policy.action_size;
  const bool masks = policy.action_kind != ActionKind::kContinuous;
  ForEachRow(map, steps, [&](int64_t row, int64_t step, int agent) {
    float* const input = to.inputs + row * width;
    if (agent == SlotMap::kPadding) {
      std::fill_n(input, width, 0.0f);
      if (masks) std::memset(to.masks + row * actions, 1, actions);
      return;
    }
    const int64_t from = step * policy.num_agents + agent;
    std::memcpy(input, batch.observations.data() + from * observation, observation * sizeof(float));
    std::fill(input + observation, input + width, 0.0f);
    if (policy.stack.communicates()) input[observation] = batch.alive[from] != 0 ? 1.0f : 0.0f;
    if (policy.agent_id_input) input[width - policy.num_agents + agent] = 1.0f;
    if (masks) std::memcpy(to.masks + row * actions, batch.action_masks.data() + from * actions, actions);
  });
}

void WriteActorInputs(const PolicySpec& policy, const SlotMap& map, const float* observations, const int64_t* index,
                      int64_t count, int64_t first, int64_t states, float* inputs) {
  const int64_t observation = policy.observation_size, width = policy.stack.input_size;
  ForEachRow(map, count, [&](int64_t row, int64_t step, int agent) {
    // Numbered among `count` states of each set.
    const int64_t set = row / (count * map.slots), slot = row % map.slots;
    float* const input = inputs + ((set * states + first + step) * map.slots + slot) * width;
    std::fill_n(input, width, 0.0f);
    if (agent == SlotMap::kPadding) return;
    const int64_t from = (index == nullptr ? step : index[step]) * policy.num_agents + agent;
    std::copy_n(observations + from * observation, observation, input);
    if (policy.agent_id_input) input[observation + agent] = 1.0f;
  });
}

void WriteActorStates(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t sequences,
                      const RowMemory& to) {
  const int64_t size = policy.stack.state_size();
  ForEachRow(map, sequences, [&](int64_t row, int64_t sequence, int agent) {
    float* const state = to.remembered + row * size;
    if (agent == SlotMap::kPadding) {
      std::fill_n(state, size, 0.0f);
    } else {
      std::copy_n(batch.network_states.data() + (sequence * policy.num_agents + agent) * size, size, state);
    }
  });
}

void WritePolicyRows(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch, int64_t steps,
                     const ActorTargets& targets, float* rows) {
  if (policy.distribution.is_gaussian()) return WriteGaussianRows(policy, map, batch, steps, targets, rows);
  const Indices taken(policy, batch);
  const int64_t agents = NumAgents(batch, steps), fields = PolicyRow::kAction + taken.count();
  ForEachRow(map, steps, [&](int64_t row, int64_t step, int agent) {
    float* const to = rows + row * fields;
    if (agent == SlotMap::kPadding) {
      std::fill_n(to, fields, 0.0f);
      return;
    }
    const int64_t from = step * agents + agent;
    for (int64_t i = 0; i < taken.count(); ++i) to[PolicyRow::kAction + i] = static_cast<float>(taken.of(from)[i]);
    to[PolicyRow::kReferenceLogProb] = (*targets.reference_log_probabilities)[from];
    to[PolicyRow::kImportance] = targets.importance == nullptr ? 1.0f : (*targets.importance)[from];
    to[PolicyRow::kAdvantage] = (*targets.advantages)[from];
    to[PolicyRow::kAlive] = IsTrained(targets, batch, from) ? 1.0f : 0.0f;
  });
}

std::vector<std::vector<int32_t>> LivingAgents(const SlotMap& map, const std::vector<uint8_t>& alive, int64_t steps) {
  const int64_t agents = std::ranges::count_if(map.agent_of, [](int agent) { return agent != SlotMap::kPadding; });
  std::vector<std::vector<int32_t>> living(map.sets, std::vector<int32_t>(steps, 0));
  for (int64_t place = 0; place < int64_t{map.sets} * map.slots; ++place) {
    const int agent = map.agent_of[place];
    if (agent == SlotMap::kPadding) continue;
    std::vector<int32_t>& of_set = living[place / map.slots];
    for (int64_t step = 0; step < steps; ++step) of_set[step] += alive[step * agents + agent] != 0;
  }
  return living;
}

std::vector<float> ActionLogProbabilities(const PolicySpec& policy, const SlotMap& map, const GroupBatch& batch,
                                          int64_t steps, const std::vector<float>& outputs,
                                          const std::vector<float>& free) {
  const int64_t agents = NumAgents(batch, steps), actions = policy.action_size, width = policy.stack.output_size;
  const int64_t num_free = static_cast<int64_t>(free.size()) / map.sets, rows_per_set = steps * map.slots;
  const bool gaussian = policy.distribution.is_gaussian();
  const Indices taken(policy, batch);
  std::vector<float> values(steps * agents);
  ForEachRow(map, steps, [&](int64_t row, int64_t step, int agent) {
    if (agent == SlotMap::kPadding) return;
    const int64_t at = step * agents + agent;
    const float* output = outputs.data() + row * width;
    if (gaussian) {
      values[at] =
          GaussianLogProbability(policy.distribution, actions, output, free.data() + row / rows_per_set * num_free,
                                 batch.continuous_actions.data() + at * actions);
      return;
    }
    const uint8_t* mask = batch.action_masks.data() + at * actions;
    for (int64_t i = 0; i < taken.count(); output += taken.size(i), mask += taken.size(i), ++i) {
      values[at] += ActionLogProbability(output, mask, taken.size(i), taken.of(at)[i]);
    }
  });
  return values;
}

}  // namespace troupe
