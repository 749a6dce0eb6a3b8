#include "actor_worker/acting/recurrent_network.h"

#include <algorithm>

namespace troupe {
namespace {

// Rows that go through the cell together.
constexpr int kTileRows = 64;

// The layers before the cell as a policy of their own.
PolicySpec BeforeCell(PolicySpec spec) {
  spec.stack = spec.stack.BeforeCell();
  return spec;
}

}  // namespace

RecurrentNetwork::RecurrentNetwork(const PolicySpec& spec, int copies)
    : spec_(spec),
      parameters_before_(spec.stack.BeforeCell().Parameters().size()),
      before_(BeforeCell(spec), copies),
      state_layer_(MakeLayer(spec.stack.recurrent_size, spec.stack.num_gates() * spec.stack.recurrent_size)),
      output_layer_(MakeLayer(spec.stack.recurrent_size, spec.stack.output_size)),
      outputs_(size_t(copies) * spec.num_agents * spec.stack.output_size) {
  const DenseStackSpec& stack = spec_.stack;
  if (stack.num_sets == 1) {
    jobs_.push_back({.rows = copies * spec_.num_agents});
  } else {
    for (int agent = 0; agent < spec_.num_agents; ++agent) {
      jobs_.push_back({spec_.set_of_agent[agent], agent, spec_.num_agents, copies});
    }
  }
  if (stack.hidden_layer_norm) {
    gains_.resize(stack.num_sets);
    offsets_.resize(stack.num_sets);
    for (int set = 0; set < stack.num_sets; ++set) {
      gains_[set].Resize(stack.recurrent_size);
      offsets_[set].Resize(stack.recurrent_size);
    }
  }
  const size_t padded = PaddedSize(stack.recurrent_size);
  state_products_.Resize(size_t{kTileRows} * state_layer_.padded);
  logistic_.Resize(size_t{kTileRows} * state_layer_.padded);
  tangents_.Resize(kTileRows * padded);
  cell_outputs_.Resize(kTileRows * padded);
  products_.Resize(size_t{kTileRows} * output_layer_.padded);
}

RecurrentNetwork::Layer RecurrentNetwork::MakeLayer(int inputs, int outputs) const {
  Layer layer{inputs, outputs, PaddedSize(outputs)};
  layer.weights.resize(spec_.stack.num_sets);
  layer.biases.resize(spec_.stack.num_sets);
  for (int set = 0; set < spec_.stack.num_sets; ++set) {
    layer.weights[set].Resize(size_t(inputs) * layer.padded);
    layer.biases[set].Resize(layer.padded);
  }
  return layer;
}

void RecurrentNetwork::SetParameters(absl::Span<const HostTensor> tensors) {
  before_.SetParameters(tensors);
  const HostTensor* next = tensors.data() + parameters_before_;
  const int sets = spec_.stack.num_sets;
  const auto take_vectors = [&](std::vector<AlignedFloats>& of_sets, int size) {
    for (int set = 0; set < sets; ++set) {
      std::copy_n(next->floats() + int64_t{set} * size, size, of_sets[set].data());
    }
    ++next;
  };
  const auto take_layer = [&](Layer& layer) {
    for (int set = 0; set < sets; ++set) {
      PackWeights(next->floats() + int64_t{set} * layer.inputs * layer.outputs, layer.inputs, layer.outputs,
                  kernels_.panel_width, layer.weights[set].data());
    }
    ++next;
    take_vectors(layer.biases, layer.outputs);
  };
  take_layer(state_layer_);
  if (!gains_.empty()) {
    take_vectors(gains_, spec_.stack.recurrent_size);
    take_vectors(offsets_, spec_.stack.recurrent_size);
  }
  take_layer(output_layer_);
}

void RecurrentNetwork::Multiply(const Layer& layer, int set, const float* input, int64_t stride, int rows,
                                AlignedFloats& output) const {
  kernels_.dense_layer({input, stride, rows, layer.inputs, layer.padded, layer.weights[set].data(),
                        layer.biases[set].data(), /*relu=*/false, output.data(), layer.padded});
}

void RecurrentNetwork::ExponentiateGates(const float* gate_inputs, int64_t stride, int rows, int count) {
  const int padded = state_layer_.padded;
  for (int r = 0; r < rows; ++r) {
    const float* const gi = gate_inputs + r * stride * state_layer_.outputs;
    const float* const gh = state_products_.data() + int64_t{r} * padded;
    float* const to = logistic_.data() + int64_t{r} * padded;
    for (int i = 0; i < count; ++i) to[i] = -(gi[i] + gh[i]);
  }
  kernels_.exponential(logistic_.data(), int64_t{rows} * padded);
}

void RecurrentNetwork::StepGru(const float* gate_inputs, int64_t stride, int rows, float* state) {
  const int size = spec_.stack.recurrent_size, gates = state_layer_.outputs, padded = state_layer_.padded;
  const int width = PaddedSize(size);
  ExponentiateGates(gate_inputs, stride, rows, 2 * size);
  for (int r = 0; r < rows; ++r) {
    const float* const gi = gate_inputs + r * stride * gates + 2 * size;
    const float* const gh = state_products_.data() + int64_t{r} * padded + 2 * size;
    const float* const reset = logistic_.data() + int64_t{r} * padded;
    float* const to = tangents_.data() + int64_t{r} * width;
    for (int i = 0; i < size; ++i) to[i] = gi[i] + 1.0f / (1.0f + reset[i]) * gh[i];
  }
  kernels_.hyperbolic_tangent(tangents_.data(), int64_t{rows} * width);
  for (int r = 0; r < rows; ++r) {
    const float* const update = logistic_.data() + int64_t{r} * padded + size;
    const float* const candidate = tangents_.data() + int64_t{r} * width;
    float* const own = state + r * stride * size;
    float* const out = cell_outputs_.data() + int64_t{r} * width;
    for (int i = 0; i < size; ++i) {
      const float z = 1.0f / (1.0f + update[i]);
      own[i] = out[i] = (1.0f - z) * candidate[i] + z * own[i];
    }
  }
}

void RecurrentNetwork::StepLstm(const float* gate_inputs, int64_t stride, int rows, float* state) {
  const int size = spec_.stack.recurrent_size, gates = state_layer_.outputs, padded = state_layer_.padded;
  const int width = PaddedSize(size);
  // Of g among them nothing is read.
  ExponentiateGates(gate_inputs, stride, rows, gates);
  for (int r = 0; r < rows; ++r) {
    const float* const gi = gate_inputs + r * stride * gates + 2 * size;
    const float* const gh = state_products_.data() + int64_t{r} * padded + 2 * size;
    float* const g = tangents_.data() + int64_t{r} * width;
    for (int i = 0; i < size; ++i) g[i] = gi[i] + gh[i];
  }
  kernels_.hyperbolic_tangent(tangents_.data(), int64_t{rows} * width);
  for (int r = 0; r < rows; ++r) {
    const float* const gate = logistic_.data() + int64_t{r} * padded;
    float* const g = tangents_.data() + int64_t{r} * width;
    float* const kept = state + r * stride * 2 * size + size;
    for (int i = 0; i < size; ++i) {
      g[i] = kept[i] = 1.0f / (1.0f + gate[size + i]) * kept[i] + 1.0f / (1.0f + gate[i]) * g[i];
    }
  }
  kernels_.hyperbolic_tangent(tangents_.data(), int64_t{rows} * width);
  for (int r = 0; r < rows; ++r) {
    const float* const gate = logistic_.data() + int64_t{r} * padded + 3 * size;
    const float* const tangent = tangents_.data() + int64_t{r} * width;
    float* const own = state + r * stride * 2 * size;
    float* const out = cell_outputs_.data() + int64_t{r} * width;
    for (int i = 0; i < size; ++i) own[i] = out[i] = 1.0f / (1.0f + gate[i]) * tangent[i];
  }
}

void RecurrentNetwork::ComputeTile(const Job& job, int begin, int rows, const float* gate_inputs, float* state) {
  const DenseStackSpec& stack = spec_.stack;
  const int64_t first = job.first_row + int64_t{begin} * job.row_step;
  float* const own_state = state + first * stack.state_size();
  Multiply(state_layer_, job.set, own_state, int64_t{job.row_step} * stack.state_size(), rows, state_products_);
  const float* const gi = gate_inputs + first * state_layer_.outputs;
  if (stack.cell == Cell::kGru) {
    StepGru(gi, job.row_step, rows, own_state);
  } else {
    StepLstm(gi, job.row_step, rows, own_state);
  }
  const int width = PaddedSize(stack.recurrent_size);
  for (int r = 0; r < rows && !gains_.empty(); ++r) {
    float* const row = cell_outputs_.data() + int64_t{r} * width;
    kernels_.layer_norm(row, stack.recurrent_size, gains_[job.set].data(), offsets_[job.set].data(), row);
  }
  Multiply(output_layer_, job.set, cell_outputs_.data(), width, rows, products_);
  for (int r = 0; r < rows; ++r) {
    std::copy_n(products_.data() + int64_t{r} * output_layer_.padded, stack.output_size,
                outputs_.data() + (first + int64_t{r} * job.row_step) * stack.output_size);
  }
}

absl::Span<const float> RecurrentNetwork::Outputs(absl::Span<const float> observations, absl::Span<float> state) {
  const absl::Span<const float> gate_inputs = before_.Outputs(observations, {});
  for (const Job& job : jobs_) {
    for (int begin = 0; begin < job.rows; begin += kTileRows) {
      ComputeTile(job, begin, std::min(kTileRows, job.rows - begin), gate_inputs.data(), state.data());
    }
  }
  return outputs_;
}

}  // namespace troupe
