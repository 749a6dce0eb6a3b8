#include "actor_worker/acting/own_actor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "actor_worker/acting/communicating_network.h"
#include "common/base/status_macros.h"
#include "common/specs/bounds_text.h"
#include "common/specs/option_policies.h"

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

// Adds the one-hot's weight row to the bias and drops the one-hot's rows, as DenseNetwork does. `observed`: inputs
// before it.
void FoldAgentId(int observed, int agent, HostTensor* weight, HostTensor* bias) {
  const int64_t outputs = weight->shape[2];
  const float* const row = weight->floats() + (observed + agent) * outputs;
  for (int64_t n = 0; n < outputs; ++n) bias->floats()[n] += row[n];
  weight->shape[1] = observed;
  weight->bytes.resize(observed * outputs * sizeof(float));
}

std::vector<int> ChoicesOf(const PolicySpec& spec) {
  if (spec.action_kind == ActionKind::kDiscrete) return {spec.action_size};
  return spec.action_sizes;
}

std::string FormOf(const PolicySpec& spec) {
  switch (spec.action_kind) {
    case ActionKind::kDiscrete:
      return absl::StrCat("action 0 … ", spec.action_size - 1);
    case ActionKind::kMultiDiscrete:
      return absl::StrCat("indices ", absl::StrJoin(spec.action_sizes, " and ", [](std::string* text, int size) {
                            absl::StrAppend(text, "0 … ", size - 1);
                          }));
    case ActionKind::kContinuous:
      break;
  }
  std::vector<ActionBounds> bounds = spec.action_bounds;
  if (std::ranges::all_of(bounds, [&](const ActionBounds& other) { return other == bounds[0]; })) {
    bounds.resize(1);
  }
  return absl::StrCat(spec.action_size, " numbers in ", BoundsText(bounds));
}

}  // namespace

OwnActor::OwnActor(const PolicySpec& spec, int agent)
    : observation_size_(spec.observation_size),
      action_size_(spec.action_size),
      choices_(ChoicesOf(spec)),
      form_(FormOf(spec)),
      messages_(spec.stack.messages),
      options_(spec.options),
      neighbours_(spec.stack.communicates() ? spec.neighbours[agent] : std::vector<int>()),
      discrete_(choices_.size()),
      sampled_(spec.action_kind == ActionKind::kContinuous ? spec.action_size : 0),
      taken_(sampled_.size()),
      chosen_{.discrete = absl::MakeSpan(discrete_),
              .sampled = absl::MakeSpan(sampled_),
              .taken = absl::MakeSpan(taken_),
              .log_probabilities = absl::MakeSpan(&log_probability_, 1)},
      action_{.discrete = discrete_, .continuous = taken_} {}

absl::StatusOr<std::unique_ptr<OwnActor>> OwnActor::Create(const PolicySpec& spec, const PolicySnapshot& snapshot,
                                                           int agent, NetworkFactory make_network) {
  if (agent < 0 || agent >= spec.num_agents) {
    return absl::OutOfRangeError(
        absl::StrCat("agent ", agent, " of group \"", spec.group, "\": expected 0 … ", spec.num_agents - 1));
  }
  RETURN_IF_ERROR(GroupActor::Create(spec, 1, make_network).status());
  ASSIGN_OR_RETURN(const auto tensors, TensorsOfGroup(snapshot, spec));
  PolicySnapshot own_snapshot{snapshot.policy_version, {}, snapshot.scalars};
  std::vector<HostTensor>& own_tensors = own_snapshot.tensors;
  for (const HostTensor& tensor : tensors) own_tensors.push_back(SliceSet(tensor, spec.set_of_agent[agent]));

  std::unique_ptr<OwnActor> actor(new OwnActor(spec, agent));
  PolicySpec own = spec;
  own.num_agents = 1;
  own.agent_id_input = false;
  own.set_of_agent = {0};
  own.stack.num_sets = 1;
  own.neighbours = {};
  const int taken = spec.observation_size + (spec.stack.communicates() ? spec.stack.messages.num_inputs() : 0);
  if (spec.agent_id_input && !spec.stack.input_layer_norm) {
    const int options = spec.options.count;
    FoldAgentId(options + taken, agent, &own_tensors[0], &own_tensors[1]);
    if (spec.has_options()) {
      HostTensor* const manager = &own_tensors[UnderOptions(spec).Parameters().size()];
      FoldAgentId(options + 1 + taken, agent, manager, manager + 1);
    }
    own.stack.input_size = options + taken;
  }
  own.observation_size = own.stack.input_size - spec.options.count;
  actor->input_.assign(own.observation_size, 0.0f);
  if (own.observation_size > taken) actor->input_[taken + agent] = 1.0f;
  ASSIGN_OR_RETURN(actor->actor_, GroupActor::Create(own, 1, make_network));
  RETURN_IF_ERROR(actor->actor_->SetSnapshot(own_snapshot));
  actor->state_.assign(actor->actor_->state_size(), 0.0f);
  return actor;
}

const GroupAction& OwnActor::Act(absl::Span<const float> observation, absl::Span<const uint8_t> mask,
                                 absl::Span<const float> uniforms, absl::Span<const float* const> heard) {
  std::copy_n(observation.begin(), observation_size_, input_.begin());
  if (messages_.size > 0) WriteHeard(messages_, heard, input_.data() + observation_size_);
  actor_->Act(input_, mask, uniforms, absl::MakeSpan(state_), chosen_);
  return action_;
}

absl::Status CheckMask(absl::Span<const uint8_t> mask, absl::Span<const int> choices) {
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] <= 1) continue;
    return absl::InvalidArgumentError(absl::StrCat("mask ", i, " is ", int{mask[i]}, ", expected 0 or 1"));
  }
  auto first = mask.begin();
  for (size_t index = 0; index < choices.size(); first += choices[index++]) {
    if (std::find(first, first + choices[index], 1) != first + choices[index]) continue;
    return absl::InvalidArgumentError(absl::StrCat("the mask allows no action",
                                                   choices.size() > 1 ? absl::StrCat(" in dimension ", index) : "",
                                                   ", expected at least one 1"));
  }
  return absl::OkStatus();
}

}  // namespace troupe
