// Every setting by its name, as `--set` takes it, and what people may mean by a part of one.
#ifndef TROUPE_COMMON_CONFIG_SETTING_NAMES_H_
#define TROUPE_COMMON_CONFIG_SETTING_NAMES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace troupe {

struct NamedSetting {
  // "ppo.clip"; NUMBER stands for the place in a list of messages, NAME for the key of a map:
  // "curriculum.stages.NUMBER.name", "group_policies.NAME.sharing".
  std::string name;
  const google::protobuf::FieldDescriptor* field = nullptr;
};

// Messages, lists and maps too, each before what is in it.
std::vector<NamedSetting> AllSettingNames();

// By its whole name, numbers and keys in their places, or by the end of it where no other ends so ("clip"). Errors:
// INVALID_ARGUMENT: several end so (all are named); NOT_FOUND, with the nearest.
absl::StatusOr<NamedSetting> FindSettingName(const std::string& text);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SETTING_NAMES_H_
