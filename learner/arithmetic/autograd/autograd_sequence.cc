#include "learner/arithmetic/autograd/autograd_sequence.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "learner/arithmetic/host/vector_math.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

DenseStackSpec OfOneSet(DenseStackSpec spec) {
  spec.num_sets = 1;
  return spec;
}

at::Tensor View(const float* values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values), shape, at::kFloat);
}

}  // namespace

AutogradSequence::AutogradSequence(const DenseStackSpec& spec, const at::Tensor& parameters)
    : spec_(spec), own_(OfOneSet(spec)), parameters_(parameters) {
  int64_t first = 0;
  for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
    const int64_t size =
        std::accumulate(parameter.shape.begin() + 1, parameter.shape.end(), int64_t{1}, std::multiplies<>());
    parameters_of_.push_back({first, set_size_, size});
    first += size * spec.num_sets;
    set_size_ += size;
  }
}

void AutogradSequence::Prepare(int lanes, int64_t) { lanes_.resize(lanes); }

at::Tensor AutogradSequence::OwnParameters(int64_t set) const {
  at::Tensor own = at::empty({set_size_}, at::kFloat);
  for (const Parameter& parameter : parameters_of_) {
    std::copy_n(parameters_.const_data_ptr<float>() + parameter.first + set * parameter.size, parameter.size,
                own.data_ptr<float>() + parameter.in_set);
  }
  return own;
}

void AutogradSequence::Step(int lane, const StepCall& call, int64_t keep) {
  Lane& own = lanes_[lane];
  const at::AutoGradMode with_gradient(keep != kNotKept);
  at::Tensor x = at::empty({1, call.rows, spec_.input_size}, at::kFloat);
  for (int64_t r = 0; r < call.rows; ++r) {
    std::copy_n(call.x + call.offsets[r], spec_.input_size, x.data_ptr<float>() + r * spec_.input_size);
  }
  // What a kept step remembers is a function of the steps before it; a first one begins with what it is given.
  if (keep <= 0) {
    own.leaf = OwnParameters(call.set).requires_grad_(keep == 0);
    own.state = View(call.state, {1, call.rows, spec_.state_size()}).clone();
    own.outputs.clear();
  }
  at::Tensor goes_on = at::ones({1, call.rows, 1}, at::kFloat);
  for (int64_t r = 0; r < call.rows; ++r) goes_on.data_ptr<float>()[r] = call.begins[r] == 0 ? 1.0f : 0.0f;
  const RecurrentStep step = RecurrentReference(own_, own.leaf, x, own.state * goes_on);
  own.state = step.state;
  if (keep != kNotKept) own.outputs.push_back(step.outputs);
  const at::Tensor outputs = step.outputs.detach().contiguous(), state = step.state.detach().contiguous();
  std::copy_n(outputs.const_data_ptr<float>(), outputs.numel(), call.outputs);
  std::copy_n(state.const_data_ptr<float>(), state.numel(), call.state);
}

void AutogradSequence::Backward(int lane, int64_t, int64_t rows, int64_t steps, const float* slopes, bool add,
                                float* set_gradient) {
  const at::AutoGradMode with_gradient(true);
  Lane& own = lanes_[lane];
  at::cat(own.outputs, 0).backward(View(slopes, {steps, rows, spec_.output_size}));
  const float* const gradient = own.leaf.grad().const_data_ptr<float>();
  if (!add) std::fill_n(set_gradient, set_size_, 0.0f);
  vector_math::Add(gradient, set_size_, set_gradient);
  own = {};
}

void AutogradSequence::SumLayer(int64_t set, int64_t layer, float* const* set_gradients, int64_t count,
                                float* gradient) {
  const Parameter& parameter = parameters_of_[layer];
  float* const to = gradient + parameter.first + set * parameter.size;
  std::fill_n(to, parameter.size, 0.0f);
  for (int64_t i = 0; i < count; ++i) vector_math::Add(set_gradients[i] + parameter.in_set, parameter.size, to);
}

}  // namespace troupe
