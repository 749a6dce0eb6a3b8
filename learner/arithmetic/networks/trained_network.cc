#include "learner/arithmetic/networks/trained_network.h"

#include <functional>
#include <map>
#include <numeric>
#include <utility>

namespace troupe {
namespace {

// Every parameter tensor has the sets as its leading axis.
std::vector<FlatAdam::Slice> SlicesOf(const NetworkPlan& plan) {
  std::vector<FlatAdam::Slice> slices;
  int64_t first = 0;
  for (const DenseStackSpec::Parameter& parameter : AllParameters(plan.stack, plan.free)) {
    const int64_t size =
        std::accumulate(parameter.shape.begin() + 1, parameter.shape.end(), int64_t{1}, std::multiplies<>());
    for (int set = 0; set < plan.stack.num_sets; ++set, first += size) slices.push_back({set, first, size});
  }
  // What lies side by side is one.
  if (plan.stack.num_sets == 1) slices = {{0, 0, first}};
  return slices;
}

HostTensor ToHost(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU).contiguous();
  return HostTensor::Float32(name, {host.numel()}, host.const_data_ptr<float>());
}

}  // namespace

TrainedNetwork::TrainedNetwork(NetworkPlan given, at::Device device)
    : plan(std::move(given)),
      stack(plan.stack, plan.initial_key, device, plan.free),
      optimizer(stack.parameters(), plan.optimizer, plan.stack.num_sets, SlicesOf(plan)) {}

at::Tensor TrainedNetwork::FreePart(const at::Tensor& flat) const {
  if (plan.free.size == 0) return {};
  const int64_t count = num_sets() * plan.free.size;
  return flat.narrow(0, flat.numel() - count, count).view({num_sets(), plan.free.size});
}

std::vector<float> TrainedNetwork::Free() const {
  if (plan.free.size == 0) return {};
  const at::Tensor host = FreePart(stack.parameters().detach()).to(at::kCPU).contiguous();
  return {host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel()};
}

void TrainedNetwork::Save(std::vector<HostTensor>* state) const {
  for (HostTensor& tensor : stack.Export(plan.name)) state->push_back(std::move(tensor));
  if (!is_stepped()) return;
  state->push_back(ToHost(plan.name + "/adam.first_moment", optimizer.first_moment));
  state->push_back(ToHost(plan.name + "/adam.second_moment", optimizer.second_moment));
  state->push_back(ToHost(plan.name + "/adam.steps", optimizer.steps));
}

void TrainedNetwork::Load(absl::Span<const HostTensor> state) {
  const at::NoGradGuard no_gradient;
  std::map<std::string, const HostTensor*> named;
  for (const HostTensor& tensor : state) named[tensor.name] = &tensor;
  std::vector<float> values;
  for (const DenseStackSpec::Parameter& parameter : AllParameters(plan.stack, plan.free)) {
    const HostTensor& tensor = *named.at(plan.name + "/" + parameter.name);
    values.insert(values.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
  }
  stack.SetParameters(values);
  if (!is_stepped()) return;
  const auto take = [&](const char* name, at::Tensor* to) {
    const HostTensor& from = *named.at(plan.name + name);
    to->copy_(at::from_blob(const_cast<float*>(from.floats()), {from.num_elements()}, at::kFloat));
  };
  take("/adam.first_moment", &optimizer.first_moment);
  take("/adam.second_moment", &optimizer.second_moment);
  take("/adam.steps", &optimizer.steps);
}

}  // namespace troupe
