#include "common/wire/spec_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/finite.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr uint32_t kMaxSize = 1'000'000;
constexpr int64_t kMaxStateSize = 100'000'000;

absl::Status Wrong(const std::string& field, const std::string& came, const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": came ", came, ", expected ", expected));
}

// What people are shown of an environment can neither begin lines nor tell a terminal anything.
absl::Status CheckText(const std::string& field, const std::string& text) {
  if (ShownText(text, text.size()) == text) return absl::OkStatus();
  return Wrong(field, absl::StrCat("\"", ShownText(text), "\""), "a text without control characters");
}

absl::Status CheckName(const std::string& field, const std::string& name, std::set<std::string>* taken) {
  if (name.empty()) return Wrong(field, "\"\"", "a name");
  if (name.find('/') != std::string::npos) return Wrong(field, absl::StrCat("\"", name, "\""), "a name without \"/\"");
  RETURN_IF_ERROR(CheckText(field, name));
  if (!taken->insert(name).second) return Wrong(field, absl::StrCat("\"", name, "\" a second time"), "different names");
  return absl::OkStatus();
}

absl::Status CheckSize(const std::string& field, uint32_t size, uint32_t low) {
  if (size >= low && size <= kMaxSize) return absl::OkStatus();
  return Wrong(field, absl::StrCat(size), absl::StrCat("a size in [", low, ", ", kMaxSize, "]"));
}

// Descriptions are told completely or not at all.
absl::Status CheckCount(const std::string& field, int count, uint32_t size) {
  if (count == 0 || static_cast<uint32_t>(count) == size) return absl::OkStatus();
  return Wrong(field, absl::StrCat(count), absl::StrCat(size, " or none"));
}

template <typename Messages>
absl::StatusOr<std::vector<ObservedNumber>> DecodeNumbers(const std::string& field, const Messages& messages,
                                                          uint32_t size) {
  RETURN_IF_ERROR(CheckCount(field, messages.size(), size));
  std::vector<ObservedNumber> numbers;
  std::set<std::string> names;
  for (int i = 0; i < messages.size(); ++i) {
    const wire::ObservedNumber& message = messages.Get(i);
    RETURN_IF_ERROR(CheckName(absl::StrCat(field, "[", i, "].name"), message.name(), &names));
    if (!(message.divided_by() > 0) || !std::isfinite(message.divided_by())) {
      return Wrong(absl::StrCat(field, "[", i, "].divided_by"), absl::StrCat(message.divided_by()), "a number > 0");
    }
    RETURN_IF_ERROR(CheckText(absl::StrCat(field, "[", i, "].unit"), message.unit()));
    RETURN_IF_ERROR(CheckText(absl::StrCat(field, "[", i, "].meaning"), message.meaning()));
    numbers.push_back({message.name(), message.unit(), message.divided_by(), message.meaning()});
  }
  return numbers;
}

template <typename Messages>
absl::StatusOr<std::vector<NamedAction>> DecodeActions(const std::string& field, const Messages& messages,
                                                       uint32_t size) {
  RETURN_IF_ERROR(CheckCount(field, messages.size(), size));
  std::vector<NamedAction> actions;
  std::set<std::string> names;
  for (int i = 0; i < messages.size(); ++i) {
    RETURN_IF_ERROR(CheckName(absl::StrCat(field, "[", i, "].name"), messages.Get(i).name(), &names));
    RETURN_IF_ERROR(CheckText(absl::StrCat(field, "[", i, "].meaning"), messages.Get(i).meaning()));
    actions.push_back({messages.Get(i).name(), messages.Get(i).meaning()});
  }
  return actions;
}

// Choices of each dimension of a multi-discrete action, which make up its size; other kinds have none.
absl::StatusOr<std::vector<int>> DecodeActionSizes(const std::string& field, const wire::AgentGroupSpec& message) {
  std::vector<int> sizes;
  if (message.action_kind() != wire::MULTI_DISCRETE) {
    if (message.action_sizes_size() == 0) return sizes;
    return Wrong(field, absl::StrCat(message.action_sizes_size()), "none but for MULTI_DISCRETE");
  }
  int64_t sum = 0;
  for (int d = 0; d < message.action_sizes_size(); ++d) {
    RETURN_IF_ERROR(CheckSize(absl::StrCat(field, "[", d, "]"), message.action_sizes(d), 1));
    sum += message.action_sizes(d);
    sizes.push_back(static_cast<int>(message.action_sizes(d)));
  }
  if (sum == message.action_size()) return sizes;
  return Wrong(field, absl::StrCat("[", absl::StrJoin(sizes, ", "), "]"),
               absl::StrCat("sizes that make up action_size, ", message.action_size()));
}

