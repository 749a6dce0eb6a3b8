#include "actor_worker/commands/scenario.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "actor_worker/environments/registry.h"
#include "actor_worker/flags.h"
#include "common/config/experiment_loader.h"
#include "common/config/settings_reader.h"
#include "common/status_macros.h"

namespace troupe {
namespace {

SettingsMap SettingsOf(const Experiment& experiment) {
  return SettingsMap(experiment.environment().settings().begin(), experiment.environment().settings().end());
}

absl::StatusOr<Experiment> FindExperiment(const Scenario& scenario, const std::vector<std::string>& overrides) {
  if (!scenario.actors.empty()) {
    return ParseExperiment(FormatExperiment(scenario.actors[0].experiment), scenario.paths[0], overrides);
  }
  if (const std::string path = absl::GetFlag(FLAGS_experiment); !path.empty()) return LoadExperiment(path, overrides);
  const std::string name = absl::GetFlag(FLAGS_environment);
  if (name.empty()) {
    return absl::InvalidArgumentError(
        "nothing says which environment to play: give --actors, --experiment or --environment");
  }
  Experiment experiment;
  experiment.set_name("evaluation");
  experiment.set_total_env_steps(1);
  experiment.mutable_environment()->set_name(name);
  return ParseExperiment(experiment.Utf8DebugString(), "--environment", overrides);
}

}  // namespace

absl::StatusOr<Scenario> LoadScenario(const std::vector<std::string>& overrides) {
  Scenario scenario;
  for (const std::string& path : absl::GetFlag(FLAGS_actors)) {
    if (path.empty()) continue;
    absl::StatusOr<ActorFile> file = ReadActorFile(path);
    if (!file.ok()) {
      if (absl::StrContains(file.status().message(), path)) return file.status();
      return absl::Status(file.status().code(), absl::StrCat(path, ": ", file.status().message()));
    }
    scenario.paths.push_back(path);
    scenario.actors.push_back(*std::move(file));
  }
  ASSIGN_OR_RETURN(scenario.experiment, FindExperiment(scenario, overrides));
  ASSIGN_OR_RETURN(scenario.environment, FindEnvironment(scenario.experiment.environment().name()));
  scenario.settings = SettingsOf(scenario.experiment);
  for (size_t i = 0; i < scenario.actors.size(); ++i) {
    const Experiment& trained = scenario.actors[i].experiment;
    if (trained.environment().name() != scenario.environment->name || SettingsOf(trained) != scenario.settings) {
      scenario.trained_otherwise.push_back(scenario.paths[i]);
    }
  }
  return scenario;
}

std::vector<std::string> ActorFileNames(const std::vector<std::string>& paths) {
  std::vector<std::string> stems;
  for (const std::string& path : paths) stems.push_back(std::filesystem::path(path).stem().string());
  if (std::set<std::string>(stems.begin(), stems.end()).size() == stems.size()) return stems;
  // Leave out the folders that all paths begin and end with.
  std::vector<std::vector<std::string>> parts;
  size_t shortest = SIZE_MAX;
  for (const std::string& path : paths) {
    parts.push_back(absl::StrSplit(path, '/'));
    shortest = std::min(shortest, parts.back().size());
  }
  const auto all_equal = [&](const auto& part_of) {
    return std::all_of(parts.begin(), parts.end(), [&](const auto& one) { return part_of(one) == part_of(parts[0]); });
  };
  size_t head = 0, tail = 0;
  while (head < shortest && all_equal([&](const auto& one) { return one[head]; })) ++head;
  while (head + tail < shortest && all_equal([&](const auto& one) { return one[one.size() - 1 - tail]; })) ++tail;
  std::vector<std::string> names;
  for (const auto& one : parts) names.push_back(absl::StrJoin(one.begin() + head, one.end() - tail, "/"));
  return std::set<std::string>(names.begin(), names.end()).size() == names.size() ? names : paths;
}

Player ActorPlayer(const Scenario& scenario, size_t index, bool sample_actions) {
  const ActorFile& file = scenario.actors[index];
  return {.name = absl::StrCat(file.experiment.algorithm().name(), " ", ActorFileNames(scenario.paths)[index]),
          .policy = {.policies = &file.policies, .weights = &file.weights, .sample_actions = sample_actions}};
}

absl::StatusOr<std::vector<Player>> ChooseBaselines(const Scenario& scenario, const std::string& chosen) {
  if (chosen == "none") return std::vector<Player>();
  std::vector<Player> all = BaselinePlayers(*scenario.environment, scenario.settings);
  if (chosen == "all") return all;
  std::vector<std::string> known;
  for (const Player& player : all) known.push_back(player.name);
  std::vector<std::string> wanted = absl::StrSplit(chosen, ',', absl::SkipEmpty());
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = NearestName(name, known);
    return absl::NotFoundError(absl::StrCat(scenario.environment->name, " has no baseline \"", name, "\"",
                                            nearest.empty() ? absl::StrCat("; it has ", absl::StrJoin(known, ", "))
                                                            : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }
  std::erase_if(
      all, [&](const Player& player) { return std::find(wanted.begin(), wanted.end(), player.name) == wanted.end(); });
  return all;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "actor_worker: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace troupe
