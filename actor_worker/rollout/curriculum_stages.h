// The settings that episodes begin with at each stage of an experiment's curriculum.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_CURRICULUM_STAGES_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_CURRICULUM_STAGES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"
#include "common/base/policy_snapshot.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Not changed once made; thread-safe.
class CurriculumStages {
 public:
  CurriculumStages() = default;

  // Makes an environment of every stage, one after the other, to see that it can be made and that agents see and can do
  // in it what `spec`, the experiment's own, says. INVALID_ARGUMENT naming the stage and its setting, or what differs;
  // also when a stage goes by a statistic that is not there. Otherwise errors of the environment.
  static absl::StatusOr<CurriculumStages> Create(const Experiment& experiment, const EnvironmentEntry& environment,
                                                 const EnvironmentSpec& spec);

  // Whether there are any before the experiment's own task.
  bool empty() const { return settings_.size() <= 1; }
  // Of an index into curriculum.stages, or their number for the experiment's own task; null beyond.
  std::shared_ptr<const SettingsMap> Find(uint32_t stage) const {
    return stage < settings_.size() ? settings_[stage] : nullptr;
  }
  // Where there are stages: of the one that the snapshot implies. INVALID_ARGUMENT when it names none, or one that is
  // not there.
  absl::StatusOr<std::shared_ptr<const SettingsMap>> Of(const PolicySnapshot& snapshot) const;

 private:
  std::vector<std::shared_ptr<const SettingsMap>> settings_;  // the last: the experiment's own
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_CURRICULUM_STAGES_H_
