// Whether a run may go on under an experiment that is not quite the one it began with.
#ifndef TROUPE_LEARNER_CHECKPOINT_RESUME_CHECK_H_
#define TROUPE_LEARNER_CHECKPOINT_RESUME_CHECK_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/setting_changes.h"
#include "common/specs/environment_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

// What differs and does not stand in the way.
struct ResumeChanges {
  std::vector<SettingChange> told;         // training goes on otherwise than it began: people are told
  std::vector<SettingChange> environment;  // of environment.settings: CheckEnvironmentChanges has the last word
};

// Both complete (defaults written). What may change the options of proto/experiment.proto say; total_env_steps may only
// grow. Errors: FAILED_PRECONDITION naming every field that may not change and did, with both values.
absl::StatusOr<ResumeChanges> CheckResumable(const Experiment& began_with, const Experiment& now);

// `changes` of environment.settings are of EnvironmentSpec::machine_settings alone. Errors as of CheckResumable.
absl::Status CheckEnvironmentChanges(const std::vector<SettingChange>& changes, const EnvironmentSpec& environment);

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_RESUME_CHECK_H_
