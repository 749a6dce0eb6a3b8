// What the proto says of a setting, for people.
#ifndef TROUPE_LEARNER_COMMANDS_EXPLAIN_H_
#define TROUPE_LEARNER_COMMANDS_EXPLAIN_H_

#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// Of a setting: what it means, its default, range, choices, what may be changed on resume, and whose it is. Of a
// message or a list of them: the settings in it, a line each. Errors as of FindSettingName
// (common/config/setting_names.h).
absl::StatusOr<std::string> ExplainSetting(const std::string& name);

// The experiment's parts and single settings, a line each.
std::string ListSettings();

}  // namespace troupe

#endif  // TROUPE_LEARNER_COMMANDS_EXPLAIN_H_
