#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

class KernelFunction : public torch::autograd::Function<KernelFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& parameters,
                            const at::Tensor& x, const DenseStackKernel* kernel, int64_t output_size) {
    const int64_t rows = x.size(1);
    at::Tensor saved = at::empty({x.size(0) * rows, kernel->saved_per_row()}, x.options());
    at::Tensor y = at::empty({x.size(0), rows, output_size}, x.options());
    kernel->Forward(parameters.const_data_ptr<float>(), x.const_data_ptr<float>(), rows, saved.data_ptr<float>(),
                    y.data_ptr<float>());
    context->save_for_backward({parameters, x});
    context->saved_data["saved"] = saved;
    context->saved_data["kernel"] = reinterpret_cast<int64_t>(kernel);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto variables = context->get_saved_variables();
    const at::Tensor &parameters = variables[0], &x = variables[1];
    const at::Tensor saved = context->saved_data["saved"].toTensor();
    const auto* kernel = reinterpret_cast<const DenseStackKernel*>(context->saved_data["kernel"].toInt());
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor gradient = at::empty_like(parameters);
    at::Tensor dx = context->needs_input_grad(1) ? at::empty_like(x) : at::Tensor();
    kernel->Backward(parameters.const_data_ptr<float>(), x.const_data_ptr<float>(), saved.const_data_ptr<float>(),
                     dy.const_data_ptr<float>(), x.size(1), gradient.data_ptr<float>(),
                     dx.defined() ? dx.data_ptr<float>() : nullptr);
    return {gradient, dx, at::Tensor(), at::Tensor()};
  }
};

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

DenseStack::DenseStack(const DenseStackSpec& spec, uint64_t key, at::Device device)
    : spec_(spec), kernel_(std::make_shared<DenseStackKernel>(spec)) {
  parameters_ = at::empty({kernel_->num_parameters()}, at::TensorOptions().dtype(at::kFloat).device(device));
  SetParameters(InitialParameters(spec, key));
  parameters_.requires_grad_(true);
}

at::Tensor DenseStack::Forward(const at::Tensor& x) const {
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || !DenseStackKernel::Available()) {
    return ForwardReference(spec_, parameters_, x);
  }
  const at::Tensor input = x.contiguous();
  if (at::GradMode::is_enabled()) return KernelFunction::apply(parameters_, input, kernel_.get(), spec_.output_size);
  at::Tensor y = at::empty({input.size(0), input.size(1), spec_.output_size}, input.options());
  kernel_->Forward(parameters_.const_data_ptr<float>(), input.const_data_ptr<float>(), input.size(1), nullptr,
                   y.data_ptr<float>());
  return y;
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