absl::StatusOr<std::vector<ActionBounds>> DecodeActionBounds(const std::string& field,
                                                             const wire::AgentGroupSpec& message) {
  const uint32_t size = message.action_kind() == wire::CONTINUOUS ? message.action_size() : 0;
  RETURN_IF_ERROR(CheckCount(field + ".action_low", message.action_low_size(), size));
  if (message.action_high_size() != message.action_low_size()) {
    return Wrong(field + ".action_high", absl::StrCat(message.action_high_size()),
                 absl::StrCat(message.action_low_size(), " as in action_low"));
  }
  std::vector<ActionBounds> bounds;
  for (int d = 0; d < message.action_low_size(); ++d) {
    const float low = message.action_low(d), high = message.action_high(d);
    if (!std::isfinite(low) || !std::isfinite(high) || !(low < high)) {
      return Wrong(absl::StrCat(field, ".action_high[", d, "]"), absl::StrCat(high, " with a low of ", low),
                   "finite bounds, low < high");
    }
    bounds.push_back({low, high});
  }
  return bounds;
}

absl::StatusOr<std::vector<std::vector<int>>> DecodeNeighbours(const std::string& field,
                                                               const wire::AgentGroupSpec& message) {
  const auto agents = static_cast<uint32_t>(message.agents_size());
  RETURN_IF_ERROR(CheckCount(field, message.neighbours_size(), agents));
  std::vector<std::vector<int>> neighbours;
  for (int i = 0; i < message.neighbours_size(); ++i) {
    std::set<uint32_t> heard;
    neighbours.emplace_back();
    for (const uint32_t agent : message.neighbours(i).agents()) {
      if (agent >= agents || agent == static_cast<uint32_t>(i) || !heard.insert(agent).second) {
        return Wrong(absl::StrCat(field, "[", i, "]"), absl::StrCat("agent ", agent),
                     absl::StrCat("others in [0, ", agents, "), each once"));
      }
      neighbours.back().push_back(static_cast<int>(agent));
    }
  }
  return neighbours;
}

absl::StatusOr<AgentGroupSpec> DecodeGroup(const std::string& field, const wire::AgentGroupSpec& message,
                                           std::set<std::string>* agents) {
  AgentGroupSpec group;
  group.name = message.name();
  group.team = message.team();
  if (group.team.find('/') != std::string::npos) {
    return Wrong(field + ".team", absl::StrCat("\"", group.team, "\""), "a name without \"/\"");
  }
  if (message.agents_size() == 0) return Wrong(field + ".agents", "none", "at least one");
  RETURN_IF_ERROR(CheckSize(field + ".agents", message.agents_size(), 1));
  for (int i = 0; i < message.agents_size(); ++i) {
    RETURN_IF_ERROR(CheckName(absl::StrCat(field, ".agents[", i, "]"), message.agents(i), agents));
  }
  group.agents.assign(message.agents().begin(), message.agents().end());
  RETURN_IF_ERROR(CheckSize(field + ".observation_size", message.observation_size(), 1));
  RETURN_IF_ERROR(CheckSize(field + ".action_size", message.action_size(), 1));
  group.observation_size = static_cast<int>(message.observation_size());
  group.action_size = static_cast<int>(message.action_size());
  switch (message.action_kind()) {
    case wire::DISCRETE:
      group.action_kind = ActionKind::kDiscrete;
      break;
    case wire::CONTINUOUS:
      group.action_kind = ActionKind::kContinuous;
      break;
    case wire::MULTI_DISCRETE:
      group.action_kind = ActionKind::kMultiDiscrete;
      break;
    default:
      return Wrong(field + ".action_kind", absl::StrCat(static_cast<int>(message.action_kind())),
                   "DISCRETE (1), CONTINUOUS (2) or MULTI_DISCRETE (3)");
  }
  ASSIGN_OR_RETURN(group.action_sizes, DecodeActionSizes(field + ".action_sizes", message));
  ASSIGN_OR_RETURN(group.action_bounds, DecodeActionBounds(field, message));
  ASSIGN_OR_RETURN(group.neighbours, DecodeNeighbours(field + ".neighbours", message));
  ASSIGN_OR_RETURN(group.observed, DecodeNumbers(field + ".observed", message.observed(), message.observation_size()));
  ASSIGN_OR_RETURN(group.actions, DecodeActions(field + ".actions", message.actions(), message.action_size()));
  return group;
}

template <typename Messages>
void EncodeNumbers(const std::vector<ObservedNumber>& numbers, Messages* messages) {
  for (const ObservedNumber& number : numbers) {
    wire::ObservedNumber* const encoded = messages->Add();
    encoded->set_name(number.name);
    encoded->set_unit(number.unit);
    encoded->set_divided_by(number.divided_by);
    encoded->set_meaning(number.meaning);
  }
}

