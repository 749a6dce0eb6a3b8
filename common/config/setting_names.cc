#include "common/config/setting_names.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/config/field_path.h"
#include "common/config/settings_reader.h"
#include "proto/experiment.pb.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr char kNumber[] = "NUMBER", kName[] = "NAME";
constexpr size_t kMostNamed = 12;

void Collect(const Descriptor& type, const std::string& prefix, std::vector<NamedSetting>* found) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool in_list = field.is_repeated() && field.message_type() != nullptr && !field.is_map();
    const std::string name = absl::StrCat(prefix, field.name(),
                                          field.is_map() ? absl::StrCat(".", kName)
                                          : in_list      ? absl::StrCat(".", kNumber)
                                                         : "");
    found->push_back({name, &field});
    const Descriptor* const inner =
        field.is_map() ? field.message_type()->map_value()->message_type() : field.message_type();
    if (inner != nullptr) Collect(*inner, name + ".", found);
  }
}

using Words = std::vector<std::string>;

bool Fits(const std::string& word, const std::string& of_name) {
  if (of_name == kName) return true;
  if (of_name == kNumber && !word.empty() && word.find_first_not_of("0123456789") == std::string::npos) return true;
  return word == of_name;
}

// Whether the last words of `name` are `words`.
bool EndsWith(const Words& name, const Words& words) {
  if (words.size() > name.size()) return false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!Fits(words[i], name[name.size() - words.size() + i])) return false;
  }
  return true;
}

}  // namespace

std::vector<NamedSetting> AllSettingNames() {
  std::vector<NamedSetting> found;
  Collect(*Experiment::descriptor(), "", &found);
  return found;
}

absl::StatusOr<NamedSetting> FindSettingName(const std::string& text) {
  const Words words = absl::StrSplit(text, '.');
  std::vector<NamedSetting> ending;
  Words all, last_words;
  for (const NamedSetting& setting : AllSettingNames()) {
    const Words name = absl::StrSplit(setting.name, '.');
    all.push_back(setting.name);
    last_words.push_back(setting.field->name());
    const bool ends_so = EndsWith(name, words);
    if (ends_so && name.size() == words.size()) return setting;
    // A list or a map by itself.
    if (name.back() == kNumber || name.back() == kName) {
      if (setting.name == absl::StrCat(text, ".", name.back())) return setting;
    }
    // A key may be anything: of those, whole names only.
    if (ends_so && name.back() != kName) ending.push_back(setting);
  }
  if (ending.size() == 1) return ending[0];
  if (!ending.empty()) {
    if (ending.size() > kMostNamed) ending.resize(kMostNamed);
    return absl::InvalidArgumentError(
        absl::StrCat("which \"", text, "\": ", absl::StrJoin(ending, ", ", [](std::string* out, const auto& setting) {
                       absl::StrAppend(out, setting.name);
                     })));
  }
  std::string nearest = NearestName(text, all);
  if (nearest.empty()) nearest = NearestName(words.back(), last_words);
  return absl::NotFoundError(absl::StrCat("there is no setting \"", text, "\"",
                                          nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
}

}  // namespace troupe
