#include "learner/arithmetic/networks/dense_stack.h"

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

at::Tensor ForwardReference(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x) {
  const std::map<std::string, at::Tensor> parts = SplitParameters(spec, parameters);
  const auto product = [&](const at::Tensor& input, const std::string& layer) {
    const at::Tensor &weight = parts.at(layer + ".weight"), &bias = parts.at(layer + ".bias");
    if (spec.num_sets == 1) return at::addmm(bias[0], input[0], weight[0]).unsqueeze(0);
    return at::baddbmm(bias.unsqueeze(1), input, weight);
  };
  const auto norm = [&](const at::Tensor& input, const std::string& name) {
    const at::Tensor normalized = at::layer_norm(input, {input.size(-1)}, {}, {}, kLayerNormEpsilon);
    return normalized * parts.at(name + ".gain").unsqueeze(1) + parts.at(name + ".bias").unsqueeze(1);
  };
  at::Tensor h = spec.input_layer_norm ? norm(x, "input_norm") : x;
  for (size_t i = 0; i < spec.hidden_sizes.size(); ++i) {
    h = product(h, "layers." + std::to_string(i));
    h = spec.activation == Activation::kRelu ? at::relu(h) : at::tanh(h);
    if (spec.hidden_layer_norm) h = norm(h, "norms." + std::to_string(i));
  }
  return product(h, "output");
}

DenseStack::DenseStack(const DenseStackSpec& spec, uint64_t key, at::Device device) : spec_(spec) {
  EvaluateOnce();
  const std::vector<float> values = InitialParameters(spec, key);
  parameters_ = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions().dtype(at::kFloat).device(device));
  SetParameters(values);
  parameters_.requires_grad_(true);
}

std::vector<HostTensor> DenseStack::Export(const std::string& prefix) const {
  const at::Tensor host = parameters_.detach().to(at::kCPU);
  const float* values = host.const_data_ptr<float>();
  std::vector<HostTensor> tensors;
  for (const DenseStackSpec::Parameter& parameter : spec_.Parameters()) {
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