wire::ActionKind WireKind(ActionKind kind) {
  switch (kind) {
    case ActionKind::kDiscrete:
      return wire::DISCRETE;
    case ActionKind::kContinuous:
      return wire::CONTINUOUS;
    case ActionKind::kMultiDiscrete:
      break;
  }
  return wire::MULTI_DISCRETE;
}

// The wire has no 64-bit types: only what networks are made of travels.
wire::DataType WireType(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return wire::FLOAT32;
    case DataType::kInt32:
      return wire::INT32;
    case DataType::kUint8:
      return wire::UINT8;
    default:
      return wire::DATA_TYPE_UNSPECIFIED;
  }
}

absl::StatusOr<HostTensor> DecodeParameter(const std::string& name, const std::vector<int64_t>& shape,
                                           const wire::NamedTensor& message) {
  const std::string field = absl::StrCat("weights: tensor \"", name, "\"");
  const wire::Tensor& tensor = message.tensor();
  if (message.name() != name) return Wrong(field, absl::StrCat("\"", message.name(), "\""), "this one in its place");
  if (tensor.data_type() != wire::FLOAT32) {
    return Wrong(field + ".data_type", wire::DataType_Name(tensor.data_type()), "FLOAT32");
  }
  if (!std::equal(shape.begin(), shape.end(), tensor.shape().begin(), tensor.shape().end())) {
    return Wrong(field + ".shape", absl::StrCat("[", absl::StrJoin(tensor.shape(), ", "), "]"),
                 absl::StrCat("[", absl::StrJoin(shape, ", "), "]"));
  }
  HostTensor result{name, DataType::kFloat32, shape, {}};
  const size_t num_bytes = result.num_elements() * sizeof(float);
  if (tensor.data().size() != num_bytes) {
    return Wrong(field + ".data", absl::StrCat(tensor.data().size(), " bytes"), absl::StrCat(num_bytes));
  }
  result.bytes.assign(tensor.data().begin(), tensor.data().end());
  const absl::Span<const float> values(result.floats(), result.num_elements());
  if (!AllFinite(values)) {
    const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    return Wrong(absl::StrCat(field, "[", bad - values.begin(), "]"), absl::StrCat(*bad), "a finite value");
  }
  return result;
}

}  // namespace

void EncodeEnvironmentSpec(const EnvironmentSpec& spec, wire::EnvironmentSpec* message) {
  message->Clear();
  message->set_name(spec.name);
  for (const AgentGroupSpec& group : spec.groups) {
    wire::AgentGroupSpec* const encoded = message->add_groups();
    encoded->set_name(group.name);
    encoded->set_team(group.team);
    encoded->mutable_agents()->Assign(group.agents.begin(), group.agents.end());
    encoded->set_observation_size(group.observation_size);
    encoded->set_action_kind(WireKind(group.action_kind));
    encoded->set_action_size(group.action_size);
    encoded->mutable_action_sizes()->Assign(group.action_sizes.begin(), group.action_sizes.end());
    for (const ActionBounds& bounds : group.action_bounds) {
      encoded->add_action_low(bounds.low);
      encoded->add_action_high(bounds.high);
    }
    for (const std::vector<int>& agents : group.neighbours) {
      encoded->add_neighbours()->mutable_agents()->Assign(agents.begin(), agents.end());
    }
    EncodeNumbers(group.observed, encoded->mutable_observed());
    for (const NamedAction& action : group.actions) {
      wire::NamedAction* const named = encoded->add_actions();
      named->set_name(action.name);
      named->set_meaning(action.meaning);
    }
  }
  message->set_state_includes_observations(spec.state_includes_observations);
  message->set_state_extras_size(spec.state_extras_size);
  EncodeNumbers(spec.observed_extras, message->mutable_observed_extras());
  message->mutable_statistics()->Assign(spec.statistics.begin(), spec.statistics.end());
  message->mutable_agent_statistics()->Assign(spec.agent_statistics.begin(), spec.agent_statistics.end());
  message->mutable_machine_settings()->Assign(spec.machine_settings.begin(), spec.machine_settings.end());
}

