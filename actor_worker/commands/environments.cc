#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/environments/registry.h"
#include "actor_worker/flags.h"

namespace troupe {
namespace {

constexpr char kUsage[] =
    "actor_worker environments [NAME] [--set environment.settings.SETTING=VALUE …]\n"
    "Lists the environments; with NAME, its settings, agents, statistics and baselines.";

std::string DescribeAgents(const EnvironmentSpec& spec) {
  std::string text = "agents\n";
  for (const AgentGroupSpec& group : spec.groups) {
    absl::StrAppendFormat(&text, "  %s: %d × %d observed numbers, %d %s: %s\n", group.name, group.num_agents(),
                          group.observation_size, group.action_size,
                          group.action_kind == ActionKind::kDiscrete ? "actions" : "continuous action dimensions",
                          absl::StrJoin(group.agents, " "));
  }
  absl::StrAppendFormat(&text, "\nglobal state\n  %d numbers (%s%d extras)\n", spec.state_size(),
                        spec.state_includes_observations ? "all observations and " : "", spec.state_extras_size);
  absl::StrAppend(&text, "\nstatistics\n  ", absl::StrJoin(spec.statistics, "\n  "), "\n");
  if (!spec.agent_statistics.empty()) {
    absl::StrAppend(&text, "\nstatistics of each agent\n  ", absl::StrJoin(spec.agent_statistics, "\n  "), "\n");
  }
  return text;
}

int DescribeOne(const std::string& name, const SettingsMap& settings) {
  const absl::StatusOr<const EnvironmentEntry*> entry = FindEnvironment(name);
  if (!entry.ok()) return Fail(entry.status());
  std::printf("%s: %s\n\nsettings\n%s\n\n", (*entry)->name.c_str(), (*entry)->summary.c_str(),
              (*entry)->describe_settings().c_str());
  const auto environment = (*entry)->create(settings);
  if (environment.ok()) {
    std::fputs(DescribeAgents((*environment)->spec()).c_str(), stdout);
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
  const std::vector<std::string> overrides = TakeSetFlags(&argc, argv);
  const std::vector<std::string> words = ParseFlags(argc, argv, kUsage, 1);
  SettingsMap settings;
  for (const std::string& setting : overrides) {
    const size_t equals = setting.find('=');
    if (!setting.starts_with(kPrefix) || equals == std::string::npos) {
      return Fail(absl::InvalidArgumentError(absl::StrCat("--set ", setting, ": expected ", kPrefix, "NAME=VALUE")));
    }
    settings[setting.substr(sizeof kPrefix - 1, equals - sizeof kPrefix + 1)] = setting.substr(equals + 1);
  }
  if (!words.empty()) return DescribeOne(words[0], settings);
  for (const EnvironmentEntry& entry : AllEnvironments()) {
    std::printf("%-18s %s\n", entry.name.c_str(), entry.summary.c_str());
  }
  std::printf("\n`actor_worker environments NAME` tells more.\n");
  return 0;
}

}  // namespace troupe
