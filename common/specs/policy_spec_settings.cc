#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/config/settings_reader.h"
#include "common/specs/algorithm_card.h"
#include "common/specs/neighbours.h"
#include "common/specs/policy_spec.h"

namespace troupe {
namespace {

// "policy.NAME", or the group's own field where it has settings of its own.
std::string FieldOf(const Experiment& experiment, const AgentGroupSpec& group, const std::string& name) {
  if (!experiment.group_policies().contains(group.name)) return absl::StrCat("policy.", name);
  return absl::StrCat("group_policies.", group.name, ".", name);
}

// `experiment` has its defaults filled in.
absl::StatusOr<std::vector<int>> SetsOfAgents(const Experiment& experiment, const PolicySettings& settings,
                                              const AgentGroupSpec& group) {
  std::vector<int> sets(group.num_agents(), 0);
  if (settings.sharing() == SHARED) return sets;
  if (settings.sharing() == PER_AGENT) {
    std::iota(sets.begin(), sets.end(), 0);
    return sets;
  }
  const std::string field = FieldOf(experiment, group, "partition");
  const std::string came = absl::StrCat(field, ": [", absl::StrJoin(settings.partition(), ", "), "]");
  if (settings.partition_size() != group.num_agents()) {
    return absl::InvalidArgumentError(absl::StrCat(came, " has ", settings.partition_size(),
                                                   " entries, expected one for each of the ", group.num_agents(),
                                                   " agents of group \"", group.name, "\""));
  }
  std::copy(settings.partition().begin(), settings.partition().end(), sets.begin());
  std::vector<int> sorted = sets;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.front() != 0 || sorted.back() != static_cast<int>(sorted.size()) - 1) {
    return absl::InvalidArgumentError(absl::StrCat(came, ", expected the indices 0, 1, … without gaps"));
  }
  return sets;
}

// Of a group whose experiment says nothing: the usual one, or, where the algorithm does not train that, the first that
// it does.
DistributionKind DistributionByItself(const Experiment& experiment, const AgentGroupSpec& group) {
  const DistributionKind usual = DefaultDistribution(group.action_kind);
  const auto card = FindAlgorithmCard(experiment.algorithm().name());
  if (!card.ok()) return usual;
  const std::vector<DistributionKind>& trained = (*card)->distributions;
  if (std::find(trained.begin(), trained.end(), usual) != trained.end()) return usual;
  const auto fits = [&](DistributionKind kind) { return TraitsOf(kind).action_kind == group.action_kind; };
  const auto first = std::find_if(trained.begin(), trained.end(), fits);
  return first == trained.end() ? usual : *first;
}

absl::StatusOr<DistributionSpec> DistributionOf(const Experiment& experiment, const PolicySettings& settings,
                                                const AgentGroupSpec& group) {
  DistributionSpec spec{.kind = DistributionByItself(experiment, group)};
  for (const DistributionTraits& traits : AllDistributions()) {
    if (traits.setting != settings.distribution()) continue;
    if (traits.action_kind != group.action_kind) {
      return absl::InvalidArgumentError(absl::StrCat(
          FieldOf(experiment, group, "distribution"), ": ", ActionDistribution_Name(traits.setting),
          " does not act on the actions of group \"", group.name, "\", which are ", NameOf(group.action_kind)));
    }
    spec.kind = traits.kind;
  }
  spec.state_dependent_std = spec.is_gaussian() && settings.state_dependent_std();
  if (spec.has_log_std()) spec.initial_log_std = static_cast<float>(settings.initial_log_std());
  return spec;
}

// What agents tell each other and who hears whom, and the inputs that this takes.
absl::Status SetMessages(const Experiment& experiment, const PolicySettings& settings, const AgentGroupSpec& group,
                         PolicySpec* spec) {
  if (settings.message_size() == 0) return absl::OkStatus();
  spec->neighbours = NeighboursOf(group);
  MessageSpec& messages = spec->stack.messages;
  messages.size = static_cast<int>(settings.message_size());
  messages.most_heard = MostHeard(spec->neighbours);
  messages.side_by_side = settings.concatenate_messages();
  messages.first_input = spec->observation_size;
  if (messages.most_heard == 0) {
    return absl::InvalidArgumentError(absl::StrCat(FieldOf(experiment, group, "message_size"), ": ", messages.size,
                                                   ", but in group \"", group.name,
                                                   "\" nobody hears anybody; expected 0 of this group"));
  }
  spec->stack.input_size += messages.num_inputs();
  return absl::OkStatus();
}

absl::StatusOr<PolicySpec> MakeFromComplete(const Experiment& experiment, const AgentGroupSpec& group) {
  if (group.num_agents() == 0) {
    return absl::InvalidArgumentError(absl::StrCat("group \"", group.name, "\": no agents, expected at least one"));
  }
  const auto own = experiment.group_policies().find(group.name);
  const PolicySettings& settings = own == experiment.group_policies().end() ? experiment.policy() : own->second;

  PolicySpec spec;
  spec.group = group.name;
  spec.num_agents = group.num_agents();
  spec.observation_size = group.observation_size;
  spec.agent_id_input = settings.agent_id_input();
  spec.action_kind = group.action_kind;
  spec.action_size = group.action_size;
  spec.action_sizes = group.action_sizes;
  spec.action_bounds = group.action_bounds;
  ASSIGN_OR_RETURN(spec.distribution, DistributionOf(experiment, settings, group));
  ASSIGN_OR_RETURN(spec.set_of_agent, SetsOfAgents(experiment, settings, group));

  DenseStackSpec& stack = spec.stack;
  stack.num_sets = 1 + *std::max_element(spec.set_of_agent.begin(), spec.set_of_agent.end());
  stack.input_size = spec.observation_size + (spec.agent_id_input ? spec.num_agents : 0);
  stack.hidden_sizes.assign(settings.hidden_sizes().begin(), settings.hidden_sizes().end());
  stack.output_size = spec.distribution.NumOutputs(spec.action_size);
  stack.activation = settings.activation() == TANH ? Activation::kTanh : Activation::kRelu;
  stack.input_layer_norm = settings.input_layer_norm();
  stack.hidden_layer_norm = settings.hidden_layer_norm();
  stack.orthogonal_init = settings.orthogonal_init();
  stack.output_gain = static_cast<float>(settings.output_gain());
  stack.cell = CellOf(settings.recurrent_cell());
  stack.recurrent_size = stack.has_cell() ? static_cast<int>(settings.recurrent_size()) : 0;
  RETURN_IF_ERROR(SetMessages(experiment, settings, group, &spec));
  if (settings.num_options() > 0) {
    spec.options = {static_cast<int>(settings.num_options()), static_cast<int>(settings.option_steps())};
    stack.input_size += spec.options.count;
  }
  return spec;
}

}  // namespace

Cell CellOf(RecurrentCell setting) { return setting == GRU ? Cell::kGru : setting == LSTM ? Cell::kLstm : Cell::kNone; }

absl::StatusOr<PolicySpec> MakePolicySpec(const Experiment& experiment, const AgentGroupSpec& group) {
  Experiment complete = experiment;
  FillDefaults(&complete);
  return MakeFromComplete(complete, group);
}

absl::StatusOr<std::vector<PolicySpec>> MakePolicySpecs(const Experiment& experiment,
                                                        const EnvironmentSpec& environment) {
  std::vector<std::string> names;
  for (const AgentGroupSpec& group : environment.groups) names.push_back(group.name);
  for (const auto& [name, settings] : experiment.group_policies()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string nearest = NearestName(name, names);
    return absl::InvalidArgumentError(absl::StrCat(
        "group_policies.", name, ": environment \"", environment.name, "\" has no such agent group, expected one of ",
        absl::StrJoin(names, " | "), nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }
  Experiment complete = experiment;
  FillDefaults(&complete);
  std::vector<PolicySpec> specs;
  for (const AgentGroupSpec& group : environment.groups) {
    ASSIGN_OR_RETURN(PolicySpec spec, MakeFromComplete(complete, group));
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace troupe
