// What a gradient step of QLearning is computed from: rows, values, slopes.
#include <algorithm>
#include <cmath>
#include <utility>

#include "learner/algorithms/q_learning.h"

namespace troupe {
namespace {

// Sums over living agents, whose values are 0 where they are dead: [steps].
std::vector<float> SumsOf(const std::vector<float>& values, int64_t agents) {
  std::vector<float> sums(values.size() / agents);
  for (size_t i = 0; i < values.size(); ++i) sums[i / agents] += values[i];
  return sums;
}

// Rows of `width`, those numbered `index`.
std::vector<float> Pick(const std::vector<float>& rows, int64_t width, const std::vector<int64_t>& index) {
  std::vector<float> picked(index.size() * width);
  for (size_t i = 0; i < index.size(); ++i) {
    std::copy_n(rows.begin() + index[i] * width, width, picked.begin() + static_cast<int64_t>(i) * width);
  }
  return picked;
}

}  // namespace

SequenceSettings QLearning::sequences() const {
  const auto recorded = static_cast<int>(context_.experiment.collection().sequence_length());
  return {.length =
              settings_.has_replay_sequence_length() ? static_cast<int>(settings_.replay_sequence_length()) : recorded,
          .recorded_every = recorded,
          .returns = {.n = static_cast<int>(settings_.n_step()),
                      .discount = settings_.discount(),
                      .team_reward = context_.experiment.critic().team_reward()}};
}

int64_t QLearning::num_drawn() const {
  const int64_t steps = settings_.minibatch_size();
  return recurrent_ ? std::max<int64_t>(1, steps / sequences().length) : steps;
}

ValueSample QLearning::Sample(const ReplayMemory::Drawn& drawn) const {
  if (!recurrent_) return SampleSteps(replay_->store(), drawn.places, drawn.weights, sequences().returns);
  return SampleSequences(replay_->store(), drawn.places, drawn.weights, sequences(),
                         static_cast<int>(settings_.burn_in()));
}

void QLearning::SendRows(const ValueSample& sample) {
  const int64_t steps = sample.steps(), states = sample.num_states(), first = sample.first_target;
  const int64_t seen = steps + sample.states.columns;
  arithmetic_->BeginRows(sample.timeline);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ValuedGroup& group = groups_[g];
    const GroupBatch& batch = sample.states.groups[g];
    // The states from number `from` on.
    const auto send = [&](size_t network, int64_t from, int64_t trained) {
      const RowMemory rows = arithmetic_->Rows(network, states - from, trained);
      const int64_t at = from * group.policy.num_agents * group.policy.observation_size;
      WriteActorInputs(group.policy, group.map, batch.observations.data() + at, nullptr, seen - from, 0, states - from,
                       rows.inputs);
      WriteActorInputs(group.policy, group.map, batch.final_observations.data(), nullptr, states - seen, seen - from,
                       states - from, rows.inputs);
      if (rows.remembered != nullptr) {
        WriteActorStates(group.policy, group.map, batch, sample.timeline->num_sequences(), rows);
      }
      arithmetic_->SendRows(network);
    };
    send(g, 0, steps);
    send(TargetNetwork(g), first, 0);
  }
  arithmetic_->UseRows();
}

void QLearning::InferValues(const ValueSample& sample, std::vector<float>* chosen, std::vector<float>* next) {
  const int64_t steps = sample.steps(), states = sample.num_states(), seen = steps + sample.states.columns;
  const int64_t first = sample.first_target;
  std::vector<float> own, targets;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ValuedGroup& group = groups_[g];
    const GroupBatch& batch = sample.states.groups[g];
    const int64_t agents = group.policy.num_agents, actions = group.policy.action_size;
    arithmetic_->Infer(g, &own);
    arithmetic_->Infer(TargetNetwork(g), &targets);
    ReadChosen(group, own, states, steps, {batch.discrete_actions.data(), batch.alive.data()}, num_agents_,
               chosen->data());
    for (int64_t step = 0; step < steps; ++step) {
      const int64_t state = sample.next_states[step];
      if (sample.weights[step] == 0) continue;
      const bool is_final = state >= seen;
      const uint8_t* const masks = (is_final ? batch.final_action_masks : batch.action_masks).data();
      const uint8_t* const alive = (is_final ? batch.final_alive : batch.alive).data();
      for (int64_t agent = 0; agent < agents; ++agent) {
        const int64_t row = (is_final ? state - seen : state) * agents + agent;
        const float* const by_target = targets.data() + group.ValuesAt(agent, state - first, states - first);
        const float* const by_own = own.data() + group.ValuesAt(agent, state, states);
        const int64_t best = BestAction(settings_.double_q() ? by_own : by_target, masks + row * actions, actions);
        (*next)[step * num_agents_ + group.first + agent] = alive[row] != 0 ? by_target[best] : 0.0f;
      }
    }
  }
}

