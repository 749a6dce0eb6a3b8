#include "learner/arithmetic/networks/dense_stack_kernel.h"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <cstdlib>

#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/host/cpu_features.h"
#include "learner/arithmetic/host/vector_math.h"

namespace troupe {
namespace {

// Rows that pass through all layers together: 256 rows × 256 floats are a quarter of a megabyte.
constexpr int64_t kBlockRows = 256;

// c [m, n] = a · b (+ c when `add`), a transposed when `transpose_a`, likewise b; contiguous.
void Multiply(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, const float* b,
              bool add, float* c) {
  const dnnl_status_t status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0f, a,
                                          transpose_a ? m : k, b, transpose_b ? k : n, add ? 1.0f : 0.0f, c, n);
  if (status != dnnl_success) std::abort();
}

}  // namespace

bool DenseStackKernel::Available() {
  static const bool available = [] {
    const std::vector<float> a(32 * 24, 0.5f), b(24 * 40, 2.0f);
    std::vector<float> c(32 * 40);
    return dnnl_sgemm('N', 'N', 32, 40, 24, 1.0f, a.data(), 24, b.data(), 40, 0.0f, c.data(), 40) == dnnl_success &&
           std::all_of(c.begin(), c.end(), [](float value) { return value == 24.0f; });
  }();
  return available && CpuMayUseOneDnn();
}

DenseStackKernel::DenseStackKernel(const DenseStackSpec& spec) : spec_(spec) {
  int64_t offset = 0;
  const auto take = [&](int64_t size) {
    const Field field{offset, size};
    offset += size * spec.num_sets;
    return field;
  };
  if (spec.input_layer_norm) {
    input_gain_ = take(spec.input_size);
    input_shift_ = take(spec.input_size);
    saved_per_row_ += 2 * spec.input_size + 1;
  }
  int inputs = spec.input_size;
  widest_ = std::max(spec.input_size, spec.output_size);
  const auto add_layer = [&](int outputs, bool hidden) {
    Layer layer{.inputs = inputs, .outputs = outputs};
    layer.weight = take(static_cast<int64_t>(inputs) * outputs);
    layer.bias = take(outputs);
    if (hidden) saved_per_row_ += outputs;
    if (hidden && spec.hidden_layer_norm) {
      layer.gain = take(outputs);
      layer.shift = take(outputs);
      saved_per_row_ += 2 * outputs + 1;
    }
    layers_.push_back(layer);
    widest_ = std::max<int64_t>(widest_, outputs);
    inputs = outputs;
  };
  for (const int size : spec.hidden_sizes) add_layer(size, true);
  add_layer(spec.output_size, false);
  num_parameters_ = offset;
}

void DenseStackKernel::Forward(const float* parameters, const float* x, int64_t rows, float* saved, float* y) const {
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  lanes_.resize(ComputeThreads());
  ParallelFor(spec_.num_sets * blocks, [&](int lane, int64_t begin, int64_t end) {
    std::vector<float>& local = lanes_[lane].saved;
    if (saved == nullptr) local.resize(kBlockRows * saved_per_row_);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t set = task / blocks, first = (task % blocks) * kBlockRows;
      const int64_t start = set * rows + first;
      ForwardBlock(parameters, set, x + start * spec_.input_size, std::min(kBlockRows, rows - first),
                   saved == nullptr ? local.data() : saved + start * saved_per_row_, y + start * spec_.output_size);
    }
  });
}

void DenseStackKernel::ForwardBlock(const float* parameters, int64_t set, const float* x, int64_t rows, float* saved,
                                    float* y) const {
  const float* input = x;
  if (spec_.input_layer_norm) {
    float* normalized = saved;
    float* output = normalized + rows * spec_.input_size;
    float* reciprocal = output + rows * spec_.input_size;
    vector_math::LayerNorm(x, At(parameters, input_gain_, set), At(parameters, input_shift_, set), rows,
                           spec_.input_size, normalized, reciprocal, output);
    input = output;
    saved = reciprocal + rows;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool hidden = i + 1 < layers_.size();
    float* output = hidden ? saved : y;
    Multiply(false, false, rows, layer.outputs, layer.inputs, input, At(parameters, layer.weight, set), false, output);
    const float* bias = At(parameters, layer.bias, set);
    if (!hidden) {
      vector_math::AddBias(bias, rows, layer.outputs, output);
      return;
    }
    if (spec_.activation == Activation::kRelu) {
      vector_math::AddBiasRelu(bias, rows, layer.outputs, output);
    } else {
      vector_math::AddBiasTanh(bias, rows, layer.outputs, output);
    }
    saved += rows * layer.outputs;
    input = output;
    if (spec_.hidden_layer_norm) {
      float* normalized = saved;
      float* normed = normalized + rows * layer.outputs;
      float* reciprocal = normed + rows * layer.outputs;
      vector_math::LayerNorm(output, At(parameters, layer.gain, set), At(parameters, layer.shift, set), rows,
                             layer.outputs, normalized, reciprocal, normed);
      input = normed;
      saved = reciprocal + rows;
    }
  }
}

