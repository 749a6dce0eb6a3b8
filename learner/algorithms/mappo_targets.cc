// What Mappo learns from: rows, values, targets and advantages of a batch.
#include <algorithm>
#include <cmath>

#include "learner/algorithms/mappo.h"
#include "learner/algorithms/modules/timeline.h"
#include "learner/algorithms/modules/trained_rows.h"
#include "learner/arithmetic/objectives/loss_rows.h"

namespace troupe {
namespace {

// Mean 0 and deviation 1 over the entries that are trained on, of all ranks. Entry i is of stream i % streams; each
// stream is normalised by itself.
void Normalize(const std::vector<uint8_t>& trained, int64_t streams, Collective* ranks, std::vector<float>* values) {
  const auto each = [&](auto&& body) {
    for (int64_t i = 0; i < static_cast<int64_t>(values->size()); ++i) {
      if (trained[i] != 0) body(i % streams, (*values)[i]);
    }
  };
  std::vector<double> sums(2 * streams), means(streams), squares(streams), scales(streams);
  each([&](int64_t stream, float value) { sums[stream] += value, sums[streams + stream] += 1; });
  ranks->Sum(absl::MakeSpan(sums));
  for (int64_t s = 0; s < streams; ++s) means[s] = sums[s] / sums[streams + s];
  each([&](int64_t stream, float value) { squares[stream] += (value - means[stream]) * (value - means[stream]); });
  ranks->Sum(absl::MakeSpan(squares));
  for (int64_t s = 0; s < streams; ++s) scales[s] = 1.0 / (std::sqrt(squares[s] / sums[streams + s]) + 1e-5);
  each([&](int64_t stream, float& value) { value = static_cast<float>((value - means[stream]) * scales[stream]); });
}

}  // namespace

void Mappo::SendRows(const TrainingBatch& batch) {
  if (recurrent_) timeline_ = MakeTimeline(batch, context_.experiment.collection().sequence_length());
  arithmetic_->BeginRows(timeline_);
  const int64_t steps = batch.env_steps();
  const int64_t states = static_cast<int64_t>(batch.rollout_length + 1) * batch.columns +
                         static_cast<int64_t>(batch.truncated_at.size()) / 2;
  for (size_t g = 0; g < actors_.size(); ++g) {
    const Actor& actor = actors_[g];
    const RowMemory memory = arithmetic_->Rows(g, steps, steps);
    WriteActorRows(actor.policy, actor.map, PartOf(batch, g), steps, memory);
    if (actor.policy.stack.is_recurrent()) {
      WriteActorStates(actor.policy, actor.map, PartOf(batch, g), timeline_->num_sequences(), memory);
    }
    arithmetic_->SendRows(g);
  }
  for (size_t c = 0; c < critics_.size(); ++c) {
    const RowMemory memory = arithmetic_->Rows(CriticNetwork(c), states, steps);
    WriteCriticInputs(critics_[c].layout, options_.environment(), batch, memory.inputs);
    if (memory.remembered != nullptr) critics_[c].states.Read(batch, memory.remembered);
    arithmetic_->SendRows(CriticNetwork(c));
  }
}

void Mappo::UseRows(const TrainingBatch& batch) {
  if (std::exchange(sent_ahead_, nullptr) != &batch) SendRows(batch);
  arithmetic_->UseRows();
  for (size_t g = 0; g < actors_.size(); ++g) {
    Actor& actor = actors_[g];
    actor.trained = TrainedRows(PartOf(batch, g), actor.frozen);
    actor.living = LivingAgents(actor.map, actor.trained, batch.env_steps());
  }
}

std::vector<std::vector<float>> Mappo::CorrectLag(const TrainingBatch& batch) {
  std::vector<std::vector<float>> importance;
  if (lag_correction_ == NONE && ppo_.target_kl() <= 0) return importance;
  std::vector<float> outputs;
  const auto cap = static_cast<float>(ppo_.importance_cap());
  for (size_t g = 0; g < actors_.size(); ++g) {
    Actor& actor = actors_[g];
    const GroupBatch& part = PartOf(batch, g);
    arithmetic_->Infer(g, &outputs);
    actor.start_log_probabilities =
        ActionLogProbabilities(actor.policy, actor.map, part, batch.env_steps(), outputs, arithmetic_->Free(g));
    if (lag_correction_ == NONE) continue;
    std::vector<float> ratios = actor.start_log_probabilities;
    for (size_t i = 0; i < ratios.size(); ++i) {
      // Who is not trained may have acted by another policy altogether.
      const bool out = actor.trained[i] == 0 && part.alive[i] != 0;
      ratios[i] = out ? 1.0f : std::exp(ratios[i] - part.log_probabilities[i]);
    }
    if (lag_correction_ == V_TRACE) {
      importance.push_back(std::move(ratios));
      continue;
    }
    actor.capped = 0;
    for (size_t i = 0; i < ratios.size(); ++i) {
      actor.capped += actor.trained[i] != 0 && ratios[i] > cap;
      ratios[i] = std::min(ratios[i], cap);
    }
    actor.importance = std::move(ratios);
  }
  return importance;
}

void Mappo::Estimate(const TrainingBatch& batch, const std::vector<std::vector<float>>& importance) {
  const RewardSettings reward{.scale = ppo_.reward_scale(),
                              .team = context_.experiment.critic().team_reward(),
                              .bootstrap_dead = ppo_.dead_agents() != ZERO};
  for (size_t c = 0; c < critics_.size(); ++c) {
    Critic& critic = critics_[c];
    arithmetic_->Infer(CriticNetwork(c), &critic.values);
    if (critic.layout.stack.is_recurrent()) critic.states.Keep(batch, arithmetic_->RememberedLast(CriticNetwork(c)));
    std::vector<float> values = critic.values;
    const double mean = critic.value_norm.mean(), deviation = critic.value_norm.deviation();
    for (float& value : values) value = static_cast<float>(value * deviation + mean);
    critic.streams = MakeValueStreams(critic.layout, options_.environment(), batch, reward, values, importance);
    const double discount =
        critic.of_managers && ppo_.has_manager_discount() ? ppo_.manager_discount() : ppo_.discount();
    critic.estimates =
        critic.of_managers
            ? ChoiceAdvantages(critic.streams, options_.Choices(critic.layout, batch), discount, ppo_.gae_lambda())
        : lag_correction_ == V_TRACE
            ? VTrace(critic.streams, discount, ppo_.gae_lambda(), ppo_.vtrace_rho_clip(), ppo_.vtrace_c_clip())
            : GeneralizedAdvantages(critic.streams, discount, ppo_.gae_lambda());
    LeaveOutValues(critic.layout, LeftOut(critic.of_managers), batch, &critic.streams.active);
    const int64_t columns = critic.layout.columns();
    critic.active.assign(batch.env_steps(), 0);
    for (int64_t i = 0; i < batch.env_steps() * columns; ++i) {
      critic.active[i / columns] += critic.streams.active[i] != 0;
    }
  }
}

std::vector<TargetSums> Mappo::SumTargets() const {
  std::vector<TargetSums> sums;
  for (const Critic& critic : critics_) {
    sums.push_back(TargetSums::Of(critic.estimates.targets, critic.streams.values, critic.streams.active));
  }
  SumOverRanks(&ranks_, &sums);
  return sums;
}

void Mappo::WriteValueRows(size_t c, const std::vector<const ValueNorm*>& norms) {
  const Critic& critic = critics_[c];
  const std::vector<float>& targets = critic.estimates.targets;
  const int64_t columns = critic.layout.columns(), steps = static_cast<int64_t>(norms.size());
  float* row = arithmetic_->fields(CriticNetwork(c));
  for (int64_t step = 0; step < steps; ++step) {
    const double mean = norms[step]->mean(), scale = 1.0 / norms[step]->deviation();
    for (int64_t i = step * columns; i < (step + 1) * columns; ++i, row += ValueRow::kCount) {
      row[ValueRow::kOldValue] = critic.values[i];
      row[ValueRow::kTarget] = static_cast<float>((targets[i] - mean) * scale);
      row[ValueRow::kActive] = critic.streams.active[i] != 0 ? 1.0f : 0.0f;
    }
  }
  arithmetic_->LoadFields(CriticNetwork(c));
}

void Mappo::WriteValueRowsByMinibatch(const std::vector<std::vector<int64_t>>& minibatches) {
  std::vector<TargetSums> sums;  // [critics][minibatches]
  for (const Critic& critic : critics_) {
    for (const std::vector<int64_t>& minibatch : minibatches) {
      sums.push_back(TargetSums::OfSteps(critic.estimates.targets, critic.streams.values, critic.streams.active,
                                         critic.layout.columns(), minibatch));
    }
  }
  SumOverRanks(&ranks_, &sums);
  for (size_t c = 0; c < critics_.size(); ++c) {
    // The targets alone move the normaliser, so that where it will stand at each minibatch is known beforehand.
    std::vector<ValueNorm> stages(minibatches.size(), critics_[c].value_norm);
    std::vector<const ValueNorm*> norms(critics_[c].active.size(), &critics_[c].value_norm);
    for (size_t m = 0; m < minibatches.size(); ++m) {
      if (m > 0) stages[m] = stages[m - 1];
      stages[m].Update(sums[c * minibatches.size() + m]);
      for (const int64_t step : minibatches[m]) norms[step] = &stages[m];
    }
    WriteValueRows(c, norms);
    critics_[c].value_norm.set_state(stages.back().state());
  }
}

void Mappo::WriteActorTargets(size_t number, const TrainingBatch& batch, const std::vector<float>& advantages) {
  const Actor& actor = actors_[number];
  WritePolicyRows(actor.policy, actor.map, PartOf(batch, number), batch.env_steps(),
                  {.trained = &actor.trained,
                   .reference_log_probabilities = &ReferenceLogProbabilities(number, batch),
                   .importance = lag_correction_ == DECOUPLED ? &actor.importance : nullptr,
                   .advantages = &advantages},
                  arithmetic_->fields(number));
  arithmetic_->LoadFields(number);
}

const std::vector<float>& Mappo::ReferenceLogProbabilities(size_t number, const TrainingBatch& batch) const {
  return lag_correction_ == DECOUPLED ? actors_[number].start_log_probabilities
                                      : PartOf(batch, number).log_probabilities;
}

std::vector<float> Mappo::AdvantagesOf(size_t number, const TrainingBatch& batch) const {
  const Actor& actor = actors_[number];
  const int64_t agents = actor.policy.num_agents, steps = batch.env_steps();
  std::vector<float> advantages(steps * agents);
  for (const Critic& critic : critics_) {
    if (critic.of_managers != actor.manages) continue;
    const CriticLayout& layout = critic.layout;
    const int64_t columns = layout.columns();
    const float* from = critic.estimates.advantages.data();
    for (int64_t column = 0; column < columns; ++column) {
      if (layout.team ? !layout.is_team_of(actor.group) : layout.agents[column].first != actor.group) continue;
      for (int64_t step = 0; step < steps; ++step) {
        const float advantage = from[step * columns + column];
        float* to = advantages.data() + step * agents;
        if (layout.team) {
          std::fill(to, to + agents, advantage);
        } else {
          to[layout.agents[column].second] = advantage;
        }
      }
    }
  }
  if (!ppo_.advantage_normalization()) return advantages;
  Normalize(actor.trained, ppo_.advantage_normalization_per_agent() ? agents : 1, &ranks_, &advantages);
  return advantages;
}

}  // namespace troupe
