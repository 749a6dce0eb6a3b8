// What MADDPG's actors follow: their critics' slopes, or their critics' values of every choice.
#include <algorithm>

#include "learner/algorithms/maddpg.h"

namespace troupe {

bool Maddpg::FollowsValues(const ValuedGroup& group) const {
  return settings_.discrete_gradient() == EXPECTED && group.policy.action_kind != ActionKind::kContinuous;
}

std::vector<float> Maddpg::ActionSlopes(const Drawn& drawn, const std::vector<float>& acted, Figures* figures) {
  std::vector<float> slopes(drawn.steps() * layout_.size());
  const auto follows_values = [this](const ValuedGroup& group) { return FollowsValues(group); };
  if (!std::ranges::all_of(groups_, follows_values)) DifferentiateByActions(drawn, acted, &slopes, figures);
  if (std::ranges::any_of(groups_, follows_values)) ValueActions(drawn, acted, &slopes, figures);
  return slopes;
}

void Maddpg::DifferentiateByActions(const Drawn& drawn, const std::vector<float>& acted, std::vector<float>* slopes,
                                    Figures* figures) {
  const int64_t steps = drawn.steps(), sets = critic_.stack.num_sets, row = critic_.stack.input_size;
  const int64_t agents = NumAgents(groups_), size = layout_.size(), first_action = row - size;
  const bool is_joint = settings_.joint_actions_of_actors();
  // A view of the joint steps for every set, or, where only one agent's action is another than recorded, every agent.
  const int64_t views = is_joint ? sets : agents;
  std::vector<float> inputs(views * steps * row);
  for (int64_t view = 0; view < views; ++view) {
    WriteJointRows(critic_, drawn.states.data(), (is_joint ? acted : drawn.actions).data(), steps,
                   inputs.data() + view * steps * row);
  }
  const auto for_each_agent = [&](const auto& visit) {
    for (const ValuedGroup& group : groups_) {
      for (int64_t agent = 0; agent < group.policy.num_agents; ++agent) {
        visit(group, agent, is_joint && sets == 1 ? 0 : group.first + agent);
      }
    }
  };
  for_each_agent([&](const ValuedGroup& group, int64_t agent, int64_t view) {
    const int64_t at = layout_.At(group, agent);
    for (int64_t step = 0; step < steps; ++step) {
      std::copy_n(acted.begin() + step * size + at, group.policy.action_size,
                  inputs.begin() + (view * steps + step) * row + first_action + at);
    }
  });
  const InputGradient found = critics_->Differentiate(0, inputs, views * steps / sets);
  for_each_agent([&](const ValuedGroup& group, int64_t agent, int64_t view) {
    if (FollowsValues(group)) return;
    const int64_t at = layout_.At(group, agent), of_group = group.policy.num_agents;
    const std::vector<uint8_t>& alive = drawn.sample.states.groups[&group - groups_.data()].alive;
    for (int64_t step = 0; step < steps; ++step) {
      if (alive[step * of_group + agent] == 0) continue;
      std::copy_n(found.slopes.begin() + (view * steps + step) * row + first_action + at, group.policy.action_size,
                  slopes->begin() + step * size + at);
      figures->policy_values += found.outputs[view * steps + step];
      figures->policy_rows += 1;
    }
  });
}

void Maddpg::ValueActions(const Drawn& drawn, const std::vector<float>& acted, std::vector<float>* slopes,
                          Figures* figures) {
  const int64_t steps = drawn.steps(), sets = critic_.stack.num_sets, row = critic_.stack.input_size;
  const int64_t size = layout_.size(), first_action = row - size;
  const std::vector<float>& others = settings_.joint_actions_of_actors() ? acted : drawn.actions;
  // A view of the joint steps for every choice of an agent, those of each set's agents side by side.
  std::vector<int64_t> views_of_set(sets, 0);
  const auto for_each_choice = [&](const auto& visit) {
    std::ranges::fill(views_of_set, 0);
    for (const ValuedGroup& group : groups_) {
      for (int64_t agent = 0; FollowsValues(group) && agent < group.policy.num_agents; ++agent) {
        const int64_t set = sets == 1 ? 0 : group.first + agent;
        for (int64_t choice = 0; choice < group.policy.action_size; ++choice) {
          visit(group, agent, choice, set, views_of_set[set]++);
        }
      }
    }
  };
  for_each_choice([](const auto&...) {});
  const int64_t views = *std::ranges::max_element(views_of_set);
  critics_->BeginRows(nullptr);
  const RowMemory to = critics_->Rows(0, views * steps, 0);
  std::fill_n(to.inputs, sets * views * steps * row, 0.0f);
  const auto rows_of = [&](int64_t set, int64_t view) { return (set * views + view) * steps; };
  for_each_choice([&](const ValuedGroup& group, int64_t agent, int64_t choice, int64_t set, int64_t view) {
    float* const rows = to.inputs + rows_of(set, view) * row;
    WriteJointRows(critic_, drawn.states.data(), others.data(), steps, rows);
    const int64_t at = layout_.At(group, agent);
    // Of a multi-discrete action the index that the choice belongs to, the others being as taken.
    const auto [first, count] = DimensionOf(group.policy, choice);
    for (int64_t step = 0; step < steps; ++step) {
      float* const own = rows + step * row + first_action + at;
      std::copy_n(acted.begin() + step * size + at, group.policy.action_size, own);
      std::fill_n(own + first, count, 0.0f);
      own[choice] = 1.0f;
    }
  });
  critics_->SendRows(0);
  critics_->UseRows();
  std::vector<float> values;
  if (steps > 0) critics_->Infer(0, &values);
  for_each_choice([&](const ValuedGroup& group, int64_t agent, int64_t choice, int64_t set, int64_t view) {
    const int64_t at = layout_.At(group, agent), of_group = group.policy.num_agents;
    const std::vector<uint8_t>& alive = drawn.sample.states.groups[&group - groups_.data()].alive;
    const bool is_of_first = DimensionOf(group.policy, choice).first == 0;
    for (int64_t step = 0; step < steps; ++step) {
      if (alive[step * of_group + agent] == 0) continue;
      const float value = values[rows_of(set, view) + step];
      (*slopes)[step * size + at + choice] = value;
      if (!is_of_first || acted[step * size + at + choice] == 0) continue;
      figures->policy_values += value;
      figures->policy_rows += 1;
    }
  });
}

}  // namespace troupe