QLearning::Slopes QLearning::AgentsSlopes(const ValueSample& sample, const std::vector<float>& chosen,
                                          const std::vector<float>& next, Figures* figures) const {
  const auto scale = static_cast<float>(settings_.reward_scale());
  Slopes found{std::vector<float>(chosen.size()), std::vector<float>(sample.steps())};
  std::vector<float> living(sample.steps());
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ValuedGroup& group = groups_[g];
    const int64_t agents = group.policy.num_agents;
    for (int64_t i = 0; i < sample.steps() * agents; ++i) {
      const int64_t step = i / agents, at = step * num_agents_ + group.first + i % agents;
      if (sample.states.groups[g].alive[i] == 0 || sample.weights[step] == 0) continue;
      const float target = scale * sample.rewards[g][i] + sample.discounts[step] * next[at];
      const float error = figures->Note(chosen[at], target);
      found.slopes[at] = sample.weights[step] * error;
      found.errors[step] += std::fabs(error);
      living[step] += 1;
    }
  }
  for (size_t step = 0; step < living.size(); ++step) found.errors[step] /= std::max(1.0f, living[step]);
  return found;
}

QLearning::Slopes QLearning::FindSlopes(const ValueSample& sample, const std::vector<float>& chosen,
                                        const std::vector<float>& next, Figures* figures) {
  if (total_ == Total::kEachAgent) return AgentsSlopes(sample, chosen, next, figures);
  // The team's values, sums or what the mixing networks make of them, at the joint steps that are trained on.
  std::vector<int64_t> trained, next_states;
  for (int64_t step = 0; step < sample.steps(); ++step) {
    if (sample.weights[step] == 0) continue;
    trained.push_back(step);
    next_states.push_back(sample.next_states[step]);
  }
  const auto rows = static_cast<int64_t>(trained.size());
  const std::vector<float> own = Pick(chosen, num_agents_, trained), best = Pick(next, num_agents_, trained);
  std::vector<float> states, targets;
  if (mixer_ == nullptr) {
    targets = SumsOf(best, num_agents_);
  } else {
    const int64_t width = state_layout_.stack.input_size;
    std::vector<float> all(sample.num_states() * width);
    WriteCriticInputs(state_layout_, context_.environment, sample.states, all.data());
    states = Pick(all, width, trained);
    targets = mixer_->TargetTotals({best.data(), Pick(all, width, next_states).data(), rows});
  }
  const auto scale = static_cast<float>(settings_.reward_scale());
  std::vector<float> weights(rows);
  for (int64_t i = 0; i < rows; ++i) {
    targets[i] = scale * sample.team_rewards[trained[i]] + sample.discounts[trained[i]] * targets[i];
    weights[i] = sample.weights[trained[i]];
  }
  MonotonicMixer::Gradient gradient;
  if (mixer_ == nullptr) {
    gradient.totals = SumsOf(own, num_agents_);
  } else {
    gradient = mixer_->Differentiate({own.data(), states.data(), rows, weights.data()}, targets);
  }
  Slopes found{std::vector<float>(chosen.size()), std::vector<float>(sample.steps())};
  for (int64_t i = 0; i < rows; ++i) {
    const float error = figures->Note(gradient.totals[i], targets[i]);
    found.errors[trained[i]] = error;
    float* const slopes = found.slopes.data() + trained[i] * num_agents_;
    if (mixer_ == nullptr) {
      std::fill_n(slopes, num_agents_, weights[i] * error);
    } else {
      std::copy_n(gradient.slopes.begin() + i * num_agents_, num_agents_, slopes);
    }
  }
  return found;
}

}  // namespace troupe
