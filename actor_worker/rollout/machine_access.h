// What a worker takes of an experiment that somebody else wrote: settings of the task, none that name programs, files
// or options of programs on the worker's machine.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_MACHINE_ACCESS_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_MACHINE_ACCESS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/experiment.pb.h"

namespace troupe {

// By the setting's name (it ends in _home, _path, _file, _folder, _program or _options and is not empty) or by its
// value (a '/' is in it), so that a new environment need not do anything to be covered.
bool TouchesMachine(absl::string_view name, absl::string_view value);

// The same for an experiment that lies in an actor file, `path`, of which whoever plays it has said `overrides`
// ("--set"): settings that say which program is run, or how (their names end in _home, _program or _options). Paths may
// stay: they are read as the task's data. Errors: as CheckMachineSettings.
absl::Status CheckProgramsOfActors(const std::string& path, const Experiment& experiment,
                                   const std::vector<std::string>& overrides);

// environment.settings and those of curriculum.stages. Errors: FAILED_PRECONDITION naming the first that touches the
// machine and what to do.
absl::Status CheckMachineSettings(const Experiment& experiment);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_MACHINE_ACCESS_H_
