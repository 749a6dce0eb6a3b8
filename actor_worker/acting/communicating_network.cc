#include "actor_worker/acting/communicating_network.h"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

// The network inside as a policy of its own, to which messages are numbers like others.
PolicySpec Inside(PolicySpec spec) {
  const MessageSpec messages = std::exchange(spec.stack.messages, {});
  if (!spec.neighbours.empty()) spec.observation_size += messages.num_inputs();
  spec.neighbours = {};
  spec.stack.output_size += messages.size;
  return spec;
}

// Both heads as one: columns of `left`, then those of `right`, in each of the last axis' rows.
HostTensor SideBySide(const HostTensor& left, const HostTensor& right) {
  const int64_t a = left.shape.back(), b = right.shape.back(), rows = left.num_elements() / a;
  std::vector<float> values(rows * (a + b));
  for (int64_t row = 0; row < rows; ++row) {
    float* const to = values.data() + row * (a + b);
    std::copy_n(left.floats() + row * a, a, to);
    std::copy_n(right.floats() + row * b, b, to + a);
  }
  std::vector<int64_t> shape = left.shape;
  shape.back() = a + b;
  return HostTensor::Float32(left.name, shape, values.data());
}

}  // namespace

void WriteHeard(const MessageSpec& spec, absl::Span<const float* const> messages, float* heard) {
  std::fill_n(heard, spec.num_inputs(), 0.0f);
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i] == nullptr) continue;
    if (spec.side_by_side) {
      std::copy_n(messages[i], spec.size, heard + i * spec.size);
    } else {
      for (int k = 0; k < spec.size; ++k) heard[k] += messages[i][k];
    }
  }
  if (spec.side_by_side || messages.empty()) return;
  const float share = 1.0f / static_cast<float>(messages.size());
  for (int k = 0; k < spec.size; ++k) heard[k] *= share;
}

CommunicatingNetwork::CommunicatingNetwork(const PolicySpec& spec, int copies)
    : spec_(spec), copies_(copies), network_(MakeNetwork(Inside(spec), copies)) {
  const size_t rows = size_t(copies) * spec.num_agents;
  messages_.reserve(spec.stack.messages.most_heard);
  if (!spec.neighbours.empty()) inputs_.resize(rows * (spec.observation_size + spec.stack.messages.num_inputs()));
  cells_.resize(rows * spec.stack.cell_state_size());
  said_.Resize(rows * spec.stack.messages.size);
  outputs_.resize(rows * spec.stack.output_size);
}

void CommunicatingNetwork::SetParameters(absl::Span<const HostTensor> tensors) {
  // The last four are the heads' weights and biases.
  const size_t heads = spec_.stack.Parameters().size() - 4;
  std::vector<HostTensor> inside(tensors.begin(), tensors.begin() + heads);
  inside.push_back(SideBySide(tensors[heads], tensors[heads + 2]));
  inside.push_back(SideBySide(tensors[heads + 1], tensors[heads + 3]));
  network_->SetParameters(inside);
}

absl::Span<const float> CommunicatingNetwork::Hear(absl::Span<const float> observations,
                                                   absl::Span<const float> state) {
  if (spec_.neighbours.empty()) return observations;
  const MessageSpec& messages = spec_.stack.messages;
  const int observed = spec_.observation_size, size = spec_.stack.state_size();
  float* input = inputs_.data();
  for (int copy = 0; copy < copies_; ++copy) {
    for (int agent = 0; agent < spec_.num_agents; ++agent) {
      const int64_t first = int64_t{copy} * spec_.num_agents;
      messages_.clear();
      for (const int other : spec_.neighbours[agent]) {
        messages_.push_back(state.data() + (first + other + 1) * size - messages.size);
      }
      std::copy_n(observations.data() + (first + agent) * observed, observed, input);
      WriteHeard(messages, messages_, input + observed);
      input += observed + messages.num_inputs();
    }
  }
  return inputs_;
}

absl::Span<const float> CommunicatingNetwork::Outputs(absl::Span<const float> observations, absl::Span<float> state) {
  const int64_t rows = int64_t{copies_} * spec_.num_agents;
  const int kept = spec_.stack.cell_state_size(), said = spec_.stack.messages.size, size = kept + said;
  const int width = spec_.stack.output_size;
  const absl::Span<const float> inputs = Hear(observations, state);
  for (int64_t row = 0; row < rows; ++row) std::copy_n(state.data() + row * size, kept, cells_.data() + row * kept);
  const absl::Span<const float> both = network_->Outputs(inputs, absl::MakeSpan(cells_));
  for (int64_t row = 0; row < rows; ++row) {
    const float* const from = both.data() + row * (width + said);
    std::copy_n(from, width, outputs_.data() + row * width);
    std::copy_n(from + width, said, said_.data() + row * said);
  }
  kernels_.hyperbolic_tangent(said_.data(), (rows * said + kLineFloats - 1) / kLineFloats * kLineFloats);
  for (int64_t row = 0; row < rows; ++row) {
    float* const to = state.data() + row * size;
    std::copy_n(cells_.data() + row * kept, kept, to);
    std::copy_n(said_.data() + row * said, said, to + kept);
  }
  return outputs_;
}

}  // namespace troupe
