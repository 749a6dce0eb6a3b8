#include "learner/arithmetic/blocks/block_sequence.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>

#include "learner/arithmetic/blocks/cell_loops.h"
#include "learner/arithmetic/host/vector_math.h"

namespace troupe {
namespace {

static_assert(kSequenceRows <= kBlockRows);

// Where each parameter of set 0 begins among all sets'.
std::map<std::string, int64_t> PlacesOf(const DenseStackSpec& spec) {
  std::map<std::string, int64_t> places;
  int64_t first = 0;
  for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
    places[parameter.name] = first;
    first += std::accumulate(parameter.shape.begin(), parameter.shape.end(), int64_t{1}, std::multiplies<>());
  }
  return places;
}

// Columns of a sheet of float32 as rows of floats.
void ReadSheet(const BlockSheet& sheet, int64_t rows, int64_t columns, float* to) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t first = 0; first < columns; first += kPanelColumns) {
      const auto* const panel = reinterpret_cast<const float*>(sheet.by_pair) + first * kBlockRows;
      std::copy_n(panel + row * kPanelColumns, std::min(kPanelColumns, columns - first), to + row * columns + first);
    }
  }
}

}  // namespace

BlockSequence::Sheet::Sheet(const BlockKernels& kernels, int64_t columns)
    : words(kernels.pair_words * PaddedColumns(columns)) {
  sheet.by_row = sheet.by_pair = words.data();
}

BlockSequence::BlockSequence(const DenseStackSpec& spec, const BlockKernels* kernels, const float* parameters)
    : spec_(spec),
      kernels_(kernels),
      norm_(BlockNormOf(kernels)),
      parameters_(parameters),
      before_(spec.BeforeCell(), kernels),
      plain_(*norm_, spec.recurrent_size) {
  const std::map<std::string, int64_t> places = PlacesOf(spec);
  const int64_t size = spec.recurrent_size;
  state_ = MakeProduct(size, spec.num_gates() * size, places.at("cell.state_weight"), before_.set_gradient_size());
  output_ = MakeProduct(size, spec.output_size, places.at("output.weight"),
                        state_.in_gradient + state_.size() + state_.outputs);
  if (spec.hidden_layer_norm) {
    gain_ = places.at("cell_norm.gain");
    shift_ = places.at("cell_norm.bias");
    folded_ = AlignedWords(spec.num_sets * output_.size());
    folded_bias_ = AlignedWords(spec.num_sets * output_.outputs);
  }
}

BlockSequence::Product BlockSequence::MakeProduct(int64_t inputs, int64_t outputs, int64_t weight,
                                                  int64_t in_gradient) const {
  Product product{.inputs = inputs, .outputs = outputs, .weight = weight, .in_gradient = in_gradient};
  product.bias = weight + spec_.num_sets * product.size();
  product.packed_words = kernels_->packed_words(inputs, outputs);
  product.packed = AlignedWords(spec_.num_sets * product.packed_words);
  product.transposed_words = kernels_->packed_words(outputs, inputs);
  product.transposed = AlignedWords(spec_.num_sets * product.transposed_words);
  return product;
}

BlockSequence::Kept::Kept(const BlockSequence& of)
    : scratch(of.before_),
      output(*of.kernels_, of.spec_.recurrent_size),
      gates(kSequenceRows * of.state_.outputs),
      before(kSequenceRows * of.spec_.state_size()),
      candidates(kSequenceRows * of.spec_.recurrent_size),
      reciprocals(kBlockRows),
      begins(kSequenceRows) {}

BlockSequence::Lane::Lane(const BlockSequence& of)
    : states(*of.kernels_, of.spec_.recurrent_size),
      slopes(*of.kernels_, std::max(of.state_.outputs, of.output_.outputs)),
      state_slopes(*of.kernels_, of.spec_.recurrent_size),
      output_slopes(*of.kernels_, of.spec_.recurrent_size),
      products(kSequenceRows * of.state_.outputs),
      input_slopes(products.size()),
      product_slopes(products.size()),
      slope(kSequenceRows * of.spec_.state_size()),
      passed(kSequenceRows * of.spec_.recurrent_size),
      outputs(kSequenceRows * of.spec_.recurrent_size) {}

void BlockSequence::Prepare(int lanes, int64_t steps) {
  while (static_cast<int>(lanes_.size()) < lanes) lanes_.emplace_back(*this);
  for (Lane& lane : lanes_) {
    lane.steps.reserve(steps);
    while (static_cast<int64_t>(lane.steps.size()) < steps) lane.steps.emplace_back(*this);
  }
}

