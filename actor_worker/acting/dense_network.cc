#include "actor_worker/acting/dense_network.h"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

// Rows that go through all layers together, so that their activations stay in the first-level cache.
constexpr int kTileRows = 64;

}  // namespace

DenseNetwork::DenseNetwork(const PolicySpec& spec, int copies)
    : spec_(spec), outputs_(size_t(copies) * spec.num_agents * spec.stack.output_size) {
  const DenseStackSpec& stack = spec_.stack;
  if (stack.num_sets == 1 && !spec_.agent_id_input) {
    jobs_.push_back({.rows = copies * spec_.num_agents});
  } else {
    for (int agent = 0; agent < spec_.num_agents; ++agent) {
      jobs_.push_back({agent, spec_.set_of_agent[agent], agent, spec_.num_agents, copies});
    }
  }
  std::vector<int> widths = stack.hidden_sizes;
  widths.push_back(stack.output_size);
  int inputs = folds_agent_id() ? spec_.observation_size : stack.input_size;
  int widest = 0;
  for (size_t i = 0; i < widths.size(); ++i) {
    Layer layer{inputs, widths[i], PaddedSize(widths[i])};
    layer.weights.resize(stack.num_sets);
    for (AlignedFloats& w : layer.weights) w.Resize(size_t(inputs) * layer.padded);
    layer.biases.resize(i == 0 ? spec_.num_agents : stack.num_sets);
    for (AlignedFloats& b : layer.biases) b.Resize(layer.padded);
    if (stack.hidden_layer_norm && i + 1 < widths.size()) {
      layer.gains.resize(stack.num_sets);
      layer.offsets.resize(stack.num_sets);
      for (int set = 0; set < stack.num_sets; ++set) {
        layer.gains[set].Resize(layer.padded);
        layer.offsets[set].Resize(layer.padded);
      }
    }
    widest = std::max(widest, layer.padded);
    layers_.push_back(std::move(layer));
    inputs = widths[i];
  }
  if (stack.input_layer_norm) {
    input_gains_.resize(stack.num_sets);
    input_offsets_.resize(stack.num_sets);
    for (int set = 0; set < stack.num_sets; ++set) {
      input_gains_[set].Resize(stack.input_size);
      input_offsets_[set].Resize(stack.input_size);
    }
    input_tile_.Resize(size_t(kTileRows) * stack.input_size);
  }
  for (AlignedFloats& tile : tiles_) tile.Resize(size_t(kTileRows) * widest);
}

void DenseNetwork::SetParameters(absl::Span<const HostTensor> tensors) {
  const DenseStackSpec& stack = spec_.stack;
  const HostTensor* next = tensors.data();
  const auto take_vectors = [&](std::vector<AlignedFloats>& sets, int size) {
    for (int set = 0; set < stack.num_sets; ++set)
      std::copy_n(next->floats() + int64_t{set} * size, size, sets[set].data());
    ++next;
  };
  if (stack.input_layer_norm) {
    take_vectors(input_gains_, stack.input_size);
    take_vectors(input_offsets_, stack.input_size);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const HostTensor& weight = *next++;
    const int64_t rows_of_set = weight.shape[1];  // layer.inputs, and the one-hot's where it is folded
    for (int set = 0; set < stack.num_sets; ++set) {
      PackWeights(weight.floats() + set * rows_of_set * layer.outputs, layer.inputs, layer.outputs,
                  kernels_.panel_width, layer.weights[set].data());
    }
    if (i > 0) {
      take_vectors(layer.biases, layer.outputs);
    } else {
      const HostTensor& bias = *next++;
      for (int agent = 0; agent < spec_.num_agents; ++agent) {
        const int set = spec_.set_of_agent[agent];
        float* const own = layer.biases[agent].data();
        std::copy_n(bias.floats() + int64_t{set} * layer.outputs, layer.outputs, own);
        if (!folds_agent_id()) continue;
        const float* const one_hot = weight.floats() + (set * rows_of_set + layer.inputs + agent) * layer.outputs;
        for (int n = 0; n < layer.outputs; ++n) own[n] += one_hot[n];
      }
    }
    if (!layer.gains.empty()) {
      take_vectors(layer.gains, layer.outputs);
      take_vectors(layer.offsets, layer.outputs);
    }
  }
}

const float* DenseNetwork::PrepareInput(const Job& job, int begin, int rows, const float* observations) {
  const int observed = spec_.observation_size, size = spec_.stack.input_size;
  for (int r = 0; r < rows; ++r) {
    float* const row = input_tile_.data() + int64_t{r} * size;
    std::copy_n(observations + (job.first_row + int64_t{begin + r} * job.row_step) * observed, observed, row);
    if (spec_.agent_id_input) {
      std::fill(row + observed, row + size, 0.0f);
      row[observed + job.agent] = 1.0f;
    }
    kernels_.layer_norm(row, size, input_gains_[job.set].data(), input_offsets_[job.set].data(), row);
  }
  return input_tile_.data();
}

void DenseNetwork::ComputeTile(const Job& job, int begin, int rows, const float* observations) {
  const DenseStackSpec& stack = spec_.stack;
  const float* input = observations + (job.first_row + int64_t{begin} * job.row_step) * spec_.observation_size;
  int64_t stride = int64_t{job.row_step} * spec_.observation_size;
  if (stack.input_layer_norm) {
    input = PrepareInput(job, begin, rows, observations);
    stride = stack.input_size;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool hidden = i + 1 < layers_.size();
    float* const output = tiles_[i % 2].data();
    kernels_.dense_layer({input, stride, rows, layer.inputs, layer.padded, layer.weights[job.set].data(),
                          layer.biases[i == 0 ? job.agent : job.set].data(),
                          hidden && stack.activation == Activation::kRelu, output, layer.padded});
    if (hidden && stack.activation == Activation::kTanh) {
      kernels_.hyperbolic_tangent(output, int64_t{rows} * layer.padded);
    }
    if (!layer.gains.empty()) {
      for (int r = 0; r < rows; ++r) {
        float* const row = output + int64_t{r} * layer.padded;
        kernels_.layer_norm(row, layer.outputs, layer.gains[job.set].data(), layer.offsets[job.set].data(), row);
      }
    }
    input = output;
    stride = layer.padded;
  }
  const int n = stack.output_size;
  for (int r = 0; r < rows; ++r) {
    std::copy_n(input + r * stride, n, outputs_.data() + (job.first_row + int64_t{begin + r} * job.row_step) * n);
  }
}

absl::Span<const float> DenseNetwork::Outputs(absl::Span<const float> observations, absl::Span<float>) {
  for (const Job& job : jobs_) {
    for (int begin = 0; begin < job.rows; begin += kTileRows) {
      ComputeTile(job, begin, std::min(kTileRows, job.rows - begin), observations.data());
    }
  }
  return outputs_;
}

}  // namespace troupe
