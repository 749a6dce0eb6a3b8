#include "learner/arithmetic/blocks/block_stack.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "learner/arithmetic/host/vector_math.h"

namespace troupe {
namespace {

constexpr int64_t kAlignment = 64;

}  // namespace

AlignedWords::AlignedWords(int64_t count) {
  const auto bytes = static_cast<size_t>((count * 4 + kAlignment - 1) / kAlignment * kAlignment);
  data_.reset(static_cast<uint32_t*>(std::aligned_alloc(kAlignment, std::max<size_t>(bytes, kAlignment))));
  if (data_ == nullptr) std::abort();
  std::memset(data_.get(), 0, bytes);
}

void AlignedWords::Free::operator()(uint32_t* words) const { std::free(words); }

PlainSheet::PlainSheet(const BlockNorm& norm, int64_t columns) {
  const int64_t floats = kBlockRows * PaddedColumns(columns), flags = floats / kPanelColumns;
  words_ = AlignedWords(norm.reads_activation ? floats : flags);
  if (norm.reads_activation) {
    sheet_.by_pair = words_.data();
    std::fill_n(words_.floats(), floats, 1.0f);
  } else {
    sheet_.positive = words_.data();
    std::fill_n(words_.data(), flags, ~uint32_t{0});
  }
}

BlockStack::BlockStack(const DenseStackSpec& spec, const BlockKernels* kernels, bool to_inputs)
    : spec_(spec),
      kernels_(kernels),
      norm_(BlockNormOf(kernels)),
      activation_(spec.activation == Activation::kRelu ? BlockActivation::kRelu : BlockActivation::kTanh) {
  int64_t inputs = spec.input_size, offset = 0;
  const auto add_layer = [&](int64_t outputs) {
    Layer layer;
    layer.inputs = inputs, layer.outputs = outputs;
    layer.normed = layers_.empty() ? spec.input_layer_norm : spec.hidden_layer_norm;
    if (layer.normed) {
      layer.gain = offset;
      layer.shift = layer.gain + spec.num_sets * inputs;
      offset = layer.shift + spec.num_sets * inputs;
      layer.folded = AlignedWords(spec.num_sets * inputs * outputs);
      layer.folded_bias = AlignedWords(spec.num_sets * outputs);
    }
    layer.weight = offset;
    layer.bias = layer.weight + spec.num_sets * inputs * outputs;
    offset = layer.bias + spec.num_sets * outputs;
    layer.set_weight = set_gradient_size_;
    layer.set_bias = layer.set_weight + inputs * outputs;
    set_gradient_size_ = layer.set_bias + outputs;
    layer.packed_words = kernels->packed_words(inputs, outputs);
    layer.packed = AlignedWords(spec.num_sets * layer.packed_words);
    if (!layers_.empty() || to_inputs) {
      layer.transposed_words = kernels->packed_words(outputs, inputs);
      layer.transposed = AlignedWords(spec.num_sets * layer.transposed_words);
    }
    layers_.push_back(std::move(layer));
    inputs = outputs;
  };
  for (const int size : spec.hidden_sizes) add_layer(size);
  add_layer(spec.output_size);
  if (to_inputs) no_bias_ = AlignedWords(spec.input_size);
  if (!spec.hidden_layer_norm) return;
  int64_t widest = 0;
  for (const Layer& layer : layers_) widest = std::max(widest, layer.inputs);
  plain_ = PlainSheet(*norm_, widest);
}

int64_t BlockStack::products_per_row() const {
  int64_t products = 0;
  for (const Layer& layer : layers_) products += layer.inputs * layer.outputs * (&layer == &layers_.front() ? 2 : 3);
  return products;
}

BlockStack::Scratch::Scratch(const BlockStack& stack) {
  const BlockKernels& kernels = *stack.kernels_;
  const bool tanh = stack.activation_ == BlockActivation::kTanh;
  // Two passes: the first counts.
  int64_t used = 0;
  const auto take = [&](int64_t words) {
    const int64_t at = used;
    used += (words + 15) / 16 * 16;
    return words_.data() == nullptr ? nullptr : words_.data() + at;
  };
  int64_t widest = 0;
  for (const Layer& layer : stack.layers_) widest = std::max({widest, layer.inputs, layer.outputs});
  for (int pass = 0; pass < 2; ++pass) {
    used = 0;
    inputs_.clear();
    made_.clear();
    reciprocals_.clear();
    // What only the next product reads is kept in turn in two places.
    uint32_t* by_row[2];
    for (uint32_t*& rows : by_row) rows = take(kernels.row_words * PaddedColumns(widest));
    const auto sheet = [&](int64_t columns, size_t turn) {
      BlockSheet made;
      made.by_pair = take(kernels.pair_words * PaddedColumns(columns));
      made.by_row = kernels.row_words == 0 ? made.by_pair : by_row[turn % 2];
      return made;
    };
    for (size_t i = 0; i < stack.layers_.size(); ++i) {
      const int64_t columns = PaddedColumns(stack.layers_[i].inputs);
      inputs_.push_back(sheet(columns, i));
      if (i == 0) continue;
      inputs_.back().positive = tanh ? nullptr : take(kBlockRows * columns / kPanelColumns);
      inputs_.back().slope = tanh ? reinterpret_cast<float*>(take(kBlockRows * columns)) : nullptr;
    }
    for (size_t i = 0; i < 2; ++i) gradients_[i] = sheet(widest, i);
    bool normed = false;
    for (size_t i = 0; i < stack.layers_.size(); ++i) {
      const Layer& layer = stack.layers_[i];
      normed |= layer.normed;
      made_.push_back(inputs_[i]);
      const bool apart = i > 0 && layer.normed && stack.norm_->reads_activation;
      if (apart) made_[i].by_pair = made_[i].by_row = take(kernels.pair_words * PaddedColumns(layer.inputs));
      reciprocals_.push_back(layer.normed ? reinterpret_cast<float*>(take(kBlockRows)) : nullptr);
    }
    rows_ = normed ? reinterpret_cast<float*>(take(kBlockRows * PaddedColumns(widest))) : nullptr;
    if (pass == 0) words_ = AlignedWords(used);
  }
}

void BlockStack::Pack(const float* parameters, int64_t set, int64_t layer) {
  const Layer& at = layers_[layer];
  const float* weight = parameters + at.weight + set * at.inputs * at.outputs;
  if (at.normed) {
    float* const folded = at.folded.floats() + set * at.inputs * at.outputs;
    float* const bias = at.folded_bias.floats() + set * at.outputs;
    norm_->fold(weight, parameters + at.bias + set * at.outputs, parameters + at.gain + set * at.inputs,
                parameters + at.shift + set * at.inputs, at.inputs, at.outputs, folded, bias);
    weight = folded;
  }
  kernels_->pack(weight, at.inputs, at.outputs, at.packed.data() + set * at.packed_words);
  if (at.transposed_words == 0) return;
  kernels_->pack_transposed(weight, at.inputs, at.outputs, at.transposed.data() + set * at.transposed_words);
}

void BlockStack::Forward(const float* parameters, int64_t set, const float* x, const int64_t* offsets, int64_t rows,
                         Scratch* scratch, float* y) const {
  if (layers_.front().normed) {
    norm_->normalize_rows(x, offsets, rows, spec_.input_size, kLayerNormEpsilon, scratch->rows_);
    kernels_->load(scratch->rows_, nullptr, rows, spec_.input_size, scratch->inputs_[0]);
  } else {
    kernels_->load(x, offsets, rows, spec_.input_size, scratch->inputs_[0]);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const uint32_t* packed = layer.packed.data() + set * layer.packed_words;
    const float* bias =
        layer.normed ? layer.folded_bias.floats() + set * layer.outputs : parameters + layer.bias + set * layer.outputs;
    if (i + 1 == layers_.size()) {
      kernels_->output(scratch->inputs_[i], rows, layer.inputs, layer.outputs, packed, bias, y);
      return;
    }
    const BlockSheet& made = scratch->made_[i + 1];
    kernels_->forward(scratch->inputs_[i], rows, layer.inputs, layer.outputs, packed, bias, activation_, made);
    if (!layers_[i + 1].normed) continue;
    norm_->normalize(made, rows, layer.outputs, kLayerNormEpsilon, scratch->inputs_[i + 1],
                     scratch->reciprocals_[i + 1]);
  }
}

void BlockStack::Backward(int64_t set, const float* dy, int64_t rows, bool add, Scratch* scratch,
                          float* set_gradient) const {
  BlockSheet *current = &scratch->gradients_[0], *previous = &scratch->gradients_[1];
  kernels_->load(dy, nullptr, rows, spec_.output_size, *current);
  for (size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const BlockSheet& inputs = scratch->inputs_[i];
    kernels_->backward_weight(inputs, *current, rows, layer.inputs, layer.outputs, add, set_gradient + layer.set_weight,
                              set_gradient + layer.set_bias);
    if (i == 0) return;
    StepBack(set, i, rows, scratch, *current, *previous);
    std::swap(current, previous);
  }
}

void BlockStack::StepBack(int64_t set, size_t i, int64_t rows, Scratch* scratch, const BlockSheet& from,
                          const BlockSheet& to) const {
  const Layer& layer = layers_[i];
  const BlockSheet& inputs = scratch->inputs_[i];
  const uint32_t* const transposed = layer.transposed.data() + set * layer.transposed_words;
  if (layer.normed) {
    kernels_->backward_input(from, rows, layer.inputs, layer.outputs, transposed, plain_.sheet(),
                             BlockActivation::kRelu, to);
    norm_->backward(to, inputs, scratch->made_[i], activation_, rows, layer.inputs, scratch->reciprocals_[i]);
  } else {
    kernels_->backward_input(from, rows, layer.inputs, layer.outputs, transposed, inputs, activation_, to);
  }
}

void BlockStack::SlopesOfInputs(int64_t set, const float* dy, int64_t rows, Scratch* scratch, float* dx) const {
  BlockSheet *current = &scratch->gradients_[0], *previous = &scratch->gradients_[1];
  kernels_->load(dy, nullptr, rows, spec_.output_size, *current);
  for (size_t i = layers_.size(); i-- > 1;) {
    StepBack(set, i, rows, scratch, *current, *previous);
    std::swap(current, previous);
  }
  const Layer& first = layers_.front();
  kernels_->output(*current, rows, first.outputs, first.inputs, first.transposed.data() + set * first.transposed_words,
                   no_bias_.floats(), dx);
}

void BlockStack::SumLayer(const float* parameters, int64_t set, int64_t layer, float* const* set_gradients,
                          int64_t count, float* gradient) const {
  const Layer& at = layers_[layer];
  const auto sum = [&](int64_t from, int64_t size, float* to) {
    if (count == 0) std::fill_n(to, size, 0.0f);
    if (count > 0) std::copy_n(set_gradients[0] + from, size, to);
    for (int64_t i = 1; i < count; ++i) vector_math::Add(set_gradients[i] + from, size, to);
  };
  const int64_t weight = at.weight + set * at.inputs * at.outputs, bias = at.bias + set * at.outputs;
  sum(at.set_weight, at.inputs * at.outputs, gradient + weight);
  sum(at.set_bias, at.outputs, gradient + bias);
  if (!at.normed) return;
  const int64_t gain = at.gain + set * at.inputs, shift = at.shift + set * at.inputs;
  norm_->unfold(parameters + weight, parameters + gain, parameters + shift, at.inputs, at.outputs, gradient + bias,
                gradient + weight, gradient + gain, gradient + shift);
}

}  // namespace troupe
