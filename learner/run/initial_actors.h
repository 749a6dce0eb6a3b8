// What a run that begins takes from other runs' actor files: the experiment's initial_actors.
#ifndef TROUPE_LEARNER_RUN_INITIAL_ACTORS_H_
#define TROUPE_LEARNER_RUN_INITIAL_ACTORS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/host_tensor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/ranks/collective.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct InitialActors {
  std::vector<HostTensor> tensors;  // some of those that the run's policy is made of, named as there
  std::vector<std::string> lines;   // for people: each layer, taken or why not
  std::string summary;              // Checkpoint::warm_start; "" when the experiment names no file
};

// Whether the files are there and are actor files, before anything is started. Errors: as of ReadInitialActors.
absl::Status CheckInitialActors(const Experiment& experiment);

// A group takes from the file's group of its name, or from its only group; of that, layers whose parameters all
// have the same names and shapes. Where both tell what observed numbers and actions are called and they differ, a line
// says so. Errors: those of ReadActorFile, and INVALID_ARGUMENT, after the setting's name: a group that is not there,
// no group to take from, a parameter that is not finite, nothing that fits.
absl::StatusOr<InitialActors> ReadInitialActors(const Experiment& experiment, const EnvironmentSpec& environment,
                                                const std::vector<PolicySpec>& policies);

// The same for the ranks of a run: rank 0 reads the files and has the lines, all ranks have the tensors. A call of the
// group: every rank makes it. Errors: as of ReadInitialActors and of AgreeAllIsWell.
absl::StatusOr<InitialActors> ShareInitialActors(const Experiment& experiment, const EnvironmentSpec& environment,
                                                 const std::vector<PolicySpec>& policies, Collective* ranks);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_INITIAL_ACTORS_H_
