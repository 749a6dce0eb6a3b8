// MADDPG's gradient steps.
#include <algorithm>
#include <utility>

#include "common/base/random.h"
#include "learner/algorithms/maddpg.h"
#include "learner/arithmetic/objectives/chosen_output.h"

namespace troupe {
namespace {

// What a joint step's key is mixed with.
enum Noise : uint64_t { kActorNoise = 0x6e, kTargetNoise = 0x74 };

std::vector<uint64_t> KeysFor(Noise use, const std::vector<uint64_t>& of_steps) {
  std::vector<uint64_t> keys;
  for (const uint64_t key : of_steps) keys.push_back(MixKey({key, use}));
  return keys;
}

// Empty where nothing was drawn, of several ranks' steps.
std::vector<float> Infer(Arithmetic* arithmetic, size_t network, int64_t steps) {
  std::vector<float> outputs;
  if (steps > 0) arithmetic->Infer(network, &outputs);
  return outputs;
}

}  // namespace

void Maddpg::Step(const ReplayShare& share, uint64_t key, double decay, Figures* figures) {
  const Drawn drawn = Draw(share, key);
  SendActorRows(drawn);
  StepCritics(drawn, decay, figures);
  ++steps_taken_;
  if (!MovesActors()) return;
  StepActors(drawn, decay, figures);
  FollowWithTargets();
}

Maddpg::Drawn Maddpg::Draw(const ReplayShare& share, uint64_t key) const {
  const std::vector<ReplayPlace> places = replay_.Draw(key, settings_.minibatch_size(), share);
  Drawn drawn{.sample = GatherSample(replay_, places,
                                     {.n = static_cast<int>(settings_.n_step()),
                                      .discount = settings_.discount(),
                                      .team_reward = context_.experiment.critic().team_reward()}),
              .keys = {},
              .states = {},
              .actions = {}};
  // By the place among all ranks', so that who holds it does not matter.
  for (const ReplayPlace& place : places) {
    drawn.keys.push_back(MixKey(
        {key, place.batch, static_cast<uint64_t>(place.step), static_cast<uint64_t>(share.first + place.column)}));
  }
  const int64_t steps = drawn.steps();
  drawn.states.resize(2 * steps * critic_.state.stack.input_size);
  WriteCriticInputs(critic_.state, context_.environment, drawn.sample.states, drawn.states.data());
  drawn.actions.resize(steps * layout_.size());
  for (size_t g = 0; g < groups_.size(); ++g) {
    WriteRecordedActions(layout_, groups_[g], drawn.sample.states.groups[g], steps, drawn.actions.data());
  }
  return drawn;
}

void Maddpg::SendActorRows(const Drawn& drawn) {
  const int64_t steps = drawn.steps();
  actors_->BeginRows(nullptr);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const PolicySpec& policy = groups_[g].policy;
    const float* const observations = drawn.sample.states.groups[g].observations.data();
    for (const bool is_target : {false, true}) {
      const size_t network = is_target ? TargetActor(g) : g;
      const RowMemory to = actors_->Rows(network, steps, is_target ? 0 : steps);
      const int64_t first = is_target ? steps * policy.num_agents * policy.observation_size : 0;
      WriteActorInputs(policy, groups_[g].map, observations + first, nullptr, steps, 0, steps, to.inputs);
      actors_->SendRows(network);
    }
  }
  actors_->UseRows();
}

