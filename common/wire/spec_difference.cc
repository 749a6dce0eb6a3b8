// DescribeDifference of spec_codec.h: what makes one environment another than the one a run began with.
#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/specs/bounds_text.h"
#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

std::string Differs(const std::string& field, const std::string& expected, const std::string& actual) {
  return absl::StrCat(field, ": came ", actual, ", expected ", expected);
}

std::string KindName(ActionKind kind) { return absl::AsciiStrToUpper(NameOf(kind)); }

std::string NameList(const std::vector<std::string>& names) {
  return absl::StrCat("[", absl::StrJoin(names, ", "), "]");
}

// A run of a version that told nothing goes on; what both tell must be the same. Units and meanings are words.
std::string DescribeNumbersDifference(const std::string& field, const std::vector<ObservedNumber>& expected,
                                      const std::vector<ObservedNumber>& actual) {
  for (size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    const std::string which = absl::StrCat(field, "[", i, "]");
    if (actual[i].name != expected[i].name) return Differs(which + ".name", expected[i].name, actual[i].name);
    if (actual[i].divided_by != expected[i].divided_by) {
      return Differs(which + ".divided_by", absl::StrCat(expected[i].divided_by), absl::StrCat(actual[i].divided_by));
    }
  }
  return "";
}

std::string DescribeActionsDifference(const std::string& field, const std::vector<NamedAction>& expected,
                                      const std::vector<NamedAction>& actual) {
  for (size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    if (actual[i].name == expected[i].name) continue;
    return Differs(absl::StrCat(field, "[", i, "].name"), expected[i].name, actual[i].name);
  }
  return "";
}

// "[1] [0, 2] [1]".
std::string ListsText(const std::vector<std::vector<int>>& lists) {
  return absl::StrJoin(lists, " ", [](std::string* text, const std::vector<int>& list) {
    absl::StrAppend(text, "[", absl::StrJoin(list, ", "), "]");
  });
}

std::string DescribeGroupDifference(const std::string& field, const AgentGroupSpec& expected,
                                    const AgentGroupSpec& actual) {
  if (actual.name != expected.name) return Differs(field + ".name", expected.name, actual.name);
  if (actual.agents != expected.agents) {
    return Differs(field + ".agents", NameList(expected.agents), NameList(actual.agents));
  }
  if (actual.observation_size != expected.observation_size) {
    return Differs(field + ".observation_size", absl::StrCat(expected.observation_size),
                   absl::StrCat(actual.observation_size));
  }
  if (actual.action_kind != expected.action_kind) {
    return Differs(field + ".action_kind", KindName(expected.action_kind), KindName(actual.action_kind));
  }
  if (actual.action_size != expected.action_size) {
    return Differs(field + ".action_size", absl::StrCat(expected.action_size), absl::StrCat(actual.action_size));
  }
  if (actual.action_sizes != expected.action_sizes) {
    return Differs(field + ".action_sizes", absl::StrCat("[", absl::StrJoin(expected.action_sizes, ", "), "]"),
                   absl::StrCat("[", absl::StrJoin(actual.action_sizes, ", "), "]"));
  }
  for (size_t d = 0; d < std::min(expected.action_bounds.size(), actual.action_bounds.size()); ++d) {
    if (actual.action_bounds[d] == expected.action_bounds[d]) continue;
    return Differs(absl::StrCat(field, ".action_bounds[", d, "]"), BoundsText({expected.action_bounds[d]}),
                   BoundsText({actual.action_bounds[d]}));
  }
  // Specs of before environments told it have none.
  if (!actual.neighbours.empty() && !expected.neighbours.empty() && actual.neighbours != expected.neighbours) {
    return Differs(field + ".neighbours", ListsText(expected.neighbours), ListsText(actual.neighbours));
  }
  std::string difference = DescribeNumbersDifference(field + ".observed", expected.observed, actual.observed);
  if (difference.empty()) difference = DescribeActionsDifference(field + ".actions", expected.actions, actual.actions);
  return difference;
}

// Where all are one team its name is a word.
std::string DescribeTeamsDifference(const EnvironmentSpec& expected, const EnvironmentSpec& actual) {
  if (expected.teams().size() == 1 && actual.teams().size() == 1) return "";
  for (size_t i = 0; i < expected.groups.size(); ++i) {
    const std::string &before = expected.groups[i].team, &now = actual.groups[i].team;
    if (now == before) continue;
    return Differs(absl::StrCat("environment_spec.groups[", i, "].team"), absl::StrCat("\"", before, "\""),
                   absl::StrCat("\"", now, "\""));
  }
  return "";
}

}  // namespace

std::string DescribeDifference(const EnvironmentSpec& expected, const EnvironmentSpec& actual) {
  if (actual.name != expected.name) return Differs("environment_spec.name", expected.name, actual.name);
  if (actual.groups.size() != expected.groups.size()) {
    return Differs("environment_spec.groups", absl::StrCat(expected.groups.size(), " groups"),
                   absl::StrCat(actual.groups.size()));
  }
  for (size_t i = 0; i < expected.groups.size(); ++i) {
    const std::string difference =
        DescribeGroupDifference(absl::StrCat("environment_spec.groups[", i, "]"), expected.groups[i], actual.groups[i]);
    if (!difference.empty()) return difference;
  }
  const std::string teams = DescribeTeamsDifference(expected, actual);
  if (!teams.empty()) return teams;
  if (actual.state_includes_observations != expected.state_includes_observations) {
    const auto text = [](bool value) { return value ? "true" : "false"; };
    return Differs("environment_spec.state_includes_observations", text(expected.state_includes_observations),
                   text(actual.state_includes_observations));
  }
  if (actual.state_extras_size != expected.state_extras_size) {
    return Differs("environment_spec.state_extras_size", absl::StrCat(expected.state_extras_size),
                   absl::StrCat(actual.state_extras_size));
  }
  const std::string extras =
      DescribeNumbersDifference("environment_spec.observed_extras", expected.observed_extras, actual.observed_extras);
  if (!extras.empty()) return extras;
  if (actual.statistics != expected.statistics) {
    return Differs("environment_spec.statistics", NameList(expected.statistics), NameList(actual.statistics));
  }
  if (actual.agent_statistics != expected.agent_statistics) {
    return Differs("environment_spec.agent_statistics", NameList(expected.agent_statistics),
                   NameList(actual.agent_statistics));
  }
  return "";
}

}  // namespace troupe
