#include "actor_worker/acting/group_actor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/specs/neighbours.h"

namespace troupe {
namespace {

absl::Status CheckSpec(const PolicySpec& spec, int copies) {
  const std::string where = absl::StrCat("policy of group \"", spec.group, "\": ");
  if (copies < 1) return absl::InvalidArgumentError(absl::StrCat(where, "copies is ", copies, ", expected at least 1"));
  // An agent by itself has what it hears among what it observes.
  const bool hears = spec.stack.communicates() && !spec.neighbours.empty();
  const int inputs = spec.observation_size + (spec.agent_id_input ? spec.num_agents : 0) +
                     (hears ? spec.stack.messages.num_inputs() : 0) + spec.options.count;
  if (spec.num_agents < 1 || spec.observation_size < 1 || spec.action_size < 1 || spec.stack.num_sets < 1 ||
      spec.stack.input_size != inputs || spec.stack.output_size != spec.distribution.NumOutputs(spec.action_size) ||
      spec.set_of_agent.size() != size_t(spec.num_agents)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, spec.num_agents, " agents, ", spec.observation_size, " observed numbers, ",
                     spec.action_size, " actions (", Describe(spec.distribution), ") and ", spec.set_of_agent.size(),
                     " parameter set indices do not fit a network of ", spec.stack.input_size, " inputs and ",
                     spec.stack.output_size, " outputs"));
  }
  if (TraitsOf(spec.distribution.kind).action_kind != spec.action_kind) {
    return absl::InvalidArgumentError(absl::StrCat(where, "the distribution ", Describe(spec.distribution),
                                                   " does not act on ", NameOf(spec.action_kind), " actions"));
  }
  const bool multi = spec.action_kind == ActionKind::kMultiDiscrete;
  const bool bounded = spec.action_kind == ActionKind::kContinuous && !spec.action_bounds.empty();
  if ((multi ? std::accumulate(spec.action_sizes.begin(), spec.action_sizes.end(), 0) != spec.action_size ||
                   std::ranges::any_of(spec.action_sizes, [](int size) { return size < 1; })
             : !spec.action_sizes.empty()) ||
      spec.action_bounds.size() != size_t(bounded ? spec.action_size : 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, spec.action_size, " ", NameOf(spec.action_kind), " actions do not fit dimensions of [",
                     absl::StrJoin(spec.action_sizes, ", "), "] choices and ", spec.action_bounds.size(), " bounds"));
  }
  for (const int set : spec.set_of_agent) {
    if (set < 0 || set >= spec.stack.num_sets) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "set_of_agent holds ", set, ", expected [0, ", spec.stack.num_sets, ")"));
    }
  }
  if (hears && (!AreNeighbours(spec.neighbours, spec.num_agents) ||
                MostHeard(spec.neighbours) != spec.stack.messages.most_heard ||
                spec.stack.messages.first_input != spec.observation_size)) {
    return absl::InvalidArgumentError(absl::StrCat(where, "its neighbours do not fit ", spec.num_agents,
                                                   " agents of whom each hears at most ",
                                                   spec.stack.messages.most_heard));
  }
  if (spec.has_options() && (spec.stack.is_recurrent() || spec.options.steps < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(where, spec.options.count, " options of ", spec.options.steps,
                                                   " steps, expected at least 1 of a network that remembers nothing"));
  }
  for (const int size : spec.stack.hidden_sizes) {
    if (size < 1)
      return absl::InvalidArgumentError(absl::StrCat(where, "hidden_sizes holds ", size, ", expected at least 1"));
  }
  if (spec.stack.has_cell() != (spec.stack.recurrent_size > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, "recurrent_size is ", spec.stack.recurrent_size,
                     spec.stack.has_cell() ? ", expected at least 1" : " without a cell, expected 0"));
  }
  return absl::OkStatus();
}

