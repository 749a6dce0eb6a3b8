#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/specs/neighbours.h"
#include "common/specs/policy_spec.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxSize = 1'000'000;
constexpr int kMostSaid = 1024;                             // as policy.message_size
constexpr int kMostOptions = 64, kMostOptionSteps = 65536;  // as policy.num_options, policy.option_steps

absl::Status Wrong(const std::string& field, const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat("policy spec: ", field, ": expected ", expected));
}

// Reads declared members of an object and, with Finish, refuses all others.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {}

  const Json* Find(const std::string& name, const std::string& expected) {
    names_.insert(name);
    const auto found = object_.is_object() ? object_.find(name) : object_.end();
    if (!object_.is_object() || found == object_.end()) {
      Refuse(name, absl::StrCat(expected, ", nothing came"));
      return nullptr;
    }
    return &*found;
  }
  void Integer(const std::string& name, int low, int high, int* value) {
    const std::string expected = absl::StrCat("a whole number in [", low, ", ", high, "]");
    const Json* const member = Find(name, expected);
    if (member != nullptr && !ReadInteger(*member, low, high, value)) Refuse(name, expected);
  }
  void Integers(const std::string& name, int low, int high, std::vector<int>* values) {
    const std::string expected = absl::StrCat("a list of whole numbers in [", low, ", ", high, "]");
    const Json* const member = Find(name, expected);
    if (member != nullptr && !ReadIntegers(*member, low, high, values)) Refuse(name, expected);
  }
  // A list of such lists.
  void Lists(const std::string& name, int low, int high, std::vector<std::vector<int>>* lists) {
    const std::string expected = absl::StrCat("a list of lists of whole numbers in [", low, ", ", high, "]");
    const Json* const member = Find(name, expected);
    if (member == nullptr) return;
    if (!member->is_array()) return Refuse(name, expected);
    lists->clear();
    for (const Json& list : *member) {
      if (!ReadIntegers(list, low, high, &lists->emplace_back())) return Refuse(name, expected);
    }
  }
  void Boolean(const std::string& name, bool* value) {
    const Json* const member = Find(name, "true or false");
    if (member == nullptr) return;
    if (!member->is_boolean()) return Refuse(name, "true or false");
    *value = member->get<bool>();
  }
  void Number(const std::string& name, float* value) {
    const Json* const member = Find(name, "a number");
    if (member == nullptr) return;
    if (!member->is_number()) return Refuse(name, "a number");
    *value = member->get<float>();
  }
  void Text(const std::string& name, std::string* value) {
    const Json* const member = Find(name, "text");
    if (member == nullptr) return;
    if (!member->is_string()) return Refuse(name, "text");
    *value = member->get<std::string>();
  }
  template <typename Enum>
  void Choice(const std::string& name, const std::vector<std::pair<std::string, Enum>>& choices, Enum* value) {
    std::string text;
    Text(name, &text);
    for (const auto& [choice, meaning] : choices) {
      if (text == choice) {
        *value = meaning;
        return;
      }
    }
    Refuse(name, absl::StrJoin(choices, " or ", [](std::string* expected, const auto& choice) {
             absl::StrAppend(expected, "\"", choice.first, "\"");
           }));
  }
  // [[low, high], …]
  void Bounds(const std::string& name, std::vector<ActionBounds>* bounds) {
    const std::string expected = "a list of [low, high], low < high";
    const Json* const member = Find(name, expected);
    if (member == nullptr) return;
    if (!member->is_array()) return Refuse(name, expected);
    bounds->clear();
    for (const Json& pair : *member) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number()) {
        return Refuse(name, expected);
      }
      const double low = pair[0].get<double>(), high = pair[1].get<double>();
      constexpr double kLargest = std::numeric_limits<float>::max();
      if (!(low >= -kLargest && high <= kLargest)) return Refuse(name, expected);
      bounds->push_back({static_cast<float>(low), static_cast<float>(high)});
      if (!(bounds->back().low < bounds->back().high)) return Refuse(name, expected);
    }
  }
  bool Has(const std::string& name) const { return object_.is_object() && object_.contains(name); }
  absl::Status Finish() {
    for (const auto& item : object_.items()) {
      if (status_.ok() && !names_.contains(item.key())) {
        return Wrong(path_ + item.key(), "no field of this name");
      }
    }
    return status_;
  }

 private:
  static bool ReadInteger(const Json& json, int low, int high, int* value) {
    if (!json.is_number_integer()) return false;
    if (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(high)) return false;
    const int64_t wide = json.get<int64_t>();
    if (wide < low || wide > high) return false;
    *value = static_cast<int>(wide);
    return true;
  }
  static bool ReadIntegers(const Json& json, int low, int high, std::vector<int>* values) {
    if (!json.is_array()) return false;
    values->clear();
    for (const Json& element : json) {
      if (!ReadInteger(element, low, high, &values->emplace_back())) return false;
    }
    return true;
  }
  void Refuse(const std::string& name, const std::string& expected) {
    if (status_.ok()) status_ = Wrong(path_ + name, expected);
  }

  const Json& object_;
  const std::string path_;
  std::set<std::string> names_;
  absl::Status status_;
};