absl::StatusOr<EnvironmentSpec> DecodeEnvironmentSpec(const wire::EnvironmentSpec& message) {
  EnvironmentSpec spec;
  std::set<std::string> groups, agents, statistics, agent_statistics, machine_settings;
  if (message.name().empty()) return Wrong("environment_spec.name", "\"\"", "a name");
  RETURN_IF_ERROR(CheckText("environment_spec.name", message.name()));
  if (message.groups_size() == 0) return Wrong("environment_spec.groups", "none", "at least one");
  RETURN_IF_ERROR(CheckSize("environment_spec.state_extras_size", message.state_extras_size(), 0));
  spec.name = message.name();
  spec.state_includes_observations = message.state_includes_observations();
  spec.state_extras_size = static_cast<int>(message.state_extras_size());
  ASSIGN_OR_RETURN(spec.observed_extras, DecodeNumbers("environment_spec.observed_extras", message.observed_extras(),
                                                       message.state_extras_size()));
  int64_t observations_size = 0;
  for (int i = 0; i < message.groups_size(); ++i) {
    const std::string field = absl::StrCat("environment_spec.groups[", i, "]");
    RETURN_IF_ERROR(CheckName(field + ".name", message.groups(i).name(), &groups));
    ASSIGN_OR_RETURN(AgentGroupSpec group, DecodeGroup(field, message.groups(i), &agents));
    observations_size += int64_t{group.num_agents()} * (group.observation_size + group.action_size);
    if (observations_size > kMaxStateSize) {
      return Wrong("environment_spec.groups", absl::StrCat(observations_size, " observed numbers and actions in all"),
                   absl::StrCat("at most ", kMaxStateSize));
    }
    spec.groups.push_back(std::move(group));
  }
  for (int i = 0; i < message.statistics_size(); ++i) {
    RETURN_IF_ERROR(
        CheckName(absl::StrCat("environment_spec.statistics[", i, "]"), message.statistics(i), &statistics));
  }
  for (int i = 0; i < message.agent_statistics_size(); ++i) {
    RETURN_IF_ERROR(CheckName(absl::StrCat("environment_spec.agent_statistics[", i, "]"), message.agent_statistics(i),
                              &agent_statistics));
  }
  const int64_t num_statistics =
      message.statistics_size() + int64_t{spec.num_agents()} * message.agent_statistics_size();
  if (num_statistics > kMaxSize) {
    return Wrong("environment_spec.agent_statistics", absl::StrCat(num_statistics, " numbers an episode in all"),
                 absl::StrCat("at most ", kMaxSize));
  }
  for (int i = 0; i < message.machine_settings_size(); ++i) {
    RETURN_IF_ERROR(CheckName(absl::StrCat("environment_spec.machine_settings[", i, "]"), message.machine_settings(i),
                              &machine_settings));
  }
  spec.machine_settings.assign(message.machine_settings().begin(), message.machine_settings().end());
  spec.statistics.assign(message.statistics().begin(), message.statistics().end());
  spec.agent_statistics.assign(message.agent_statistics().begin(), message.agent_statistics().end());
  return spec;
}

void EncodeWeights(const PolicySnapshot& weights, wire::Weights* message) {
  message->Clear();
  message->set_policy_version(weights.policy_version);
  for (const HostTensor& tensor : weights.tensors) {
    wire::NamedTensor* const encoded = message->add_tensors();
    encoded->set_name(tensor.name);
    encoded->mutable_tensor()->set_data_type(WireType(tensor.data_type));
    encoded->mutable_tensor()->mutable_shape()->Assign(tensor.shape.begin(), tensor.shape.end());
    encoded->mutable_tensor()->set_data(tensor.bytes.data(), tensor.bytes.size());
  }
  for (const NamedScalar& scalar : weights.scalars) {
    wire::NamedScalar* const encoded = message->add_scalars();
    encoded->set_name(scalar.name);
    encoded->set_value(scalar.value);
  }
}

absl::StatusOr<PolicySnapshot> DecodeWeights(const std::vector<PolicySpec>& specs, const wire::Weights& message) {
  PolicySnapshot weights;
  weights.policy_version = message.policy_version();
  int next = 0;
  for (const PolicySpec& spec : specs) {
    for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
      const std::string name = absl::StrCat(spec.group, "/", parameter.name);
      if (next == message.tensors_size()) {
        return Wrong(absl::StrCat("weights: tensor \"", name, "\""), "nothing", "this one");
      }
      ASSIGN_OR_RETURN(HostTensor tensor, DecodeParameter(name, parameter.shape, message.tensors(next++)));
      weights.tensors.push_back(std::move(tensor));
    }
  }
  if (next != message.tensors_size()) {
    return Wrong("weights.tensors", absl::StrCat(message.tensors_size(), " tensors"), absl::StrCat(next));
  }
  for (const wire::NamedScalar& scalar : message.scalars()) weights.scalars.push_back({scalar.name(), scalar.value()});
  RETURN_IF_ERROR(CheckScalars(weights.scalars));
  return weights;
}

}  // namespace troupe