std::vector<float> Maddpg::TargetActions(const Drawn& drawn) {
  const int64_t steps = drawn.steps();
  const std::vector<uint64_t> keys = KeysFor(kTargetNoise, drawn.keys);
  ActingRules rules{.temperature = settings_.temperature(), .keys = keys.data()};
  if (has_twins_) {
    rules.deviation = settings_.target_noise();
    rules.clip = settings_.target_noise_clip();
  }
  std::vector<float> actions(steps * layout_.size()), relaxed;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const GroupBatch& group = drawn.sample.states.groups[g];
    const int64_t seen = steps * groups_[g].policy.num_agents;
    const std::vector<float> outputs = Infer(actors_.get(), TargetActor(g), steps);
    WriteActorActions(
        layout_, groups_[g],
        {.outputs = outputs.data(),
         .masks = group.action_masks.empty() ? nullptr : group.action_masks.data() + group.action_masks.size() / 2,
         .alive = group.alive.data() + seen,
         .steps = steps},
        rules, actions.data(), &relaxed);
  }
  return actions;
}

std::vector<float> Maddpg::Targets(const Drawn& drawn) {
  const int64_t steps = drawn.steps(), sets = critic_.stack.num_sets;
  const auto scale = static_cast<float>(settings_.reward_scale());
  std::vector<float> next = Infer(critics_.get(), TargetCritic(0), steps), targets(sets * steps);
  if (has_twins_) {
    const std::vector<float> other = Infer(critics_.get(), TargetCritic(1), steps);
    for (size_t i = 0; i < next.size(); ++i) next[i] = std::min(next[i], other[i]);
  }
  if (!critic_.each_agent) {
    for (int64_t i = 0; i < steps; ++i) {
      targets[i] = scale * drawn.sample.team_rewards[i] + drawn.sample.discounts[i] * next[i];
    }
    return targets;
  }
  for (const ValuedGroup& group : groups_) {
    const GroupBatch& batch = drawn.sample.states.groups[&group - groups_.data()];
    const int64_t agents = group.policy.num_agents;
    for (int64_t i = 0; i < steps * agents; ++i) {
      const int64_t step = i / agents, at = (group.first + i % agents) * steps + step;
      const float follows = batch.alive[steps * agents + i] != 0 ? next[at] : 0.0f;
      targets[at] = scale * batch.rewards[i] + drawn.sample.discounts[step] * follows;
    }
  }
  return targets;
}

void Maddpg::StepCritics(const Drawn& drawn, double decay, Figures* figures) {
  const int64_t steps = drawn.steps(), sets = critic_.stack.num_sets, row = critic_.stack.input_size;
  const std::vector<float> next_actions = TargetActions(drawn);
  critics_->BeginRows(nullptr);
  for (size_t n = 0; n < 2 * num_critics(); ++n) {
    const bool is_target = n >= num_critics();
    const RowMemory to = critics_->Rows(n, steps, is_target ? 0 : steps);
    const float* const states = drawn.states.data() + (is_target ? drawn.states.size() / 2 : 0);
    WriteJointRows(critic_, states, (is_target ? next_actions : drawn.actions).data(), steps, to.inputs);
    for (int64_t set = 1; set < sets; ++set) std::copy_n(to.inputs, steps * row, to.inputs + set * steps * row);
    critics_->SendRows(n);
  }
  critics_->UseRows();
  const std::vector<float> targets = Targets(drawn);
  // Which agents' values count where.
  std::vector<uint8_t> counts(sets * steps, 1);
  for (const ValuedGroup& group : groups_) {
    const GroupBatch& batch = drawn.sample.states.groups[&group - groups_.data()];
    const int64_t agents = group.policy.num_agents;
    for (int64_t i = 0; critic_.each_agent && i < steps * agents; ++i) {
      counts[(group.first + i % agents) * steps + i / agents] = batch.alive[i];
    }
  }
  Epoch epoch;
  epoch.minibatches = {std::vector<int64_t>(steps)};
  for (size_t k = 0; k < num_critics(); ++k) {
    const std::vector<float> values = Infer(critics_.get(), k, steps);
    float* field = critics_->fields(k);
    for (int64_t i = 0; i < sets * steps; ++i, field += ChosenOutputRow::kCount) {
      const float error = values[i] - targets[i];
      field[ChosenOutputRow::kAction] = 0;
      field[ChosenOutputRow::kSlope] = error;
      field[ChosenOutputRow::kAlive] = counts[i] != 0 ? 1.0f : 0.0f;
      if (counts[i] == 0) continue;
      figures->squared_errors += double{error} * error;
      figures->chosen += values[i];
      figures->targets += targets[i];
      figures->errors += 1;
    }
    critics_->LoadFields(k);
    // Losses are means over the joint steps that all ranks have drawn.
    epoch.networks.push_back({.learning_rate = decay * settings_.critic_learning_rate(),
                              .denominators = std::vector<double>(sets, settings_.minibatch_size())});
  }
  epoch.networks.resize(2 * num_critics());
  critics_->RunEpoch(epoch);
}