// Files of versions that knew one distribution do not tell it.
absl::StatusOr<DistributionSpec> ReadDistribution(ActionKind action_kind, ObjectReader& reader) {
  DistributionSpec spec{.kind = DefaultDistribution(action_kind)};
  if (reader.Has("distribution")) {
    std::string name;
    reader.Text("distribution", &name);
    const DistributionTraits* const traits = FindDistribution(name);
    if (traits == nullptr || traits->action_kind != action_kind) {
      return Wrong("distribution", absl::StrCat("one for ", NameOf(action_kind), " actions, came \"", name, "\""));
    }
    spec.kind = traits->kind;
  }
  if (spec.is_gaussian() && reader.Has("state_dependent_std")) {
    reader.Boolean("state_dependent_std", &spec.state_dependent_std);
  }
  if (spec.has_log_std() && reader.Has("initial_log_std")) reader.Number("initial_log_std", &spec.initial_log_std);
  return spec;
}

// Those whose agents say nothing to each other do not tell it.
void ReadMessages(ObjectReader& reader, ObjectReader& stack_reader, PolicySpec* spec) {
  if (!stack_reader.Has("message_size")) return;
  MessageSpec& messages = spec->stack.messages;
  stack_reader.Integer("message_size", 1, kMostSaid, &messages.size);
  stack_reader.Boolean("messages_side_by_side", &messages.side_by_side);
  reader.Lists("neighbours", 0, kMaxSize, &spec->neighbours);
  messages.most_heard = MostHeard(spec->neighbours);
  messages.first_input = spec->observation_size;
}

// Those without a manager do not tell it.
void ReadOptions(ObjectReader& reader, PolicySpec* spec) {
  if (!reader.Has("num_options")) return;
  reader.Integer("num_options", 1, kMostOptions, &spec->options.count);
  reader.Integer("option_steps", 1, kMostOptionSteps, &spec->options.steps);
}

