// Every setting of an experiment.
#ifndef TROUPE_TESTS_COMMON_ALL_SETTINGS_H_
#define TROUPE_TESTS_COMMON_ALL_SETTINGS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "proto/experiment.pb.h"
#include "tests/common/test_specs.h"

namespace troupe {

using SettingPaths = std::vector<std::pair<std::string, const google::protobuf::FieldDescriptor*>>;

inline void CollectSettings(const google::protobuf::Descriptor& type, const std::string& prefix, SettingPaths* paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    if (field.is_map()) continue;
    if (field.message_type() != nullptr) {
      const char* const first = field.is_repeated() ? ".0." : ".";
      CollectSettings(*field.message_type(), absl::StrCat(prefix, field.name(), first), paths);
    } else {
      paths->emplace_back(prefix + field.name(), &field);
    }
  }
}

// Scalar fields with a path to each: "ppo.clip"; of lists of messages the first one's: "curriculum.stages.0.name". Maps
// are left out.
inline SettingPaths AllSettings() {
  SettingPaths paths;
  CollectSettings(*Experiment::descriptor(), "", &paths);
  return paths;
}

// Complete but for defaults, with one message in every list.
inline Experiment ExperimentWithLists() {
  Experiment experiment = MinimalExperiment();
  CurriculumStage& stage = *experiment.mutable_curriculum()->add_stages();
  stage.set_name("easy");
  stage.mutable_promote()->set_after_env_steps(1);
  return experiment;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_COMMON_ALL_SETTINGS_H_