void Maddpg::StepActors(const Drawn& drawn, double decay, Figures* figures) {
  const int64_t steps = drawn.steps(), size = layout_.size();
  const std::vector<uint64_t> keys = KeysFor(kActorNoise, drawn.keys);
  ActingRules rules{.temperature = settings_.temperature(), .keys = keys.data()};
  std::vector<float> acted(steps * size);
  std::vector<std::vector<float>> outputs(groups_.size()), relaxed(groups_.size());
  for (size_t g = 0; g < groups_.size(); ++g) {
    const GroupBatch& group = drawn.sample.states.groups[g];
    outputs[g] = Infer(actors_.get(), g, steps);
    rules.relaxes_without_noise = FollowsValues(groups_[g]);
    WriteActorActions(layout_, groups_[g],
                      {.outputs = outputs[g].data(),
                       .masks = group.action_masks.empty() ? nullptr : group.action_masks.data(),
                       .alive = group.alive.data(),
                       .steps = steps},
                      rules, acted.data(), &relaxed[g]);
  }
  const std::vector<float> slopes = ActionSlopes(drawn, acted, figures);
  Epoch epoch;
  epoch.minibatches = {std::vector<int64_t>(steps)};
  for (size_t g = 0; g < groups_.size(); ++g) {
    const PolicySpec& policy = groups_[g].policy;
    const std::vector<uint8_t>& alive = drawn.sample.states.groups[g].alive;
    const int64_t width = policy.action_size;
    const auto penalty = static_cast<float>(2 * settings_.output_penalty() / static_cast<double>(width));
    float* const fields = actors_->fields(g);
    std::fill_n(fields, outputs[g].size(), 0.0f);
    std::vector<float> downhill(width);
    std::vector<double> denominators(policy.stack.num_sets, 0);
    for (const int set : policy.set_of_agent) denominators[set] += settings_.minibatch_size();
    for (int64_t i = 0; i < steps * policy.num_agents; ++i) {
      if (alive[i] == 0) continue;
      const int64_t step = i / policy.num_agents, agent = i % policy.num_agents;
      const int64_t at = groups_[g].ValuesAt(agent, step, steps);
      const float* const uphill = slopes.data() + step * size + layout_.At(groups_[g], agent);
      std::transform(uphill, uphill + width, downhill.begin(), [](float slope) { return -slope; });
      ActorSlopes(policy, rules.temperature, relaxed[g].data() + at, downhill.data(), fields + at);
      for (int64_t j = at; j < at + width; ++j) fields[j] += penalty * outputs[g][j];
    }
    actors_->LoadFields(g);
    epoch.networks.push_back(
        {.learning_rate = decay * settings_.actor_learning_rate(), .denominators = std::move(denominators)});
  }
  epoch.networks.resize(2 * groups_.size());
  actors_->RunEpoch(epoch);
}

void Maddpg::FollowWithTargets() {
  for (size_t g = 0; g < groups_.size(); ++g) actors_->Blend(g, TargetActor(g), settings_.target_rate());
  for (size_t k = 0; k < num_critics(); ++k) critics_->Blend(k, TargetCritic(k), settings_.target_rate());
}

}  // namespace troupe
