// Whether an experiment's self-play and frozen groups make sense in its environment.
#ifndef TROUPE_COMMON_SPECS_SELF_PLAY_CHECK_H_
#define TROUPE_COMMON_SPECS_SELF_PLAY_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "common/specs/environment_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Of a complete experiment. INVALID_ARGUMENT naming the setting: no group is trained; there is a pool, but fewer than
// two teams that are trained (a frozen team's saved versions are all the same); the learning team is not there, or is
// not trained.
absl::Status CheckSelfPlay(const Experiment& experiment, const EnvironmentSpec& environment);

// For each of the environment's teams whether one of its groups is trained.
std::vector<uint8_t> TrainedTeams(const Experiment& experiment, const EnvironmentSpec& environment);

// The index of each group's team in EnvironmentSpec::teams().
std::vector<int> TeamOfGroups(const EnvironmentSpec& environment);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_SELF_PLAY_CHECK_H_
