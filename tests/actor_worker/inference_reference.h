// A straightforward double-precision actor to hold the worker's inference to, and random weights to feed both.
#ifndef TROUPE_TESTS_ACTOR_WORKER_INFERENCE_REFERENCE_H_
#define TROUPE_TESTS_ACTOR_WORKER_INFERENCE_REFERENCE_H_

#include <cmath>
#include <string>
#include <vector>

#include "common/base/host_tensor.h"
#include "common/base/random.h"
#include "common/specs/neighbours.h"
#include "common/specs/policy_spec.h"

namespace troupe {

inline PolicySpec MakeTestSpec(int agents, int observed, int actions, std::vector<int> hidden,
                               std::vector<int> set_of_agent) {
  PolicySpec spec;
  spec.group = "team";
  spec.num_agents = agents;
  spec.observation_size = observed;
  spec.action_size = actions;
  spec.set_of_agent = set_of_agent;
  spec.stack.num_sets = 1;
  for (const int set : set_of_agent) spec.stack.num_sets = std::max(spec.stack.num_sets, set + 1);
  spec.stack.input_size = observed;
  spec.stack.hidden_sizes = std::move(hidden);
  spec.stack.output_size = actions;
  return spec;
}

inline PolicySpec WithAgentId(PolicySpec spec) {
  spec.agent_id_input = true;
  spec.stack.input_size += spec.num_agents;
  return spec;
}

// Agents that talk; of `messages` size and side_by_side are told.
inline PolicySpec WithMessages(PolicySpec spec, MessageSpec messages, std::vector<std::vector<int>> neighbours) {
  messages.most_heard = MostHeard(neighbours);
  messages.first_input = spec.observation_size;
  spec.stack.messages = messages;
  spec.stack.input_size += messages.num_inputs();
  spec.neighbours = std::move(neighbours);
  return spec;
}

// Weights of the size that keeps activations near one; gains near one, everything else near zero.
inline std::vector<HostTensor> RandomWeights(const PolicySpec& spec, uint64_t seed) {
  RandomStream random(seed);
  std::vector<HostTensor> tensors;
  for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
    const bool weight = parameter.shape.size() == 3;
    const bool gain = parameter.name.find("gain") != std::string::npos;
    int64_t count = 1;
    for (const int64_t size : parameter.shape) count *= size;
    const double scale = weight ? 1.4 / std::sqrt(double(parameter.shape[1])) : 0.3;
    std::vector<float> values(count);
    for (float& value : values) value = float((gain ? 1.0 : 0.0) + scale * random.Normal());
    tensors.push_back(HostTensor::Float32(spec.group + "/" + parameter.name, parameter.shape, values.data()));
  }
  return tensors;
}

inline void ReferenceLayerNorm(std::vector<double>& x, const float* gain, const float* bias) {
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / x.size();
  for (const double v : x) variance += (v - mean) * (v - mean) / x.size();
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = (x[i] - mean) / std::sqrt(variance + kLayerNormEpsilon) * gain[i] + bias[i];
}

// Logits of one agent for one observation, by the definition in common/specs/policy_spec.h.
inline std::vector<double> ReferenceLogits(const PolicySpec& spec, const std::vector<HostTensor>& tensors, int agent,
                                           const float* observation) {
  const int set = spec.set_of_agent[agent];
  std::vector<double> x(observation, observation + spec.observation_size);
  if (spec.agent_id_input) {
    for (int a = 0; a < spec.num_agents; ++a) x.push_back(a == agent);
  }
  size_t next = 0;
  const auto of_set = [&](const HostTensor& tensor) {
    return tensor.floats() + set * (tensor.num_elements() / spec.stack.num_sets);
  };
  if (spec.stack.input_layer_norm) {
    ReferenceLayerNorm(x, of_set(tensors[next]), of_set(tensors[next + 1]));
    next += 2;
  }
  const size_t layers = spec.stack.hidden_sizes.size() + 1;
  for (size_t layer = 0; layer < layers; ++layer) {
    const float* const w = of_set(tensors[next]);
    const int outputs = int(tensors[next].shape[2]);
    const float* const b = of_set(tensors[next + 1]);
    next += 2;
    std::vector<double> y(b, b + outputs);
    for (size_t k = 0; k < x.size(); ++k) {
      for (int n = 0; n < outputs; ++n) y[n] += x[k] * w[k * outputs + n];
    }
    if (layer + 1 < layers) {
      for (double& v : y) v = spec.stack.activation == Activation::kRelu ? std::max(v, 0.0) : std::tanh(v);
      if (spec.stack.hidden_layer_norm) {
        ReferenceLayerNorm(y, of_set(tensors[next]), of_set(tensors[next + 1]));
        next += 2;
      }
    }
    x = y;
  }
  return x;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_INFERENCE_REFERENCE_H_
