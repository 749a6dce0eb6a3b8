#include "common/config/setting_changes.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/setting_rules.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace troupe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

constexpr char kNone[] = "(none)";

std::string TextOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  std::string text;
  if (!field.is_repeated()) {
    if (!reflection.HasField(message, &field)) return kNone;
    TextFormat::PrintFieldValueToString(message, &field, -1, &text);
    return text;
  }
  std::vector<std::string> elements(reflection.FieldSize(message, &field));
  for (int i = 0; i < static_cast<int>(elements.size()); ++i) {
    TextFormat::PrintFieldValueToString(message, &field, i, &elements[i]);
  }
  return absl::StrCat("[", absl::StrJoin(elements, ", "), "]");
}

void Compare(const Message& before, const Message& after, const std::string& prefix,
             std::vector<SettingChange>* changes) {
  for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *before.GetDescriptor()->field(i);
    // Maps and lists are compared by name, below.
    if (field.is_map() || (field.is_repeated() && field.message_type() != nullptr)) continue;
    if (field.real_containing_oneof() != nullptr &&
        !(before.GetReflection()->HasField(before, &field) && after.GetReflection()->HasField(after, &field))) {
      continue;
    }
    const std::string name = absl::StrCat(prefix, field.name());
    if (field.message_type() != nullptr) {
      Compare(before.GetReflection()->GetMessage(before, &field), after.GetReflection()->GetMessage(after, &field),
              name + ".", changes);
      continue;
    }
    const std::string text_before = TextOf(before, field), text_after = TextOf(after, field);
    if (text_before == text_after) continue;
    changes->push_back({name, text_before, text_after, FindSettingRule(field)->resume});
  }
}

template <typename Map>
std::set<std::string> KeysOf(const Map& before, const Map& after) {
  std::set<std::string> keys;
  for (const auto& entry : before) keys.insert(entry.first);
  for (const auto& entry : after) keys.insert(entry.first);
  return keys;
}

using Texts = google::protobuf::Map<std::string, std::string>;

// `resume`: of every entry; unspecified: others have the last word, or it is refused.
void CompareTexts(const Texts& before, const Texts& after, const std::string& prefix,
                  std::vector<SettingChange>* changes,
                  SettingOptions::Resume resume = SettingOptions::RESUME_UNSPECIFIED) {
  for (const std::string& key : KeysOf(before, after)) {
    const auto text = [&](const Texts& texts) {
      const auto found = texts.find(key);
      return found == texts.end() ? std::string(kNone) : absl::StrCat("\"", found->second, "\"");
    };
    if (text(before) != text(after)) changes->push_back({prefix + key, text(before), text(after), resume});
  }
}

// Stages are compared one by one where there are as many: their names say which they are.
void CompareStages(const CurriculumSettings& before, const CurriculumSettings& after,
                   std::vector<SettingChange>* changes) {
  if (before.stages_size() != after.stages_size()) {
    changes->push_back({"curriculum.stages", absl::StrCat(before.stages_size(), " stages"),
                        absl::StrCat(after.stages_size(), " stages")});
    return;
  }
  for (int i = 0; i < before.stages_size(); ++i) {
    const std::string prefix = absl::StrCat("curriculum.stages.", i, ".");
    Compare(before.stages(i), after.stages(i), prefix, changes);
    CompareTexts(before.stages(i).settings(), after.stages(i).settings(), prefix + "settings.", changes);
  }
}

}  // namespace

std::vector<SettingChange> FindSettingChanges(const Experiment& before, const Experiment& after) {
  std::vector<SettingChange> changes;
  Compare(before, after, "", &changes);
  CompareTexts(before.environment().settings(), after.environment().settings(), "environment.settings.", &changes);
  CompareTexts(before.group_initial_actors(), after.group_initial_actors(), "group_initial_actors.", &changes,
               SettingOptions::FREE);
  CompareStages(before.curriculum(), after.curriculum(), &changes);
  // A group that is in one map only has the other's `policy`.
  const auto policy_of = [](const Experiment& experiment, const std::string& group) -> const PolicySettings& {
    const auto found = experiment.group_policies().find(group);
    return found == experiment.group_policies().end() ? experiment.policy() : found->second;
  };
  for (const std::string& group : KeysOf(before.group_policies(), after.group_policies())) {
    Compare(policy_of(before, group), policy_of(after, group), absl::StrCat("group_policies.", group, "."), &changes);
  }
  return changes;
}

std::string FormatChanges(const std::vector<SettingChange>& changes) {
  return absl::StrJoin(changes, "; ", [](std::string* text, const SettingChange& change) {
    absl::StrAppend(text, change.field, ": ", change.before, " -> ", change.after);
  });
}

}  // namespace troupe
