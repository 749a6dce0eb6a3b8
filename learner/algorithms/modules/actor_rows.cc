#include "learner/algorithms/modules/actor_rows.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/objectives/losses.h"

namespace troupe {
namespace {

constexpr int64_t kStepsPerForward = 4096;

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

ActorRows::ActorRows(const PolicySpec& policy, const GroupBatch& batch, int64_t steps, at::Device device,
                     UploadBuffers* upload)
    : map_(policy),
      steps_(steps),
      agents_(policy.num_agents),
      input_size_(policy.stack.input_size),
      actions_(policy.action_size),
      living_(steps, 0) {
  const int64_t observation = policy.observation_size, slots = map_.slots;
  const auto host = [&](int64_t width, at::ScalarType type) {
    const std::array<int64_t, 3> sizes = {map_.sets, steps, slots * width};
    return upload == nullptr ? at::empty(sizes, type) : upload->Host(sizes, type);
  };
  const auto send = [&](const at::Tensor& filled) {
    return upload == nullptr ? filled.to(device) : upload->Send(filled);
  };
  const at::Tensor inputs = host(input_size_, at::kFloat), masks = host(actions_, at::kByte),
                   rows = host(PolicyRow::kCount, at::kFloat);
  float* input_data = inputs.data_ptr<float>();
  uint8_t* mask_data = masks.data_ptr<uint8_t>();
  float* row_data = rows.data_ptr<float>();
  ParallelFor(steps, [&](int, int64_t begin, int64_t end) {
    for (int64_t place = 0; place < map_.sets * slots; ++place) {
      const int agent = map_.agent_of[place];
      for (int64_t step = begin; step < end; ++step) {
        const int64_t to = ((place / slots) * steps + step) * slots + place % slots;
        float* input = input_data + to * input_size_;
        float* row = row_data + to * PolicyRow::kCount;
        if (agent == SlotMap::kPadding) {
          std::fill(input, input + input_size_, 0.0f);
          std::memset(mask_data + to * actions_, 1, actions_);
          std::fill(row, row + PolicyRow::kCount, 0.0f);
          continue;
        }
        const int64_t from = step * agents_ + agent;
        std::memcpy(input, batch.observations.data() + from * observation, observation * sizeof(float));
        if (policy.agent_id_input) {
          std::fill(input + observation, input + input_size_, 0.0f);
          input[observation + agent] = 1.0f;
        }
        std::memcpy(mask_data + to * actions_, batch.action_masks.data() + from * actions_, actions_);
        row[PolicyRow::kAction] = static_cast<float>(batch.discrete_actions[from]);
        row[PolicyRow::kReferenceLogProb] = batch.log_probabilities[from];
        row[PolicyRow::kImportance] = 1.0f;
        row[PolicyRow::kAdvantage] = 0.0f;
        row[PolicyRow::kAlive] = batch.alive[from] != 0 ? 1.0f : 0.0f;
      }
    }
    for (int64_t step = begin; step < end; ++step) {
      for (int64_t agent = 0; agent < agents_; ++agent) living_[step] += batch.alive[step * agents_ + agent] != 0;
    }
  });
  inputs_ = send(inputs);
  masks_ = send(masks);
  rows_ = send(rows);
}

std::vector<float> ActorRows::LogProbabilities(const DenseStack& actor) const {
  return LogProbabilities([&](const at::Tensor& inputs) { return actor.Forward(inputs); });
}

std::vector<float> ActorRows::LogProbabilities(const std::function<at::Tensor(const at::Tensor&)>& logits) const {
  const at::NoGradGuard no_gradient;
  std::vector<float> values(steps_ * agents_);
  for (int64_t first = 0; first < steps_; first += kStepsPerForward) {
    const int64_t count = std::min(kStepsPerForward, steps_ - first);
    const ActorMinibatch part = Slice(first, count);
    const at::Tensor chosen =
        ActionLogProbabilities(logits(part.inputs), part.masks, part.rows).to(at::kCPU).contiguous();
    const float* data = chosen.const_data_ptr<float>();
    for (int64_t place = 0; place < rows_per_step(); ++place) {
      const int agent = map_.agent_of[place];
      if (agent == SlotMap::kPadding) continue;
      const float* from = data + (place / map_.slots) * count * map_.slots + place % map_.slots;
      for (int64_t step = 0; step < count; ++step) values[(first + step) * agents_ + agent] = from[step * map_.slots];
    }
  }
  return values;
}

void ActorRows::SetColumn(int column, const std::vector<float>& values) {
  const at::Tensor host = at::zeros({map_.sets, steps_, map_.slots}, at::kFloat);
  float* data = host.data_ptr<float>();
  for (int64_t place = 0; place < rows_per_step(); ++place) {
    const int agent = map_.agent_of[place];
    if (agent == SlotMap::kPadding) continue;
    float* to = data + (place / map_.slots) * steps_ * map_.slots + place % map_.slots;
    for (int64_t step = 0; step < steps_; ++step) to[step * map_.slots] = values[step * agents_ + agent];
  }
  rows_.view({map_.sets, steps_, map_.slots, PolicyRow::kCount}).select(-1, column).copy_(host);
}

BlockRows ActorRows::blocks() const {
  return {.x = inputs_.const_data_ptr<float>(), .rows_in_set = steps_ * map_.slots, .rows_per_step = map_.slots};
}

ActorMinibatch ActorRows::Shaped(const at::Tensor& inputs, const at::Tensor& masks, const at::Tensor& rows) const {
  return {inputs.reshape({map_.sets, -1, input_size_}), masks.reshape({map_.sets, -1, actions_}),
          rows.reshape({map_.sets, -1, PolicyRow::kCount})};
}

ActorMinibatch ActorRows::Select(const at::Tensor& indices) const {
  return Shaped(inputs_.index_select(1, indices), masks_.index_select(1, indices), rows_.index_select(1, indices));
}

ActorMinibatch ActorRows::Slice(int64_t first, int64_t count) const {
  return Shaped(inputs_.narrow(1, first, count), masks_.narrow(1, first, count), rows_.narrow(1, first, count));
}

}  // namespace troupe