void BlockSequence::Pack(Product& product, int64_t set, const float* weight) const {
  kernels_->pack(weight, product.inputs, product.outputs, product.packed.data() + set * product.packed_words);
  kernels_->pack_transposed(weight, product.inputs, product.outputs,
                            product.transposed.data() + set * product.transposed_words);
}

void BlockSequence::Refresh(int64_t set, int64_t layer) {
  if (layer < before_.num_layers()) return before_.Pack(parameters_, set, layer);
  if (layer == before_.num_layers()) return Pack(state_, set, parameters_ + state_.weight + set * state_.size());
  const float* weight = parameters_ + output_.weight + set * output_.size();
  if (spec_.hidden_layer_norm) {
    float* const folded = folded_.floats() + set * output_.size();
    norm_->fold(weight, parameters_ + output_.bias + set * output_.outputs, parameters_ + gain_ + set * output_.inputs,
                parameters_ + shift_ + set * output_.inputs, output_.inputs, output_.outputs, folded,
                folded_bias_.floats() + set * output_.outputs);
    weight = folded;
  }
  Pack(output_, set, weight);
}

const float* BlockSequence::Memory(const float* state, int64_t rows, Lane* lane) const {
  const int64_t size = spec_.recurrent_size, remembered = spec_.state_size();
  if (remembered == size) return state;
  for (int64_t r = 0; r < rows; ++r) std::copy_n(state + r * remembered, size, lane->outputs.data() + r * size);
  return lane->outputs.data();
}

void BlockSequence::Step(int lane, const StepCall& call, int64_t keep) {
  Lane& own = lanes_[lane];
  Kept& kept = own.steps[std::max<int64_t>(keep, 0)];
  const int64_t size = spec_.recurrent_size, remembered = spec_.state_size(), rows = call.rows;
  for (int64_t r = 0; r < rows; ++r) {
    kept.begins[r] = call.begins[r];
    if (call.begins[r] != 0) std::fill_n(call.state + r * remembered, remembered, 0.0f);
  }
  std::copy_n(call.state, rows * remembered, kept.before.data());
  before_.Forward(parameters_, call.set, call.x, call.offsets, rows, &kept.scratch, kept.gates.data());

  kernels_->load(Memory(call.state, rows, &own), nullptr, rows, size, own.states.sheet);
  kernels_->output(own.states.sheet, rows, size, state_.outputs, state_.packed.data() + call.set * state_.packed_words,
                   parameters_ + state_.bias + call.set * state_.outputs, own.products.data());
  if (spec_.cell == Cell::kGru) {
    for (int64_t r = 0; r < rows; ++r) {
      std::copy_n(own.products.data() + r * state_.outputs + 2 * size, size, kept.candidates.data() + r * size);
    }
    cell_loops::GruForward(rows, size, own.products.data(), kept.gates.data(), call.state);
  } else {
    cell_loops::LstmForward(rows, size, own.products.data(), kept.gates.data(), kept.candidates.data(), call.state);
  }
  Output(call.set, rows, call.state, &own, &kept, call.outputs);
}

void BlockSequence::Output(int64_t set, int64_t rows, const float* state, Lane* lane, Kept* kept,
                           float* outputs) const {
  const int64_t size = spec_.recurrent_size;
  kernels_->load(Memory(state, rows, lane), nullptr, rows, size, kept->output.sheet);
  const float* bias = parameters_ + output_.bias + set * output_.outputs;
  if (spec_.hidden_layer_norm) {
    norm_->normalize(kept->output.sheet, rows, size, kLayerNormEpsilon, kept->output.sheet, kept->reciprocals.data());
    bias = folded_bias_.floats() + set * output_.outputs;
  }
  kernels_->output(kept->output.sheet, rows, size, output_.outputs, output_.packed.data() + set * output_.packed_words,
                   bias, outputs);
}

