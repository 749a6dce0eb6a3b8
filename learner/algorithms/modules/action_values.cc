#include "learner/algorithms/modules/action_values.h"

#include <algorithm>
#include <utility>

#include "learner/arithmetic/objectives/chosen_output.h"

namespace troupe {

ValuedGroup::ValuedGroup(const PolicySpec& given, int number)
    : policy(given), map(given), place_of(given.num_agents), first(number) {
  for (size_t place = 0; place < map.agent_of.size(); ++place) {
    if (map.agent_of[place] != SlotMap::kPadding) place_of[map.agent_of[place]] = static_cast<int64_t>(place);
  }
}

std::vector<ValuedGroup> ValuedGroups(const std::vector<PolicySpec>& policies) {
  std::vector<ValuedGroup> groups;
  int first = 0;
  for (const PolicySpec& policy : policies) {
    groups.emplace_back(policy, first);
    first += policy.num_agents;
  }
  return groups;
}

int64_t NumAgents(const std::vector<ValuedGroup>& groups) {
  return groups.back().first + groups.back().policy.num_agents;
}

NetworkPlan ValuePlan(const ValuedGroup& group, const std::string& kind, uint64_t key, bool is_stepped,
                      const AdamSettings& optimizer) {
  return {.name = kind + "/" + group.policy.group,
          .stack = group.policy.stack,
          .initial_key = key,
          .rows_per_step = group.map.slots,
          .objective = is_stepped ? std::make_shared<ChosenOutputObjective>() : nullptr,
          .optimizer = optimizer};
}

int64_t BestAction(const float* values, const uint8_t* mask, int64_t actions) {
  int64_t best = -1;
  for (int64_t j = 0; j < actions; ++j) {
    if (mask[j] != 0 && (best < 0 || values[j] > values[best])) best = j;
  }
  return std::max<int64_t>(0, best);
}

void ReadChosen(const ValuedGroup& group, const std::vector<float>& outputs, int64_t states, int64_t steps,
                const Choices& choices, int64_t num_agents, float* chosen) {
  const int64_t agents = group.policy.num_agents;
  for (int64_t step = 0; step < steps; ++step) {
    for (int64_t agent = 0; agent < agents; ++agent) {
      const int64_t from = step * agents + agent;
      chosen[step * num_agents + group.first + agent] =
          choices.alive[from] == 0 ? 0.0f : outputs[group.ValuesAt(agent, step, states) + choices.actions[from]];
    }
  }
}

void WriteSlopes(const ValuedGroup& group, int64_t steps, const Choices& choices, const float* slopes,
                 int64_t num_agents, float* fields) {
  const int64_t agents = group.policy.num_agents, sets = group.map.sets, slots = group.map.slots;
  std::fill_n(fields, sets * steps * slots * ChosenOutputRow::kCount, 0.0f);
  for (int64_t agent = 0; agent < agents; ++agent) {
    const int64_t set = group.place_of[agent] / slots, slot = group.place_of[agent] % slots;
    for (int64_t step = 0; step < steps; ++step) {
      const int64_t from = step * agents + agent;
      float* const to = fields + ((set * steps + step) * slots + slot) * ChosenOutputRow::kCount;
      to[ChosenOutputRow::kAction] = static_cast<float>(choices.actions[from]);
      to[ChosenOutputRow::kSlope] = slopes[step * num_agents + group.first + agent];
      to[ChosenOutputRow::kAlive] = choices.alive[from] != 0 ? 1.0f : 0.0f;
    }
  }
}

PolicySnapshot ExportValues(const Arithmetic& arithmetic, const std::vector<ValuedGroup>& groups, uint64_t version,
                            double epsilon) {
  PolicySnapshot snapshot{version, {}, {{kEpsilonScalar, epsilon}}};
  for (size_t g = 0; g < groups.size(); ++g) {
    for (HostTensor& tensor : arithmetic.Export(g, groups[g].policy.group)) {
      snapshot.tensors.push_back(std::move(tensor));
    }
  }
  return snapshot;
}

StepsTaken SumUpSteps(const UpdateFigures& figures, size_t networks) {
  StepsTaken taken;
  double steps = 0;
  for (size_t n = 0; n < networks; ++n) {
    for (const SetFigures& set : figures[n]) {
      taken.gradient_norm += set.gradient_norm;
      steps += set.steps;
      taken.skipped = std::max(taken.skipped, set.skipped);
    }
  }
  taken.gradient_norm /= std::max(1.0, steps);
  return taken;
}

double EpsilonAt(double first, double last, uint64_t span, uint64_t env_steps) {
  const double done = std::min(1.0, static_cast<double>(env_steps) / static_cast<double>(span));
  return first + done * (last - first);
}

}  // namespace troupe