void DenseStackKernel::Backward(const float* parameters, const float* x, const float* saved, const float* dy,
                                int64_t rows, float* gradient, float* dx) const {
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  lanes_.resize(ComputeThreads());
  for (Scratch& scratch : lanes_) scratch.used = false;
  std::fill(gradient, gradient + num_parameters_, 0.0f);
  ParallelFor(spec_.num_sets * blocks, [&](int lane, int64_t begin, int64_t end) {
    Scratch& scratch = lanes_[lane];
    scratch.used = true;
    scratch.current.resize(kBlockRows * widest_);
    scratch.previous.resize(kBlockRows * widest_);
    if (lane > 0) scratch.gradient.assign(num_parameters_, 0.0f);
    float* own = lane == 0 ? gradient : scratch.gradient.data();
    for (int64_t task = begin; task < end; ++task) {
      const int64_t set = task / blocks, first = (task % blocks) * kBlockRows;
      const int64_t start = set * rows + first;
      BackwardBlock(parameters, set, x + start * spec_.input_size, saved + start * saved_per_row_,
                    dy + start * spec_.output_size, std::min(kBlockRows, rows - first), own,
                    dx == nullptr ? nullptr : dx + start * spec_.input_size, &scratch);
    }
  });
  for (size_t lane = 1; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].used) vector_math::Add(lanes_[lane].gradient.data(), num_parameters_, gradient);
  }
}

void DenseStackKernel::BackwardBlock(const float* parameters, int64_t set, const float* x, const float* saved,
                                     const float* dy, int64_t rows, float* gradient, float* dx,
                                     Scratch* scratch) const {
  const int64_t input_size = spec_.input_size;
  const float* hidden_saved = saved + (spec_.input_layer_norm ? rows * (2 * input_size + 1) : 0);
  // What each layer multiplied, found by walking the saved block as the forward pass wrote it.
  std::vector<const float*> inputs = {spec_.input_layer_norm ? saved + rows * input_size : x}, activations;
  const float* at = hidden_saved;
  for (size_t i = 0; i + 1 < layers_.size(); ++i) {
    const int64_t count = rows * layers_[i].outputs;
    activations.push_back(at);
    inputs.push_back(spec_.hidden_layer_norm ? at + 2 * count : at);
    at += spec_.hidden_layer_norm ? 3 * count + rows : count;
  }

  float* current = scratch->current.data();
  float* previous = scratch->previous.data();
  std::copy(dy, dy + rows * spec_.output_size, current);
  for (size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const int64_t count = rows * layer.outputs;
    if (i + 1 < layers_.size()) {
      const float* h = activations[i];
      if (spec_.hidden_layer_norm) {
        vector_math::LayerNormBackward(h + count, h + 3 * count, At(parameters, layer.gain, set), rows, layer.outputs,
                                       current, At(gradient, layer.gain, set), At(gradient, layer.shift, set));
      }
      if (spec_.activation == Activation::kRelu) {
        vector_math::ReluBackward(h, count, current);
      } else {
        vector_math::TanhBackward(h, count, current);
      }
    }
    Multiply(true, false, layer.inputs, layer.outputs, rows, inputs[i], current, true, At(gradient, layer.weight, set));
    vector_math::AddColumnSums(current, rows, layer.outputs, At(gradient, layer.bias, set));
    if (i == 0 && dx == nullptr && !spec_.input_layer_norm) return;
    Multiply(false, true, rows, layer.inputs, layer.outputs, current, At(parameters, layer.weight, set), false,
             previous);
    std::swap(current, previous);
  }
  if (spec_.input_layer_norm) {
    vector_math::LayerNormBackward(saved, saved + 2 * rows * input_size, At(parameters, input_gain_, set), rows,
                                   input_size, current, At(gradient, input_gain_, set),
                                   At(gradient, input_shift_, set));
  }
  if (dx != nullptr) std::copy(current, current + rows * input_size, dx);
}

}  // namespace troupe
