#include "learner/arithmetic/gpu/device_stack.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {

DeviceStack::DeviceStack(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& gradient,
                         bool bfloat16)
    : spec_(spec), type_(bfloat16 ? at::kBFloat16 : at::kFloat), parameters_(parameters.detach()) {
  if (bfloat16) rounded_ = parameters_.to(at::kBFloat16);
  values_ = Split(parameters_);
  products_ = Split(bfloat16 ? rounded_ : parameters_);
  gradients_ = Split(gradient);
}

DeviceStack::Parts DeviceStack::Split(const at::Tensor& flat) const {
  std::map<std::string, at::Tensor> named = SplitParameters(spec_, flat);
  const auto pair = [&](const std::string& name, const char* scale) {
    return Pair{named[name + scale], named[name + ".bias"]};
  };
  Parts parts;
  if (spec_.input_layer_norm) parts.input_norm = pair("input_norm", ".gain");
  for (size_t i = 0; i < spec_.hidden_sizes.size(); ++i) {
    parts.layers.push_back(pair("layers." + std::to_string(i), ".weight"));
    if (spec_.hidden_layer_norm) parts.norms.push_back(pair("norms." + std::to_string(i), ".gain"));
  }
  parts.layers.push_back(pair("output", ".weight"));
  return parts;
}

int64_t DeviceStack::Inputs(size_t layer) const {
  return layer == 0 ? spec_.input_size : spec_.hidden_sizes[layer - 1];
}

bool DeviceStack::IsNormed(size_t layer) const { return layer == 0 ? spec_.input_layer_norm : spec_.hidden_layer_norm; }

at::Tensor DeviceStack::View(const at::Tensor& flat, int64_t rows, int64_t width) const {
  return flat.narrow(0, 0, spec_.num_sets * rows * width).view({spec_.num_sets, rows, width});
}

DeviceStack::Activations DeviceStack::Allocate(int64_t max_rows) const {
  const auto flat = [&](int64_t width, at::ScalarType type) {
    return at::empty({spec_.num_sets * max_rows * width}, parameters_.options().dtype(type));
  };
  Activations activations;
  activations.max_rows = max_rows;
  int64_t widest = spec_.output_size;
  for (size_t layer = 0; layer < products_.layers.size(); ++layer) {
    const bool converts = type_ != at::kFloat && (layer == 0 || IsNormed(layer));
    activations.operands.push_back(converts ? flat(Inputs(layer), type_) : at::Tensor());
    activations.outputs.push_back(flat(products_.layers[layer].shift.size(1), type_));
    widest = std::max(widest, Inputs(layer));
  }
  if (type_ != at::kFloat) activations.result = flat(spec_.output_size, at::kFloat);
  for (at::Tensor& slope : activations.slopes) slope = flat(widest, type_);
  activations.used.resize(products_.layers.size());
  activations.norms.resize(values_.norms.size());
  return activations;
}

void DeviceStack::Refresh() {
  if (rounded_.defined()) rounded_.copy_(parameters_);
}

at::Tensor DeviceStack::Operand(size_t layer, const at::Tensor& from, Activations* activations) const {
  if (from.scalar_type() == type_) return from;
  at::Tensor operand = View(activations->operands[layer], from.size(1), Inputs(layer));
  operand.copy_(from);
  return operand;
}

at::Tensor DeviceStack::Normalize(const at::Tensor& x, const Pair& pair, Activations::Norm* norm) const {
  norm->input = x.to(at::kFloat);
  std::tie(norm->normalized, norm->mean, norm->deviation) =
      at::native_layer_norm(norm->input, {x.size(-1)}, {}, {}, kLayerNormEpsilon);
  return at::addcmul(pair.shift.unsqueeze(1), norm->normalized, pair.scale.unsqueeze(1));
}

