// Every setting of an experiment.
#ifndef TROUPE_TESTS_COMMON_ALL_SETTINGS_H_
#define TROUPE_TESTS_COMMON_ALL_SETTINGS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "proto/experiment.pb.h"

namespace troupe {

using SettingPaths = std::vector<std::pair<std::string, const google::protobuf::FieldDescriptor*>>;

inline void CollectSettings(const google::protobuf::Descriptor& type, const std::string& prefix, SettingPaths* paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    if (field.is_map()) continue;
    if (field.message_type() != nullptr) {
      CollectSettings(*field.message_type(), absl::StrCat(prefix, field.name(), "."), paths);
    } else {
      paths->emplace_back(prefix + field.name(), &field);
    }
  }
}

// Scalar fields with a path to each: "ppo.clip". Maps are left out.
inline SettingPaths AllSettings() {
  SettingPaths paths;
  CollectSettings(*Experiment::descriptor(), "", &paths);
  return paths;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_COMMON_ALL_SETTINGS_H_