absl::Status CheckConsistency(const PolicySpec& spec) {
  const DenseStackSpec& stack = spec.stack;
  if (static_cast<int>(spec.set_of_agent.size()) != spec.num_agents) {
    return Wrong("set_of_agent", absl::StrCat(spec.num_agents, " entries, came ", spec.set_of_agent.size()));
  }
  for (const int set : spec.set_of_agent) {
    if (set >= stack.num_sets) return Wrong("set_of_agent", absl::StrCat("entries below ", stack.num_sets));
  }
  if (stack.communicates() && (!AreNeighbours(spec.neighbours, spec.num_agents) || stack.messages.most_heard == 0)) {
    return Wrong("neighbours", "of each agent different others of the group, and somebody who hears another");
  }
  const int64_t input_size = int64_t{spec.observation_size} + (spec.agent_id_input ? spec.num_agents : 0) +
                             (stack.communicates() ? stack.messages.num_inputs() : 0) + spec.options.count;
  if (stack.input_size != input_size) {
    return Wrong("stack.input_size", absl::StrCat(input_size, ", came ", stack.input_size));
  }
  if (spec.has_options() && stack.is_recurrent()) return Wrong("num_options", "none of a network that remembers");
  const int outputs = spec.distribution.NumOutputs(spec.action_size);
  if (stack.output_size != outputs) {
    return Wrong("stack.output_size", absl::StrCat(outputs, ", came ", stack.output_size));
  }
  const bool multi = spec.action_kind == ActionKind::kMultiDiscrete;
  const int64_t choices = std::accumulate(spec.action_sizes.begin(), spec.action_sizes.end(), int64_t{0});
  if (choices != (multi ? spec.action_size : 0)) {
    return Wrong("action_sizes", absl::StrCat(multi ? spec.action_size : 0, " choices, came ", choices));
  }
  if (!spec.action_bounds.empty() && spec.action_bounds.size() != static_cast<size_t>(spec.action_size)) {
    return Wrong("action_bounds", absl::StrCat(spec.action_size, " entries, came ", spec.action_bounds.size()));
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatPolicySpec(const PolicySpec& spec) {
  const DenseStackSpec& stack = spec.stack;
  Json json = {{"group", spec.group},
               {"num_agents", spec.num_agents},
               {"observation_size", spec.observation_size},
               {"agent_id_input", spec.agent_id_input},
               {"action_kind", NameOf(spec.action_kind)},
               {"action_size", spec.action_size},
               {"set_of_agent", spec.set_of_agent},
               {"stack",
                {{"num_sets", stack.num_sets},
                 {"input_size", stack.input_size},
                 {"hidden_sizes", stack.hidden_sizes},
                 {"output_size", stack.output_size},
                 {"activation", stack.activation == Activation::kRelu ? "relu" : "tanh"},
                 {"input_layer_norm", stack.input_layer_norm},
                 {"hidden_layer_norm", stack.hidden_layer_norm},
                 {"orthogonal_init", stack.orthogonal_init},
                 {"output_gain", stack.output_gain}}}};
  if (stack.has_cell()) {
    json["stack"]["cell"] = stack.cell == Cell::kGru ? "gru" : "lstm";
    json["stack"]["recurrent_size"] = stack.recurrent_size;
  }
  if (stack.communicates()) {
    json["stack"]["message_size"] = stack.messages.size;
    json["stack"]["messages_side_by_side"] = stack.messages.side_by_side;
    json["neighbours"] = spec.neighbours;
  }
  if (spec.has_options()) {
    json["num_options"] = spec.options.count;
    json["option_steps"] = spec.options.steps;
  }
  if (!spec.action_sizes.empty()) json["action_sizes"] = spec.action_sizes;
  for (const ActionBounds& of : spec.action_bounds) json["action_bounds"].push_back({of.low, of.high});
  if (spec.distribution.kind != DistributionKind::kCategorical) {
    json["distribution"] = TraitsOf(spec.distribution.kind).name;
  }
  if (spec.distribution.is_gaussian()) json["state_dependent_std"] = spec.distribution.state_dependent_std;
  if (spec.distribution.has_log_std()) json["initial_log_std"] = spec.distribution.initial_log_std;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<PolicySpec> ParsePolicySpec(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) {
    return absl::InvalidArgumentError("policy spec: not a JSON object");
  }
  PolicySpec spec;
  ObjectReader reader(json, "");
  reader.Text("group", &spec.group);
  reader.Integer("num_agents", 1, kMaxSize, &spec.num_agents);
  reader.Integer("observation_size", 1, kMaxSize, &spec.observation_size);
  reader.Boolean("agent_id_input", &spec.agent_id_input);
  std::vector<std::pair<std::string, ActionKind>> kinds;
  for (const ActionKind kind : {ActionKind::kDiscrete, ActionKind::kContinuous, ActionKind::kMultiDiscrete}) {
    kinds.emplace_back(NameOf(kind), kind);
  }
  reader.Choice("action_kind", kinds, &spec.action_kind);
  reader.Integer("action_size", 1, kMaxSize, &spec.action_size);
  if (spec.action_kind == ActionKind::kMultiDiscrete) reader.Integers("action_sizes", 1, kMaxSize, &spec.action_sizes);
  // Environments whose dimensions are all in [-1, 1] do not tell it.
  if (spec.action_kind == ActionKind::kContinuous && reader.Has("action_bounds")) {
    reader.Bounds("action_bounds", &spec.action_bounds);
  }
  reader.Integers("set_of_agent", 0, kMaxSize, &spec.set_of_agent);
  ASSIGN_OR_RETURN(spec.distribution, ReadDistribution(spec.action_kind, reader));
  const Json* const stack_json = reader.Find("stack", "an object");
  if (stack_json != nullptr && !stack_json->is_object()) return Wrong("stack", "an object");

  DenseStackSpec& stack = spec.stack;
  const Json no_stack = Json::object();
  ObjectReader stack_reader(stack_json == nullptr ? no_stack : *stack_json, "stack.");
  ReadMessages(reader, stack_reader, &spec);
  ReadOptions(reader, &spec);
  RETURN_IF_ERROR(reader.Finish());
  stack_reader.Integer("num_sets", 1, kMaxSize, &stack.num_sets);
  stack_reader.Integer("input_size", 1, 2 * kMaxSize, &stack.input_size);
  stack_reader.Integers("hidden_sizes", 1, kMaxSize, &stack.hidden_sizes);
  stack_reader.Integer("output_size", 1, kMaxSize, &stack.output_size);
  stack_reader.Choice<Activation>("activation", {{"relu", Activation::kRelu}, {"tanh", Activation::kTanh}},
                                  &stack.activation);
  stack_reader.Boolean("input_layer_norm", &stack.input_layer_norm);
  stack_reader.Boolean("hidden_layer_norm", &stack.hidden_layer_norm);
  stack_reader.Boolean("orthogonal_init", &stack.orthogonal_init);
  stack_reader.Number("output_gain", &stack.output_gain);
  if (stack_reader.Has("cell")) {  // feed-forward networks do not tell it
    stack_reader.Choice<Cell>("cell", {{"gru", Cell::kGru}, {"lstm", Cell::kLstm}}, &stack.cell);
    stack_reader.Integer("recurrent_size", 1, kMaxSize, &stack.recurrent_size);
  }
  RETURN_IF_ERROR(stack_reader.Finish());
  RETURN_IF_ERROR(CheckConsistency(spec));
  return spec;
}

}  // namespace troupe
