// What evaluate, act and replay share: which environment is played and which actors there are.
#ifndef TROUPE_ACTOR_WORKER_COMMANDS_SCENARIO_H_
#define TROUPE_ACTOR_WORKER_COMMANDS_SCENARIO_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environment.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/files/actor_file.h"

namespace troupe {

struct Scenario {
  std::vector<std::string> paths;  // of the actor files
  std::vector<ActorFile> actors;
  Experiment experiment;  // the first actor file's, or the experiment file's; overrides applied
  const EnvironmentEntry* environment = nullptr;
  SettingsMap settings;
  // Actor files that were trained with other environment settings than are played here.
  std::vector<std::string> trained_otherwise;
};

// Reads --actors, --experiment, --environment (the first that is given says the environment) and applies `overrides`
// ("--set"). Errors: those of the files, naming them; INVALID_ARGUMENT when nothing says the environment.
absl::StatusOr<Scenario> LoadScenario(const std::vector<std::string>& overrides);

// Short, distinct names for the actor files: the file's name without ending if that tells them apart, else the part of its
// path that does.
std::vector<std::string> ActorFileNames(const std::vector<std::string>& paths);

// The actor file as a player; `scenario` must outlive it.
Player ActorPlayer(const Scenario& scenario, size_t index, bool sample_actions);

// `chosen`: "all", "none" or names separated by commas; in the environment's order. NOT_FOUND naming the nearest.
absl::StatusOr<std::vector<Player>> ChooseBaselines(const Scenario& scenario, const std::string& chosen);

// Prints "actor_worker: MESSAGE" to standard error and returns 1.
int Fail(const absl::Status& status);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_COMMANDS_SCENARIO_H_
