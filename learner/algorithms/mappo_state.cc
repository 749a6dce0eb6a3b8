// What of Mappo leaves the process: actors for the workers, the whole state for checkpoints.
#include <cstring>
#include <functional>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "learner/algorithms/mappo.h"

namespace troupe {
namespace {

void Append(std::vector<HostTensor> from, std::vector<HostTensor>* to) {
  for (HostTensor& tensor : from) to->push_back(std::move(tensor));
}

HostTensor ToHost(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU).contiguous();
  return HostTensor::Float32(name, {host.numel()}, host.const_data_ptr<float>());
}

void FromHost(const HostTensor& source, at::Tensor* target) {
  const at::NoGradGuard no_gradient;
  target->copy_(at::from_blob(const_cast<float*>(source.floats()), target->sizes(), at::kFloat));
}

void SaveNetwork(const std::string& prefix, const DenseStack& stack, const FlatAdam& optimizer,
                 std::vector<HostTensor>* state) {
  Append(stack.Export(prefix), state);
  state->push_back(ToHost(prefix + "/adam.first_moment", optimizer.first_moment));
  state->push_back(ToHost(prefix + "/adam.second_moment", optimizer.second_moment));
  state->push_back(ToHost(prefix + "/adam.steps", optimizer.steps));
}

using Named = std::map<std::string, const HostTensor*>;

void LoadNetwork(const std::string& prefix, const Named& named, DenseStack* stack, FlatAdam* optimizer) {
  std::vector<float> values;
  for (const DenseStackSpec::Parameter& parameter : stack->spec().Parameters()) {
    const HostTensor& tensor = *named.at(prefix + "/" + parameter.name);
    values.insert(values.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
  }
  stack->SetParameters(values);
  FromHost(*named.at(prefix + "/adam.first_moment"), &optimizer->first_moment);
  FromHost(*named.at(prefix + "/adam.second_moment"), &optimizer->second_moment);
  FromHost(*named.at(prefix + "/adam.steps"), &optimizer->steps);
}

std::string Describe(const HostTensor& tensor) {
  return absl::StrCat("type ", static_cast<int>(tensor.data_type), ", shape [", absl::StrJoin(tensor.shape, ", "),
                      "], ", tensor.bytes.size(), " bytes");
}

}  // namespace

PolicyWeights Mappo::ExportPolicy(uint64_t policy_version) const {
  PolicyWeights weights{policy_version, {}};
  for (const Actor& actor : actors_) Append(actor.stack.Export(actor.policy.group), &weights.tensors);
  return weights;
}

std::vector<HostTensor> Mappo::SaveState() const {
  std::vector<HostTensor> state;
  for (const Actor& actor : actors_) SaveNetwork("actor/" + actor.policy.group, actor.stack, actor.optimizer, &state);
  for (const Critic& critic : critics_) {
    const std::string prefix = "critic/" + critic.layout.name;
    SaveNetwork(prefix, critic.stack, critic.optimizer, &state);
    HostTensor norm{prefix + "/value_norm", DataType::kFloat64, {3}, std::vector<char>(3 * sizeof(double))};
    std::memcpy(norm.bytes.data(), critic.value_norm.state().data(), norm.bytes.size());
    state.push_back(std::move(norm));
  }
  return state;
}

absl::Status Mappo::LoadState(absl::Span<const HostTensor> state) {
  Named named;
  for (const HostTensor& tensor : state) {
    if (!named.emplace(tensor.name, &tensor).second) {
      return absl::InvalidArgumentError(absl::StrCat("state: tensor \"", tensor.name, "\" appears twice"));
    }
  }
  const std::vector<HostTensor> expected = SaveState();
  for (const HostTensor& tensor : expected) {
    const auto found = named.find(tensor.name);
    if (found == named.end()) {
      return absl::InvalidArgumentError(absl::StrCat("state: tensor \"", tensor.name, "\" is missing"));
    }
    const HostTensor& came = *found->second;
    if (came.data_type != tensor.data_type || came.shape != tensor.shape || came.bytes.size() != tensor.bytes.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("state: tensor \"", tensor.name, "\" has ", Describe(came), ", expected ", Describe(tensor)));
    }
  }
  if (named.size() != expected.size()) {
    for (const HostTensor& tensor : expected) named.erase(tensor.name);
    return absl::InvalidArgumentError(absl::StrCat("state: tensor \"", named.begin()->first, "\" is unknown"));
  }
  for (Actor& actor : actors_) LoadNetwork("actor/" + actor.policy.group, named, &actor.stack, &actor.optimizer);
  for (Critic& critic : critics_) {
    const std::string prefix = "critic/" + critic.layout.name;
    LoadNetwork(prefix, named, &critic.stack, &critic.optimizer);
    std::array<double, 3> moments;
    std::memcpy(moments.data(), named.at(prefix + "/value_norm")->bytes.data(), sizeof(moments));
    critic.value_norm.set_state(moments);
  }
  return absl::OkStatus();
}

}  // namespace troupe
