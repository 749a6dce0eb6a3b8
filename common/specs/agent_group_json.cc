#include "common/specs/agent_group_json.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

absl::Status CheckCount(const std::string& member, size_t count, int expected) {
  if (count == 0 || count == static_cast<size_t>(expected)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("agent group: ", member, ": ", count, " entries, expected ", expected, " or none"));
}

}  // namespace

std::string FormatAgentGroup(const AgentGroupSpec& group) {
  Json json = {{"agents", group.agents}, {"observation", Json::array()}, {"actions", Json::array()}};
  for (const ObservedNumber& number : group.observed) {
    json["observation"].push_back(
        {{"name", number.name}, {"unit", number.unit}, {"divided_by", number.divided_by}, {"meaning", number.meaning}});
  }
  for (const NamedAction& action : group.actions) {
    json["actions"].push_back({{"name", action.name}, {"meaning", action.meaning}});
  }
  return json.dump();
}

absl::StatusOr<AgentGroupSpec> ParseAgentGroup(const std::string& text, const PolicySpec& policy) {
  AgentGroupSpec group{.name = policy.group,
                       .observation_size = policy.observation_size,
                       .action_kind = policy.action_kind,
                       .action_size = policy.action_size,
                       .action_sizes = policy.action_sizes,
                       .action_bounds = policy.action_bounds};
  try {
    const Json json = Json::parse(text);
    group.agents = json.at("agents").get<std::vector<std::string>>();
    for (const Json& number : json.at("observation")) {
      group.observed.push_back({number.at("name").get<std::string>(), number.at("unit").get<std::string>(),
                                number.at("divided_by").get<double>(), number.at("meaning").get<std::string>()});
    }
    for (const Json& action : json.at("actions")) {
      group.actions.push_back({action.at("name").get<std::string>(), action.at("meaning").get<std::string>()});
    }
  } catch (const Json::exception& thrown) {
    return absl::InvalidArgumentError(absl::StrCat("agent group: ", thrown.what()));
  }
  for (const absl::Status& status : {CheckCount("agents", group.agents.size(), policy.num_agents),
                                     CheckCount("observation", group.observed.size(), policy.observation_size),
                                     CheckCount("actions", group.actions.size(), policy.action_size)}) {
    if (!status.ok()) return status;
  }
  return group;
}

}  // namespace troupe
