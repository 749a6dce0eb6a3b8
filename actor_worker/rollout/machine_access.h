// What a worker takes of an experiment that somebody else wrote: settings of the task, none that name programs, files
// or options of programs on the worker's machine.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_MACHINE_ACCESS_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_MACHINE_ACCESS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/experiment.pb.h"

namespace troupe {

// By the setting's name (it ends in _home, _path, _file, _folder, _program or _options and is not empty) or by its
// value (a '/' is in it), so that a new environment need not do anything to be covered.
bool TouchesMachine(absl::string_view name, absl::string_view value);

// environment.settings and those of curriculum.stages. Errors: FAILED_PRECONDITION naming the first that touches the
// machine and what to do.
absl::Status CheckMachineSettings(const Experiment& experiment);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_MACHINE_ACCESS_H_