void BlockSequence::OutputBackward(int64_t set, int64_t rows, const float* slopes, bool add, Lane* lane,
                                   const Kept& kept, float* set_gradient) const {
  const int64_t size = spec_.recurrent_size;
  kernels_->load(slopes, nullptr, rows, output_.outputs, lane->slopes.sheet);
  float* const gradient = set_gradient + output_.in_gradient;
  kernels_->backward_weight(kept.output.sheet, lane->slopes.sheet, rows, size, output_.outputs, add, gradient,
                            gradient + output_.size());
  kernels_->backward_input(lane->slopes.sheet, rows, size, output_.outputs,
                           output_.transposed.data() + set * output_.transposed_words, plain_.sheet(),
                           BlockActivation::kRelu, lane->output_slopes.sheet);
  if (spec_.hidden_layer_norm) {
    norm_->backward(lane->output_slopes.sheet, kept.output.sheet, plain_.sheet(), BlockActivation::kRelu, rows, size,
                    kept.reciprocals.data());
  }
  ReadSheet(lane->output_slopes.sheet, rows, size, lane->passed.data());
}

void BlockSequence::Backward(int lane, int64_t set, int64_t rows, int64_t steps, const float* slopes, bool add,
                             float* set_gradient) {
  Lane& own = lanes_[lane];
  const int64_t size = spec_.recurrent_size, remembered = spec_.state_size();
  std::fill_n(own.slope.begin(), rows * remembered, 0.0f);
  for (int64_t t = steps - 1; t >= 0; --t) {
    Kept& kept = own.steps[t];
    const bool adds = add || t + 1 < steps;
    OutputBackward(set, rows, slopes + t * rows * output_.outputs, adds, &own, kept, set_gradient);
    for (int64_t r = 0; r < rows; ++r)
      vector_math::Add(own.passed.data() + r * size, size, own.slope.data() + r * remembered);

    const float* by_products = own.product_slopes.data();
    if (spec_.cell == Cell::kGru) {
      cell_loops::GruBackward(rows, size, kept.gates.data(), kept.candidates.data(), kept.before.data(),
                              own.slope.data(), own.input_slopes.data(), own.product_slopes.data());
    } else {
      cell_loops::LstmBackward(rows, size, kept.gates.data(), kept.candidates.data(), kept.before.data(),
                               own.slope.data(), own.input_slopes.data());
      by_products = own.input_slopes.data();
    }
    before_.Backward(set, own.input_slopes.data(), rows, adds, &kept.scratch, set_gradient);

    // Through the product with the state to what was remembered before.
    kernels_->load(Memory(kept.before.data(), rows, &own), nullptr, rows, size, own.states.sheet);
    kernels_->load(by_products, nullptr, rows, state_.outputs, own.slopes.sheet);
    float* const gradient = set_gradient + state_.in_gradient;
    kernels_->backward_weight(own.states.sheet, own.slopes.sheet, rows, size, state_.outputs, adds, gradient,
                              gradient + state_.size());
    if (t == 0) break;  // a sequence's first state is given
    kernels_->backward_input(own.slopes.sheet, rows, size, state_.outputs,
                             state_.transposed.data() + set * state_.transposed_words, plain_.sheet(),
                             BlockActivation::kRelu, own.state_slopes.sheet);
    ReadSheet(own.state_slopes.sheet, rows, size, own.passed.data());
    for (int64_t r = 0; r < rows; ++r) {
      float* const slope = own.slope.data() + r * remembered;
      if (kept.begins[r] != 0) {
        std::fill_n(slope, remembered, 0.0f);
      } else {
        vector_math::Add(own.passed.data() + r * size, size, slope);
      }
    }
  }
}

void BlockSequence::SumLayer(int64_t set, int64_t layer, float* const* set_gradients, int64_t count, float* gradient) {
  if (layer < before_.num_layers()) {
    return before_.SumLayer(parameters_, set, layer, set_gradients, count, gradient);
  }
  const bool is_output = layer > before_.num_layers();
  const Product& product = is_output ? output_ : state_;
  const auto sum = [&](int64_t from, int64_t size, float* to) {
    std::fill_n(to, size, 0.0f);
    for (int64_t i = 0; i < count; ++i) vector_math::Add(set_gradients[i] + from, size, to);
  };
  float* const weight = gradient + product.weight + set * product.size();
  float* const bias = gradient + product.bias + set * product.outputs;
  sum(product.in_gradient, product.size(), weight);
  sum(product.in_gradient + product.size(), product.outputs, bias);
  if (!is_output || !spec_.hidden_layer_norm) return;
  const int64_t gain = gain_ + set * product.inputs, shift = shift_ + set * product.inputs;
  norm_->unfold(parameters_ + product.weight + set * product.size(), parameters_ + gain, parameters_ + shift,
                product.inputs, product.outputs, bias, weight, gradient + gain, gradient + shift);
}

}  // namespace troupe
