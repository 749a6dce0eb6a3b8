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
    if (field.is_map()) continue;  // the two maps are compared by name, below
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

}  // namespace

std::vector<SettingChange> FindSettingChanges(const Experiment& before, const Experiment& after) {
  std::vector<SettingChange> changes;
  Compare(before, after, "", &changes);
  const auto& settings_before = before.environment().settings();
  const auto& settings_after = after.environment().settings();
  for (const std::string& key : KeysOf(settings_before, settings_after)) {
    const auto text = [&](const auto& settings) {
      const auto found = settings.find(key);
      return found == settings.end() ? std::string(kNone) : absl::StrCat("\"", found->second, "\"");
    };
    if (text(settings_before) == text(settings_after)) continue;
    changes.push_back({"environment.settings." + key, text(settings_before), text(settings_after)});
  }
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
