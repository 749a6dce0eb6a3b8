// What evaluate, act, replay and record share: which environment is played, which actors there are and how they act.
#ifndef TROUPE_ACTOR_WORKER_COMMANDS_SCENARIO_H_
#define TROUPE_ACTOR_WORKER_COMMANDS_SCENARIO_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/specs/actor_file.h"

namespace troupe {

struct Scenario {
  std::vector<std::string> paths;  // of the actor files
  std::vector<ActorFile> actors;
  std::vector<bool> sampled;   // whether each file's actors sample their actions, or take the most probable
  bool acts_as_asked = false;  // --sample or --greedy said so, not the files' experiments
  Experiment experiment;       // the first actor file's, or the experiment file's; overrides applied
  const EnvironmentEntry* environment = nullptr;
  SettingsMap settings;
  // Actor files that were trained with other environment settings than are played here.
  std::vector<std::string> trained_otherwise;
};

// Reads --actors, --experiment, --environment (the first that is given says the environment) and applies `overrides`
// ("--set"); --sample and --greedy say how actors act, else each file's experiment does. Errors: those of the files,
// naming them; INVALID_ARGUMENT when nothing says the environment, or for --sample with --greedy; those of
// CheckProgramsOfActors, unless --allow_machine_settings.
absl::StatusOr<Scenario> LoadScenario(const std::vector<std::string>& overrides);

// Short, distinct names for the actor files: the file's name without ending if that tells them apart, else the part of
// its path that does.
std::vector<std::string> ActorFileNames(const std::vector<std::string>& paths);

// The actor file as a player; `scenario` must outlive it.
Player ActorPlayer(const Scenario& scenario, size_t index);

// "sampling, as its experiment says" or "greedy, as asked".
std::string HowItActs(const Scenario& scenario, size_t index);

// --seed, or the first seed of the final table.
uint64_t EpisodeSeed(const Scenario& scenario);

// `chosen`: "all", "none" or names; in the environment's order. NOT_FOUND naming the nearest, with `field` in front.
absl::StatusOr<std::vector<Player>> ChooseBaselines(const Scenario& scenario, const std::string& field,
                                                    const std::vector<std::string>& chosen);

// Prints "actor_worker: MESSAGE" to standard error and returns 1.
int Fail(const absl::Status& status);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_COMMANDS_SCENARIO_H_