at::Tensor DeviceStack::Forward(const at::Tensor& x, Activations* activations) const {
  const int64_t rows = x.size(1);
  TORCH_CHECK(rows <= activations->max_rows, "more rows than activations were allocated for");
  at::Tensor h = spec_.input_layer_norm ? Normalize(x, values_.input_norm, &activations->input_norm) : x;
  for (size_t layer = 0; layer < products_.layers.size(); ++layer) {
    const Pair& pair = products_.layers[layer];
    const at::Tensor operand = activations->used[layer] = Operand(layer, h, activations);
    h = View(activations->outputs[layer], rows, pair.shift.size(1));
    if (spec_.num_sets == 1) {
      at::Tensor out = h.select(0, 0);
      at::addmm_out(out, pair.shift.select(0, 0), operand.select(0, 0), pair.scale.select(0, 0));
    } else {
      at::baddbmm_out(h, pair.shift.unsqueeze(1), operand, pair.scale);
    }
    if (layer + 1 == products_.layers.size()) break;
    spec_.activation == Activation::kRelu ? at::relu_(h) : at::tanh_(h);
    if (spec_.hidden_layer_norm) h = Normalize(h, values_.norms[layer], &activations->norms[layer]);
  }
  if (type_ == at::kFloat) return h;
  at::Tensor result = View(activations->result, rows, spec_.output_size);
  result.copy_(h);
  return result;
}

void DeviceStack::LayerGradient(const at::Tensor& operand, const at::Tensor& dy, bool add, Pair* gradient) const {
  const bool single = spec_.num_sets == 1;
  const at::Tensor x = single ? operand.select(0, 0).t() : operand.transpose(1, 2), d = single ? dy.select(0, 0) : dy;
  at::Tensor weight = single ? gradient->scale.select(0, 0) : gradient->scale;
  if (type_ != at::kFloat) {
    const at::Tensor product = single ? at::mm(x, d) : at::bmm(x, d);
    add ? weight.add_(product) : weight.copy_(product);
  } else if (single) {
    add ? weight.addmm_(x, d) : at::mm_out(weight, x, d);
  } else {
    add ? weight.baddbmm_(x, d) : at::bmm_out(weight, x, d);
  }
  if (add) {
    gradient->shift.add_(at::sum(dy, {1}, /*keepdim=*/false, at::kFloat));
  } else {
    at::sum_out(gradient->shift, dy, {1}, /*keepdim=*/false, at::kFloat);
  }
}

at::Tensor DeviceStack::NormBackward(const at::Tensor& dy, const Pair& pair, bool wanted, bool add,
                                     Activations::Norm* norm, Pair* gradient) const {
  const at::Tensor d = dy.to(at::kFloat), scaled = d * norm->normalized;
  if (add) {
    gradient->scale.add_(at::sum(scaled, {1}));
    gradient->shift.add_(at::sum(d, {1}));
  } else {
    at::sum_out(gradient->scale, scaled, {1});
    at::sum_out(gradient->shift, d, {1});
  }
  at::Tensor dx;
  if (wanted) {
    dx = std::get<0>(at::native_layer_norm_backward(d * pair.scale.unsqueeze(1), norm->input, {d.size(-1)}, norm->mean,
                                                    norm->deviation, {}, {}, {true, false, false}));
  }
  *norm = {};
  return dx;
}

void DeviceStack::Backward(const at::Tensor& dy, bool add, Activations* activations) {
  const int64_t rows = dy.size(1);
  at::Tensor d = dy.to(type_);
  for (size_t layer = products_.layers.size(); layer-- > 0;) {
    const at::Tensor operand = std::exchange(activations->used[layer], {});
    LayerGradient(operand, d, add, &gradients_.layers[layer]);
    if (layer == 0 && !spec_.input_layer_norm) return;
    at::Tensor dx = View(activations->slopes[layer % 2], rows, Inputs(layer));
    const at::Tensor& weight = products_.layers[layer].scale;
    if (spec_.num_sets == 1) {
      at::Tensor out = dx.select(0, 0);
      at::mm_out(out, d.select(0, 0), weight.select(0, 0).t());
    } else {
      at::bmm_out(dx, d, weight.transpose(1, 2));
    }
    if (layer == 0) {
      NormBackward(dx, values_.input_norm, /*wanted=*/false, add, &activations->input_norm, &gradients_.input_norm);
      return;
    }
    if (spec_.hidden_layer_norm) {
      dx.copy_(NormBackward(dx, values_.norms[layer - 1], /*wanted=*/true, add, &activations->norms[layer - 1],
                            &gradients_.norms[layer - 1]));
    }
    const at::Tensor output = View(activations->outputs[layer - 1], rows, Inputs(layer));
    if (spec_.activation == Activation::kRelu) {
      at::threshold_backward_out(dx, dx, output, 0);
    } else {
      at::tanh_backward_out(dx, dx, output);
    }
    d = dx;
  }
}

}  // namespace troupe
