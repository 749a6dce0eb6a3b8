#include "actor_worker/acting/own_actor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

// The agent's parameter set alone.
HostTensor SliceSet(const HostTensor& tensor, int set) {
  HostTensor slice{tensor.name, tensor.data_type, tensor.shape, {}};
  const size_t bytes = tensor.bytes.size() / tensor.shape[0];
  slice.shape[0] = 1;
  slice.bytes.assign(tensor.bytes.begin() + set * bytes, tensor.bytes.begin() + (set + 1) * bytes);
  return slice;
}

// Adds the one-hot's weight row to the bias and drops the one-hot's rows, as PolicyInference does.
void FoldAgentId(int observed, int agent, HostTensor* weight, HostTensor* bias) {
  const int64_t outputs = weight->shape[2];
  const float* const row = weight->floats() + (observed + agent) * outputs;
  for (int64_t n = 0; n < outputs; ++n) bias->floats()[n] += row[n];
  weight->shape[1] = observed;
  weight->bytes.resize(observed * outputs * sizeof(float));
}

}  // namespace

absl::StatusOr<std::unique_ptr<OwnActor>> OwnActor::Create(const PolicySpec& spec, const PolicyWeights& weights,
                                                           int agent) {
  if (agent < 0 || agent >= spec.num_agents) {
    return absl::OutOfRangeError(
        absl::StrCat("agent ", agent, " of group \"", spec.group, "\": expected 0 … ", spec.num_agents - 1));
  }
  RETURN_IF_ERROR(PolicyInference::Create(spec, 1).status());
  ASSIGN_OR_RETURN(const auto tensors, GroupTensors(weights, spec));
  std::vector<HostTensor> own_tensors;
  for (const HostTensor& tensor : tensors) own_tensors.push_back(SliceSet(tensor, spec.set_of_agent[agent]));

  std::unique_ptr<OwnActor> actor(new OwnActor);
  actor->observation_size_ = spec.observation_size;
  actor->action_size_ = spec.action_size;
  PolicySpec own = spec;
  own.num_agents = 1;
  own.agent_id_input = false;
  own.set_of_agent = {0};
  own.stack.num_sets = 1;
  if (spec.agent_id_input && !spec.stack.input_layer_norm) {
    FoldAgentId(spec.observation_size, agent, &own_tensors[0], &own_tensors[1]);
    own.stack.input_size = spec.observation_size;
  } else {
    own.observation_size = spec.stack.input_size;
  }
  actor->input_.assign(own.observation_size, 0.0f);
  if (own.observation_size > spec.observation_size) actor->input_[spec.observation_size + agent] = 1.0f;
  ASSIGN_OR_RETURN(actor->inference_, PolicyInference::Create(own, 1));
  RETURN_IF_ERROR(actor->inference_->SetWeights(own_tensors));
  return actor;
}

int OwnActor::Choose(absl::Span<const float> observation, absl::Span<const uint8_t> mask,
                     absl::Span<const float> uniforms) {
  std::copy_n(observation.begin(), observation_size_, input_.begin());
  int32_t action = 0;
  float log_probability = 0;
  inference_->ActDiscrete(input_, mask, uniforms, absl::MakeSpan(&action, 1), absl::MakeSpan(&log_probability, 1));
  return action;
}

}  // namespace troupe
