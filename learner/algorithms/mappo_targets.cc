// What Mappo learns from: values, targets and advantages of a batch.
#include <algorithm>
#include <array>
#include <cmath>

#include "learner/algorithms/mappo.h"

namespace troupe {
namespace {

// States that pass through a critic at once when values are wanted alone.
constexpr int64_t kStatesPerForward = 4096;

// Mean 0 and deviation 1 over the entries of living agents of all ranks. Entry i is of stream i % streams; each stream
// is normalised by itself.
void Normalize(const std::vector<uint8_t>& alive, int64_t streams, Collective* ranks, std::vector<float>* values) {
  const auto each = [&](auto&& body) {
    for (int64_t i = 0; i < static_cast<int64_t>(values->size()); ++i) {
      if (alive[i] != 0) body(i % streams, (*values)[i]);
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

std::vector<std::vector<float>> Mappo::CorrectLag(const TrainingBatch& batch,
                                                  std::vector<ActorRows>* actor_rows) const {
  std::vector<std::vector<float>> importance;
  for (size_t g = 0; lag_correction_ != NONE && g < actors_.size(); ++g) {
    const ActorRows& rows = (*actor_rows)[g];
    const std::vector<float> proximal =
        device_side_ == nullptr
            ? rows.LogProbabilities(actors_[g].stack)
            : rows.LogProbabilities([&](const at::Tensor& inputs) { return device_side_->step.Infer(g, inputs); });
    importance.push_back(proximal);
    for (size_t i = 0; i < proximal.size(); ++i) {
      importance[g][i] = std::exp(proximal[i] - batch.groups[g].log_probabilities[i]);
    }
    if (lag_correction_ != DECOUPLED) continue;
    (*actor_rows)[g].SetColumn(PolicyRow::kReferenceLogProb, proximal);
    (*actor_rows)[g].SetColumn(PolicyRow::kImportance, importance[g]);
  }
  if (lag_correction_ != V_TRACE) importance.clear();
  return importance;
}

Mappo::BatchInputs Mappo::MakeInputs(const TrainingBatch& batch) const {
  UploadBuffers* const uploads = device_side_ == nullptr ? nullptr : &device_side_->uploads;
  if (uploads != nullptr) uploads->Begin();
  BatchInputs inputs;
  for (size_t g = 0; g < actors_.size(); ++g) {
    inputs.actors.emplace_back(actors_[g].policy, batch.groups[g], batch.env_steps(), device_, uploads);
  }
  const int64_t states = static_cast<int64_t>(batch.rollout_length + 1) * batch.columns +
                         static_cast<int64_t>(batch.truncated_at.size()) / 2;
  for (const Critic& critic : critics_) {
    const int64_t width = int64_t{critic.layout.rows_per_step} * critic.layout.stack.input_size;
    const std::array<int64_t, 2> sizes = {states, width};
    const at::Tensor host = uploads == nullptr ? at::empty(sizes, at::kFloat) : uploads->Host(sizes, at::kFloat);
    WriteCriticInputs(critic.layout, context_.environment, batch, host.data_ptr<float>());
    inputs.critics.push_back(uploads == nullptr ? host : uploads->Send(host));
  }
  return inputs;
}

Mappo::CriticData Mappo::Evaluate(size_t critic, const at::Tensor& inputs) {
  const at::NoGradGuard no_gradient;
  const CriticLayout& layout = critics_[critic].layout;
  const int64_t states = inputs.size(0);
  CriticData data;
  data.inputs = inputs;
  if (device_side_ != nullptr) {
    const at::Tensor values =
        device_side_->step.Infer(actors_.size() + critic, inputs.reshape({1, -1, layout.stack.input_size}))
            .to(at::kCPU);
    data.values.assign(values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel());
    return data;
  }
  if (blocks_ != nullptr) {
    data.values.resize(states * layout.rows_per_step * layout.stack.output_size);
    blocks_->Begin(critic,
                   {.x = data.inputs.const_data_ptr<float>(),
                    .rows_in_set = states * layout.rows_per_step,
                    .rows_per_step = layout.rows_per_step,
                    .num_steps = states},
                   {});
    blocks_->Forward(critic, data.values.data());
    return data;
  }
  for (int64_t first = 0; first < states; first += kStatesPerForward) {
    const int64_t count = std::min(kStatesPerForward, states - first);
    const at::Tensor x = data.inputs.narrow(0, first, count).reshape({1, -1, layout.stack.input_size});
    const at::Tensor y = critics_[critic].stack.Forward(x).contiguous();
    data.values.insert(data.values.end(), y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel());
  }
  return data;
}

void Mappo::Estimate(const Critic& critic, const TrainingBatch& batch,
                     const std::vector<std::vector<float>>& importance, CriticData* data) const {
  std::vector<float> values = data->values;
  const double mean = critic.value_norm.mean(), deviation = critic.value_norm.deviation();
  for (float& value : values) value = static_cast<float>(value * deviation + mean);
  const RewardSettings reward{.scale = ppo_.reward_scale(),
                              .team = context_.experiment.critic().team_reward(),
                              .bootstrap_dead = ppo_.dead_agents() != ZERO};
  data->streams = MakeValueStreams(critic.layout, context_.environment, batch, reward, values, importance);
  data->estimates =
      lag_correction_ == V_TRACE
          ? VTrace(data->streams, ppo_.discount(), ppo_.gae_lambda(), ppo_.vtrace_rho_clip(), ppo_.vtrace_c_clip())
          : GeneralizedAdvantages(data->streams, ppo_.discount(), ppo_.gae_lambda());
}

std::vector<TargetSums> Mappo::SumTargets(const std::vector<CriticData>& data) const {
  std::vector<TargetSums> sums;
  std::vector<double> flat;
  for (const CriticData& one : data) {
    sums.push_back(TargetSums::Of(one.estimates.targets, one.streams.values, one.streams.active));
    flat.insert(flat.end(), sums.back().sums.begin(), sums.back().sums.end());
  }
  ranks_.Sum(absl::MakeSpan(flat));
  for (size_t c = 0; c < sums.size(); ++c) {
    std::copy_n(flat.begin() + c * TargetSums::kSize, TargetSums::kSize, sums[c].sums.begin());
  }
  return sums;
}

void Mappo::FinishTargets(const TargetSums& sums, Critic* critic, CriticData* data) const {
  const std::vector<float>& targets = data->estimates.targets;
  critic->value_norm.Update(sums);
  const double mean = critic->value_norm.mean(), scale = 1.0 / critic->value_norm.deviation();
  const int64_t columns = critic->layout.columns(), steps = static_cast<int64_t>(targets.size()) / columns;
  data->active_per_step.assign(steps, 0);
  const at::Tensor host = at::empty({steps, columns * ValueRow::kCount}, at::kFloat);
  float* row = host.data_ptr<float>();
  for (int64_t i = 0; i < steps * columns; ++i, row += ValueRow::kCount) {
    row[ValueRow::kOldValue] = data->values[i];
    row[ValueRow::kTarget] = static_cast<float>((targets[i] - mean) * scale);
    row[ValueRow::kActive] = data->streams.active[i] != 0 ? 1.0f : 0.0f;
    data->active_per_step[i / columns] += data->streams.active[i] != 0;
  }
  data->rows = host.to(device_);
}

std::vector<float> Mappo::GroupAdvantages(int group, const TrainingBatch& batch,
                                          const std::vector<CriticData>& data) const {
  const int64_t agents = context_.policies[group].num_agents, steps = batch.env_steps();
  std::vector<float> advantages(steps * agents);
  for (size_t c = 0; c < critics_.size(); ++c) {
    const CriticLayout& layout = critics_[c].layout;
    const int64_t columns = layout.columns();
    const float* from = data[c].estimates.advantages.data();
    for (int64_t column = 0; column < columns; ++column) {
      if (!layout.team && layout.agents[column].first != group) continue;
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
  const std::vector<uint8_t>& alive = batch.groups[group].alive;
  Normalize(alive, ppo_.advantage_normalization_per_agent() ? agents : 1, &ranks_, &advantages);
  return advantages;
}

}  // namespace troupe
