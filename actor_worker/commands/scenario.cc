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
#include "actor_worker/commands/flags.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/rollout/machine_access.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/config/settings_reader.h"

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
  const bool sample = absl::GetFlag(FLAGS_sample), greedy = absl::GetFlag(FLAGS_greedy);
  if (sample && greedy) return absl::InvalidArgumentError("--sample and --greedy: expected one of them");
  scenario.acts_as_asked = sample || greedy;
  for (const std::string& path : absl::GetFlag(FLAGS_actors)) {
    if (path.empty()) continue;
    absl::StatusOr<ActorFile> file = ReadActorFile(path);
    if (!file.ok()) {
      if (absl::StrContains(file.status().message(), path)) return file.status();
      return absl::Status(file.status().code(), absl::StrCat(path, ": ", file.status().message()));
    }
    ASSIGN_OR_RETURN(const Experiment played, ParseExperiment(FormatExperiment(file->experiment), path, overrides));
    scenario.sampled.push_back(scenario.acts_as_asked ? sample : played.evaluation().sample_actions());
    scenario.paths.push_back(path);
    scenario.actors.push_back(*std::move(file));
  }
  ASSIGN_OR_RETURN(scenario.experiment, FindExperiment(scenario, overrides));
  if (!scenario.actors.empty() && !absl::GetFlag(FLAGS_allow_machine_settings)) {
    RETURN_IF_ERROR(CheckProgramsOfActors(scenario.paths[0], scenario.experiment, overrides));
  }
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

Player ActorPlayer(const Scenario& scenario, size_t index) {
  const ActorFile& file = scenario.actors[index];
  return {.name = absl::StrCat(file.experiment.algorithm().name(), " ", ActorFileNames(scenario.paths)[index]),
          .policy = {.policies = &file.policies, .weights = &file.weights, .sample_actions = scenario.sampled[index]}};
}

std::string HowItActs(const Scenario& scenario, size_t index) {
  return absl::StrCat(scenario.sampled[index] ? "sampling" : "greedy",
                      scenario.acts_as_asked ? ", as asked" : ", as its experiment says");
}

uint64_t EpisodeSeed(const Scenario& scenario) {
  return absl::GetFlag(FLAGS_seed).value_or(scenario.experiment.evaluation().final_first_seed());
}

absl::StatusOr<std::vector<Player>> ChooseBaselines(const Scenario& scenario, const std::string& field,
                                                    const std::vector<std::string>& chosen) {
  if (chosen == std::vector<std::string>{"none"}) return std::vector<Player>();
  std::vector<Player> all = BaselinePlayers(*scenario.environment, scenario.settings);
  if (chosen == std::vector<std::string>{"all"}) return all;
  std::vector<std::string> known;
  for (const Player& player : all) known.push_back(player.name);
  for (const std::string& name : chosen) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = NearestName(name, known);
    return absl::NotFoundError(absl::StrCat(field, ": ", scenario.environment->name, " has no baseline \"", name,
                                            "\"; ",
                                            nearest.empty() ? absl::StrCat("it has ", absl::StrJoin(known, ", "))
                                                            : absl::StrCat("did you mean \"", nearest, "\"?")));
  }
  std::erase_if(
      all, [&](const Player& player) { return std::find(chosen.begin(), chosen.end(), player.name) == chosen.end(); });
  return all;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "actor_worker: %s\n", ShownLines(status.message()).c_str());
  return 1;
}

}  // namespace troupe
