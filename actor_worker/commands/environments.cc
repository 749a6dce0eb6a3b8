#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/environments/registry/registry.h"
#include "common/command_line/command.h"
#include "common/command_line/terminal.h"
#include "common/wire/spec_codec.h"
#include "google/protobuf/text_format.h"

namespace troupe {
namespace {

Command EnvironmentsCommand() {
  return {.name = "actor_worker environments",
          .usage = {"", "NAME [--set environment.settings.SETTING=VALUE …]"},
          .text =
              "Lists the environments. With NAME: its settings with defaults, its agents, what each number they "
              "observe and each\naction is, its statistics and its baselines, all under the settings given.",
          .flags = {"set FIELD=VALUE", "spec"},
          .examples = {"actor_worker environments traffic_grid --set environment.settings.action_set=CHOOSE_PHASE"},
          .max_words = 1};
}

// A row per number: its place, its name, what it is and what it is divided by.
std::string DescribeNumbers(const std::vector<ObservedNumber>& numbers) {
  size_t name_width = 0, quantity_width = 0;
  std::vector<std::string> quantities;
  for (const ObservedNumber& number : numbers) {
    const std::string divisor = number.divided_by == 1 ? "" : absl::StrCat("/ ", number.divided_by);
    const bool both = !number.unit.empty() && !divisor.empty();
    quantities.push_back(absl::StrCat(number.unit, both ? " " : "", divisor));
    name_width = std::max(name_width, number.name.size());
    quantity_width = std::max(quantity_width, quantities.back().size());
  }
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    absl::StrAppendFormat(&text, "      %3d  %-*s  %-*s  %s\n", i, static_cast<int>(name_width), numbers[i].name,
                          static_cast<int>(quantity_width), quantities[i], numbers[i].meaning);
  }
  return text;
}

// "5 actions", "5 × 10 actions, an index in each dimension", "2 continuous action dimensions".
std::string DescribeSpace(const AgentGroupSpec& group) {
  switch (group.action_kind) {
    case ActionKind::kDiscrete:
      return absl::StrCat(group.action_size, " actions");
    case ActionKind::kMultiDiscrete:
      return absl::StrCat(absl::StrJoin(group.action_sizes, " × "), " actions, an index in each dimension");
    case ActionKind::kContinuous:
      break;
  }
  return absl::StrCat(group.action_size, " continuous action dimensions");
}

// Indices begin anew in each dimension of multi-discrete actions; continuous dimensions have bounds.
std::string DescribeActions(const AgentGroupSpec& group) {
  const std::vector<NamedAction>& actions = group.actions;
  size_t name_width = 0;
  for (const NamedAction& action : actions) name_width = std::max(name_width, action.name.size());
  std::string text;
  int dimension = 0, first = 0;
  for (int i = 0; i < static_cast<int>(actions.size()); ++i) {
    if (group.has_masks() && i - first == group.choices_of(dimension)) {
      first = i;
      ++dimension;
    }
    if (i == first && group.action_kind == ActionKind::kMultiDiscrete) {
      absl::StrAppend(&text, "      dimension ", dimension, "\n");
    }
    const ActionBounds bounds = group.action_bounds.empty() ? ActionBounds{} : group.action_bounds[i];
    absl::StrAppendFormat(&text, "      %3d  %-*s  %s%s\n", i - first, static_cast<int>(name_width), actions[i].name,
                          group.has_masks() ? "" : absl::StrFormat("in [%g, %g]  ", bounds.low, bounds.high),
                          actions[i].meaning);
  }
  return text;
}

// Who hears whom where agents tell each other something.
std::string DescribeNeighbours(const AgentGroupSpec& group) {
  std::string text;
  if (group.neighbours.empty()) return text;
  absl::StrAppend(&text, "    neighbours, whose messages reach an agent, where actors talk (policy.message_size)\n");
  for (int a = 0; a < group.num_agents(); ++a) {
    absl::StrAppend(&text, "      ", group.agents[a], ":", group.neighbours[a].empty() ? " none" : "");
    for (const int other : group.neighbours[a]) absl::StrAppend(&text, " ", group.agents[other]);
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string DescribeAgents(const EnvironmentSpec& spec) {
  std::string text = "agents\n";
  for (const AgentGroupSpec& group : spec.groups) {
    absl::StrAppendFormat(&text, "  %s%s: %d × %d observed numbers, %s: %s\n", group.name,
                          group.team.empty() ? "" : absl::StrCat(" (team ", group.team, ")"), group.num_agents(),
                          group.observation_size, DescribeSpace(group), absl::StrJoin(group.agents, " "));
    absl::StrAppend(&text, "    observation, in this order: name, unit / what it is divided by, meaning\n",
                    DescribeNumbers(group.observed), "    actions, by their number\n", DescribeActions(group),
                    DescribeNeighbours(group));
  }
  absl::StrAppendFormat(&text, "\nglobal state, for the critic\n  %d numbers: %s%d extras\n", spec.state_size(),
                        spec.state_includes_observations ? "all observations and " : "", spec.state_extras_size);
  absl::StrAppend(&text, DescribeNumbers(spec.observed_extras));
  absl::StrAppend(&text, "\nstatistics\n  ", absl::StrJoin(spec.statistics, "\n  "), "\n");
  if (!spec.agent_statistics.empty()) {
    absl::StrAppend(&text, "\nstatistics of each agent\n  ", absl::StrJoin(spec.agent_statistics, "\n  "), "\n");
  }
  return text;
}

// For programs: what a worker tells a learner of the environment, in the text format of proto/environment_spec.proto.
int PrintSpec(const std::string& name, const SettingsMap& settings) {
  const absl::StatusOr<const EnvironmentEntry*> entry = FindEnvironment(name);
  if (!entry.ok()) return Fail(entry.status());
  const auto environment = (*entry)->create(settings);
  if (!environment.ok()) return Fail(environment.status());
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec((*environment)->spec(), &message);
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  std::fputs(text.c_str(), stdout);
  return 0;
}

// On a terminal as wide as it is.
void Show(const std::string& text) { std::fputs(Folded(text, TerminalColumns(fileno(stdout))).c_str(), stdout); }

int DescribeOne(const std::string& name, const SettingsMap& settings) {
  const absl::StatusOr<const EnvironmentEntry*> entry = FindEnvironment(name);
  if (!entry.ok()) return Fail(entry.status());
  const auto environment = (*entry)->create(settings);
  if (absl::IsInvalidArgument(environment.status())) return Fail(environment.status());
  Show(absl::StrCat((*entry)->name, ": ", (*entry)->summary, "\n\nsettings, with their defaults\n",
                    (*entry)->describe_settings(), "\n\n"));
  if (!(*entry)->machine_settings.empty()) {
    Show(
        absl::StrCat("a run may go on with other values of ", absl::StrJoin((*entry)->machine_settings, ", "), "\n\n"));
  }
  if (environment.ok()) {
    Show(DescribeAgents((*environment)->spec()));
  } else {
    std::printf("agents, statistics: it does not start here: %s\n",
                std::string(environment.status().message()).c_str());
  }
  std::printf("\nbaselines\n");
  for (const Player& player : BaselinePlayers(**entry, settings)) {
    std::string overrides;
    for (const auto& [setting, value] : player.setting_overrides) absl::StrAppend(&overrides, " ", setting, "=", value);
    std::printf("  %s%s\n", player.name.c_str(),
                overrides.empty() ? "" : absl::StrCat(" (with", overrides, ")").c_str());
  }
  return 0;
}

}  // namespace

int RunEnvironments(int argc, char** argv) {
  constexpr char kPrefix[] = "environment.settings.";
  CommandWords line;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, EnvironmentsCommand(), &line)) return *answered;
  SettingsMap settings;
  for (const std::string& setting : line.overrides) {
    const size_t equals = setting.find('=');
    if (!setting.starts_with(kPrefix) || equals == std::string::npos) {
      Fail(absl::InvalidArgumentError(absl::StrCat("--set ", setting, ": expected ", kPrefix, "NAME=VALUE")));
      return 2;
    }
    settings[setting.substr(sizeof kPrefix - 1, equals - sizeof kPrefix + 1)] = setting.substr(equals + 1);
  }
  if (!line.words.empty() && absl::GetFlag(FLAGS_spec)) return PrintSpec(line.words[0], settings);
  if (!line.words.empty()) return DescribeOne(line.words[0], settings);
  for (const EnvironmentEntry& entry : AllEnvironments()) {
    Show(absl::StrFormat("%-18s %s\n", entry.name, entry.summary));
  }
  std::printf("\n`actor_worker environments NAME` tells more.\n");
  return 0;
}

}  // namespace troupe
