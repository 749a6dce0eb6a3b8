// Actor files that play against each other: the first group's agents by one, all other groups' by another.
#ifndef TROUPE_ACTOR_WORKER_COMMANDS_CROSS_PLAY_H_
#define TROUPE_ACTOR_WORKER_COMMANDS_CROSS_PLAY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/commands/scenario.h"
#include "common/specs/actor_file.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// The actors of `first` for the environment's first group, those of `others` for the rest. What both files' versions
// imply besides (an exploration rate, say) is taken from either. Errors: INVALID_ARGUMENT naming the file's group that
// is missing, or a number that the two files have different values of.
absl::StatusOr<ActorFile> MakeLineup(const ActorFile& first, const ActorFile& others,
                                     const EnvironmentSpec& environment);

// Two files of a scenario in one team sheet.
struct Lineup {
  size_t first = 0, others = 0;  // indices of the scenario's actor files
  std::string name;              // "one / two"
  ActorFile actors;
  bool sampled = false;
};

// Every file in the first group against every file in the others, itself included. INVALID_ARGUMENT: no second group,
// no file, files of which only some sample; those of MakeLineup after the names.
absl::StatusOr<std::vector<Lineup>> MakeLineups(const Scenario& scenario, const EnvironmentSpec& environment);

// `lineup` must outlive it.
Player LineupPlayer(const Lineup& lineup);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_COMMANDS_CROSS_PLAY_H_
