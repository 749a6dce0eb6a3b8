// What differs between two experiments, and whether a run that began with one may go on with the other.
#ifndef TROUPE_COMMON_CONFIG_SETTING_CHANGES_H_
#define TROUPE_COMMON_CONFIG_SETTING_CHANGES_H_

#include <string>
#include <vector>

#include "proto/experiment.pb.h"
#include "proto/setting_options.pb.h"

namespace troupe {

struct SettingChange {
  std::string field;          // "ppo.clip", "group_policies.junction.sharing", "environment.settings.size"
  std::string before, after;  // as the textproto has them; "(none)" when absent
  // The rule's. Of environment.settings, which have no rules here: unspecified, for the environment alone knows which
  // of them decide the task (EnvironmentSpec::machine_settings).
  SettingOptions::Resume resume = SettingOptions::RESUME_UNSPECIFIED;
};

// Every scalar field and map entry that differs, in the order of the proto. Both complete (defaults written); of two
// algorithms' settings nothing is compared but the algorithm's name.
std::vector<SettingChange> FindSettingChanges(const Experiment& before, const Experiment& after);

// "ppo.clip: 0.2 -> 0.25; ppo.epochs: 10 -> 5".
std::string FormatChanges(const std::vector<SettingChange>& changes);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SETTING_CHANGES_H_