absl::Status CheckTensor(const HostTensor& tensor, const std::string& group,
                         const DenseStackSpec::Parameter& parameter) {
  const std::string expected = absl::StrCat(group, "/", parameter.name);
  if (tensor.name != expected) {
    return absl::InvalidArgumentError(absl::StrCat("weights: a tensor of group \"", group, "\" is \"", tensor.name,
                                                   "\", expected \"", expected, "\""));
  }
  if (tensor.data_type != DataType::kFloat32 || tensor.shape != parameter.shape ||
      tensor.bytes.size() != size_t(tensor.num_elements()) * sizeof(float)) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: ", expected, " has shape [", absl::StrJoin(tensor.shape, ", "), "] and ",
                     tensor.bytes.size(), " bytes, expected float32 [", absl::StrJoin(parameter.shape, ", "), "]"));
  }
  const float* const values = tensor.floats();
  for (int64_t k = 0; k < tensor.num_elements(); ++k) {
    if (!std::isfinite(values[k])) {
      return absl::InvalidArgumentError(
          absl::StrCat("weights: ", expected, " holds ", values[k], " at element ", k, ", expected finite numbers"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GroupActor>> GroupActor::Create(const PolicySpec& spec, int copies,
                                                               NetworkFactory make_network) {
  RETURN_IF_ERROR(CheckSpec(spec, copies));
  return std::unique_ptr<GroupActor>(new GroupActor(spec, copies, make_network));
}

GroupActor::GroupActor(const PolicySpec& spec, int copies, NetworkFactory make_network)
    : spec_(spec),
      parameters_(spec.Parameters()),
      network_parameters_(spec.stack.Parameters().size()),
      network_(make_network(UnderOptions(spec), copies)),
      distribution_(MakeDistribution(spec, copies)),
      options_(spec.has_options()
                   ? std::make_unique<OptionChooser>(spec, copies, distribution_->draws_per_agent(), make_network)
                   : nullptr) {}

absl::Status GroupActor::SetSnapshot(const PolicySnapshot& snapshot) {
  ASSIGN_OR_RETURN(const absl::Span<const HostTensor> tensors, TensorsOfGroup(snapshot, spec_));
  for (size_t i = 0; i < tensors.size(); ++i) RETURN_IF_ERROR(CheckTensor(tensors[i], spec_.group, parameters_[i]));
  RETURN_IF_ERROR(distribution_->SetSnapshot(tensors.subspan(network_parameters_), snapshot));
  network_->SetParameters(tensors);
  if (options_ != nullptr) options_->SetParameters(tensors.subspan(UnderOptions(spec_).Parameters().size()));
  return absl::OkStatus();
}

void GroupActor::IntoBounds(absl::Span<float> taken) const {
  const size_t size = spec_.action_bounds.size();
  for (size_t i = 0; i < taken.size(); ++i) taken[i] = spec_.action_bounds[i % size].At(taken[i]);
}

void GroupActor::SilenceDead(absl::Span<const uint8_t> alive, absl::Span<float> state) const {
  const size_t size = spec_.stack.state_size(), said = spec_.stack.messages.size;
  for (size_t row = 0; row < alive.size(); ++row) {
    if (alive[row] == 0) std::fill_n(state.begin() + (row + 1) * size - said, said, 0.0f);
  }
}

absl::StatusOr<absl::Span<const HostTensor>> TensorsOfGroup(const PolicySnapshot& snapshot, const PolicySpec& spec) {
  const std::string prefix = spec.group + "/";
  const size_t count = spec.Parameters().size();
  const auto& tensors = snapshot.tensors;
  const auto first = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const HostTensor& tensor) { return absl::StartsWith(tensor.name, prefix); });
  const auto last = std::find_if(first, tensors.end(),
                                 [&](const HostTensor& tensor) { return !absl::StartsWith(tensor.name, prefix); });
  if (size_t(last - first) != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: ", last - first, " tensors are named \"", prefix, "…\", expected the group's ", count));
  }
  return absl::MakeConstSpan(tensors).subspan(first - tensors.begin(), count);
}

}  // namespace troupe
