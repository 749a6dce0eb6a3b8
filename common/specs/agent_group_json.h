// What an agent group's observation and actions are called, as the JSON text that actor files carry.
#ifndef TROUPE_COMMON_SPECS_AGENT_GROUP_JSON_H_
#define TROUPE_COMMON_SPECS_AGENT_GROUP_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// {"agents": [NAME, …], "observation": [{"name", "unit", "divided_by", "meaning"}, …], "actions": [{"name", "meaning"},
// …]} in the order of the numbers that go in and come out. The lists are empty where the group does not tell.
std::string FormatAgentGroup(const AgentGroupSpec& group);

// The group of `policy`, its sizes taken from there. INVALID_ARGUMENT naming the member that is missing, of the wrong
// type or has other than as many entries as the policy asks for (or none).
absl::StatusOr<AgentGroupSpec> ParseAgentGroup(const std::string& text, const PolicySpec& policy);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_AGENT_GROUP_JSON_H_
