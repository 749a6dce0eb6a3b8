#include "common/specs/environment_spec_json.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/specs/agent_group_json.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

Json GroupJson(const AgentGroupSpec& group) {
  Json json = {{"name", group.name}, {"team", group.team}};
  json.update(Json::parse(FormatAgentGroup(group)));
  json["observation_size"] = group.observation_size;
  json["action_kind"] = NameOf(group.action_kind);
  json["action_size"] = group.action_size;
  json["action_sizes"] = group.action_sizes;
  json["action_bounds"] = Json::array();
  if (group.has_masks()) return json;
  std::vector<ActionBounds> bounds = group.action_bounds;
  bounds.resize(group.action_size);  // without any, all are [-1, 1]
  for (const ActionBounds& of : bounds) json["action_bounds"].push_back({of.low, of.high});
  return json;
}

}  // namespace

std::string FormatEnvironmentSpec(const EnvironmentSpec& spec, int copies) {
  Json json = {{"name", spec.name}, {"copies", copies}, {"groups", Json::array()}, {"state_size", spec.state_size()}};
  json["statistics"] = spec.statistics;
  for (const AgentGroupSpec& group : spec.groups) {
    json["groups"].push_back(GroupJson(group));
    for (const std::string& agent : group.agents) {
      for (const std::string& name : spec.agent_statistics) {
        json["statistics"].push_back(absl::StrCat(agent, "/", name));
      }
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace troupe
