#include "learner/arithmetic/networks/dense_stack.h"

#include "learner/arithmetic/networks/attention.h"

namespace troupe {
namespace {

// The first time that a process evaluates LibTorch's functions they may be less accurate: on a busy machine one start
// in some three hundred had outputs 5e-5 off, and the same call right afterwards 3e-7. So the first time is thrown
// away.
void EvaluateOnce() {
  static const bool done = [] {
    const at::NoGradGuard no_gradient;
    const at::Tensor x = at::full({32, 64}, 0.5f), product = at::addmm(x, x, at::full({64, 64}, 0.5f));
    const at::Tensor normed = at::layer_norm(at::tanh(product), {64});
    return at::log_softmax(normed, -1).exp().sum().item<float>() > 0;
  }();
  static_cast<void>(done);
}

}  // namespace

std::vector<DenseStackSpec::Parameter> AllParameters(const DenseStackSpec& spec, const FreeParameters& free) {
  std::vector<DenseStackSpec::Parameter> all = spec.Parameters();
  if (free.size > 0) all.push_back({free.name, {spec.num_sets, free.size}});
  return all;
}

std::map<std::string, at::Tensor> SplitParameters(const DenseStackSpec& spec, const at::Tensor& flat) {
  std::map<std::string, at::Tensor> parts;
  int64_t offset = 0;
  for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
    const int64_t count = c10::multiply_integers(parameter.shape);
    parts[parameter.name] = flat.narrow(0, offset, count).view(parameter.shape);
    offset += count;
  }
  return parts;
}

namespace {

// Layers of one stack on its parameters.
class Layers {
 public:
  Layers(const DenseStackSpec& spec, const at::Tensor& parameters)
      : spec_(spec), parts_(SplitParameters(spec, parameters)) {}

  // `prefix` names weight and bias.
  at::Tensor Product(const at::Tensor& input, const std::string& prefix) const {
    const at::Tensor &weight = parts_.at(prefix + "weight"), &bias = parts_.at(prefix + "bias");
    if (spec_.num_sets == 1) return at::addmm(bias[0], input[0], weight[0]).unsqueeze(0);
    return at::baddbmm(bias.unsqueeze(1), input, weight);
  }
  at::Tensor Norm(const at::Tensor& input, const std::string& name) const {
    const at::Tensor normalized = at::layer_norm(input, {input.size(-1)}, {}, {}, kLayerNormEpsilon);
    return normalized * parts_.at(name + ".gain").unsqueeze(1) + parts_.at(name + ".bias").unsqueeze(1);
  }
  // From the input to what the output layer, or the cell, multiplies.
  at::Tensor Hidden(const at::Tensor& x) const {
    at::Tensor h = spec_.input_layer_norm ? Norm(x, "input_norm") : x;
    for (size_t i = 0; i < spec_.hidden_sizes.size(); ++i) {
      h = Product(h, "layers." + std::to_string(i) + ".");
      h = spec_.activation == Activation::kRelu ? at::relu(h) : at::tanh(h);
      if (spec_.hidden_layer_norm) h = Norm(h, "norms." + std::to_string(i));
    }
    return h;
  }

 private:
  const DenseStackSpec& spec_;
  const std::map<std::string, at::Tensor> parts_;
};

// From what the cell is given to what the heads multiply, and the cell's next state.
RecurrentStep StepCell(const DenseStackSpec& spec, const Layers& layers, const at::Tensor& given,
                       const at::Tensor& state) {
  const int64_t size = spec.recurrent_size;
  const at::Tensor memory = state.narrow(-1, 0, size);
  const at::Tensor inputs = layers.Product(given, "cell.input_");
  const at::Tensor states = layers.Product(memory, "cell.state_");
  const auto gate = [&](const at::Tensor& of, int64_t number) { return of.narrow(-1, number * size, size); };
  const auto sum = [&](int64_t number) { return gate(inputs, number) + gate(states, number); };
  at::Tensor output, next;
  if (spec.cell == Cell::kGru) {
    const at::Tensor reset = at::sigmoid(sum(0)), update = at::sigmoid(sum(1));
    const at::Tensor candidate = at::tanh(gate(inputs, 2) + reset * gate(states, 2));
    output = next = (1 - update) * candidate + update * memory;
  } else {
    const at::Tensor kept = at::sigmoid(sum(1)) * state.narrow(-1, size, size) + at::sigmoid(sum(0)) * at::tanh(sum(2));
    output = at::sigmoid(sum(3)) * at::tanh(kept);
    next = at::cat({output, kept}, -1);
  }
  if (spec.hidden_layer_norm) output = layers.Norm(output, "cell_norm");
  return {output, next};
}

}  // namespace

at::Tensor ForwardReference(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x) {
  if (spec.attends()) return AttentionForward(spec, parameters, x);
  const Layers layers(spec, parameters);
  return layers.Product(layers.Hidden(x), "output.");
}

RecurrentStep RecurrentReference(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x,
                                 const at::Tensor& state) {
  const Layers layers(spec, parameters);
  RecurrentStep step{layers.Hidden(x), state.narrow(-1, 0, 0)};
  if (spec.has_cell()) step = StepCell(spec, layers, step.outputs, state);
  if (spec.communicates()) {
    step.state = at::cat({step.state, at::tanh(layers.Product(step.outputs, "message."))}, -1);
  }
  step.outputs = layers.Product(step.outputs, "output.");
  return step;
}

DenseStack::DenseStack(const DenseStackSpec& spec, uint64_t key, at::Device device, const FreeParameters& free)
    : spec_(spec), all_(AllParameters(spec, free)) {
  EvaluateOnce();
  std::vector<float> values = InitialParameters(spec, key);
  values.insert(values.end(), spec.num_sets * free.size, free.initial);
  parameters_ = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions().dtype(at::kFloat).device(device));
  SetParameters(values);
  parameters_.requires_grad_(true);
}

std::vector<HostTensor> DenseStack::Export(const std::string& prefix) const {
  const at::Tensor host = parameters_.detach().to(at::kCPU);
  const float* values = host.const_data_ptr<float>();
  std::vector<HostTensor> tensors;
  for (const DenseStackSpec::Parameter& parameter : all_) {
    tensors.push_back(HostTensor::Float32(prefix + "/" + parameter.name, parameter.shape, values));
    values += tensors.back().num_elements();
  }
  return tensors;
}

void DenseStack::SetParameters(const std::vector<float>& values) {
  const at::NoGradGuard no_gradient;
  parameters_.copy_(
      at::from_blob(const_cast<float*>(values.data()), {static_cast<int64_t>(values.size())}, at::kFloat));
}

}  // namespace troupe
