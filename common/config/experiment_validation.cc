#include "common/config/experiment_validation.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/algorithm_settings.h"
#include "common/config/curriculum_settings.h"
#include "common/config/experiment_loader.h"
#include "common/config/field_path.h"
#include "common/config/lease_settings.h"
#include "common/config/setting_rules.h"

namespace troupe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using MaybeError = std::optional<FieldError>;

constexpr int64_t kMaxBatchSteps = (int64_t{1} << 31) - 1;

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (int k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      unsigned char low = 0x80, high = 0xBF;
      if (k == 1 && lead == 0xE0) low = 0xA0;
      if (k == 1 && lead == 0xED) high = 0x9F;
      if (k == 1 && lead == 0xF0) low = 0x90;
      if (k == 1 && lead == 0xF4) high = 0x8F;
      if (next < low || next > high) return false;
    }
    i += length;
  }
  return true;
}

// The number at `index` (-1: not repeated) of a numeric field.
double NumberAt(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return index < 0 ? reflection.GetDouble(message, &field) : reflection.GetRepeatedDouble(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return index < 0 ? reflection.GetUInt32(message, &field) : reflection.GetRepeatedUInt32(message, &field, index);
    default:
      return static_cast<double>(index < 0 ? reflection.GetUInt64(message, &field)
                                           : reflection.GetRepeatedUInt64(message, &field, index));
  }
}

MaybeError CheckText(const std::string& path, const std::string& text) {
  if (!IsUtf8(text)) return FieldError{path, "not UTF-8 text"};
  return std::nullopt;
}

FieldError NotAName(const std::string& path, const std::string& text, const SettingRule& rule) {
  return FieldError{path, absl::StrCat("\"", text, "\" is not ", rule.Range())};
}

MaybeError CheckValue(const Message& message, const FieldDescriptor& field, int index, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return std::nullopt;
  const SettingRule rule = *FindSettingRule(field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const std::string text =
        index < 0 ? reflection.GetString(message, &field) : reflection.GetRepeatedString(message, &field, index);
    if (MaybeError error = CheckText(path, text)) return error;
    return rule.Admits(text) ? std::nullopt : MaybeError(NotAName(path, text, rule));
  }
  if (field.enum_type() != nullptr) {
    const int number = reflection.GetEnumValue(message, &field);
    if (field.enum_type()->FindValueByNumber(number) != nullptr) return std::nullopt;
    return FieldError{path,
                      absl::StrCat(number, " is not one of ", absl::StrJoin(EnumNames(*field.enum_type()), " | "))};
  }
  const double value = NumberAt(message, field, index);
  if (rule.Admits(value)) return std::nullopt;
  return FieldError{path, absl::StrCat(value, " is outside ", rule.Range())};
}

MaybeError CheckRanges(const Message& message, const std::string& prefix);

MaybeError CheckMap(const Message& message, const FieldDescriptor& field, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  std::vector<std::pair<std::string, const Message*>> entries;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, field.message_type()->map_key()), &entry);
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& [key, entry] : entries) {
    if (key.empty()) return FieldError{path, "an entry's key is empty, expected a name"};
    if (MaybeError error = CheckText(path, key)) return error;
    const std::string entry_path = absl::StrCat(path, ".", key);
    MaybeError error = value_field.message_type() != nullptr
                           ? CheckRanges(entry->GetReflection()->GetMessage(*entry, &value_field), entry_path + ".")
                           : CheckText(entry_path, entry->GetReflection()->GetString(*entry, &value_field));
    if (error) return error;
  }
  return std::nullopt;
}

MaybeError CheckField(const Message& message, const FieldDescriptor& field, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_map()) return CheckMap(message, field, path);
  // What an absent message lacks is missed, but for one of several that exclude each other.
  if (field.real_containing_oneof() != nullptr && !reflection.HasField(message, &field)) return std::nullopt;
  if (field.message_type() != nullptr && field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const std::string element = absl::StrCat(path, ".", i, ".");
      if (MaybeError error = CheckRanges(reflection.GetRepeatedMessage(message, &field, i), element)) return error;
    }
    return std::nullopt;
  }
  if (field.message_type() != nullptr) return CheckRanges(reflection.GetMessage(message, &field), path + ".");
  if (field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      if (MaybeError error = CheckValue(message, field, i, path)) return error;
    }
    return std::nullopt;
  }
  if (reflection.HasField(message, &field)) return CheckValue(message, field, -1, path);
  if (FindSettingRule(field)->presence != SettingRule::Presence::kRequired) return std::nullopt;
  return FieldError{path, "absent, and there is no default"};
}

MaybeError CheckRanges(const Message& message, const std::string& prefix) {
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (MaybeError error = CheckField(message, *type.field(i), prefix + type.field(i)->name())) return error;
  }
  return std::nullopt;
}

MaybeError CheckNames(const Experiment& experiment) {
  // The run's folder has this name.
  if (const std::string& name = experiment.name(); name == "." || name == "..") {
    return NotAName("name", name, *FindSettingRule(*Experiment::descriptor()->FindFieldByName("name")));
  }
  if (experiment.environment().name().empty()) {
    return FieldError{"environment.name", "\"\" is not the name of an environment"};
  }
  return std::nullopt;
}

MaybeError CheckPartition(const std::string& path, const PolicySettings& policy) {
  const std::string field = path + ".partition";
  const std::string came = absl::StrCat("[", absl::StrJoin(policy.partition(), ", "), "]");
  if (policy.sharing() != PARTITIONED) {
    if (policy.partition().empty()) return std::nullopt;
    return FieldError{field, absl::StrCat(came, " needs ", path, ".sharing: PARTITIONED, which is ",
                                          PolicySharing_Name(policy.sharing()))};
  }
  if (policy.partition().empty()) return FieldError{field, "empty, but sharing is PARTITIONED"};
  std::vector<uint32_t> sorted(policy.partition().begin(), policy.partition().end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.back() + 1 == sorted.size()) return std::nullopt;
  return FieldError{field, came + ", expected the indices 0, 1, … without gaps"};
}

MaybeError CheckAttention(const CriticSettings& critic) {
  const uint32_t heads = critic.attention_heads();
  if (critic.input() != GLOBAL_STATE) {
    return FieldError{"critic.attention_heads",
                      absl::StrCat(heads, " with critic.input ", CriticInput_Name(critic.input()),
                                   ", expected GLOBAL_STATE: attention is over all agents of a step")};
  }
  if (critic.recurrent_cell() != FEED_FORWARD) {
    return FieldError{"critic.recurrent_cell",
                      absl::StrCat(RecurrentCell_Name(critic.recurrent_cell()), " with critic.attention_heads ", heads,
                                   ", expected FEED_FORWARD: a critic that attends remembers nothing")};
  }
  if (critic.token_size() % heads != 0) {
    return FieldError{"critic.token_size", absl::StrCat(critic.token_size(), ", expected a multiple of the ", heads,
                                                        " of critic.attention_heads")};
  }
  return std::nullopt;
}

MaybeError CheckCritic(const CriticSettings& critic) {
  if (critic.input() != GLOBAL_STATE && critic.heads() == TEAM) {
    return FieldError{"critic.heads", absl::StrCat("TEAM with critic.input ", CriticInput_Name(critic.input()),
                                                   ", expected EACH_AGENT: the input is one row per agent")};
  }
  if (critic.agent_id_input() && critic.input() != LOCAL_OBSERVATION && critic.attention_heads() == 0) {
    return FieldError{"critic.agent_id_input", absl::StrCat("true with critic.input ", CriticInput_Name(critic.input()),
                                                            ", expected LOCAL_OBSERVATION, or critic.attention_heads")};
  }
  return critic.attention_heads() > 0 ? CheckAttention(critic) : std::nullopt;
}

MaybeError CheckBatch(const CollectionSettings& collection) {
  const int64_t batch = BatchSteps(collection);
  if (batch <= kMaxBatchSteps) return std::nullopt;
  return FieldError{"collection", absl::StrCat("num_shards × copies_per_shard × rollout_length is ", batch,
                                               ", expected at most ", kMaxBatchSteps)};
}

}  // namespace

int64_t BatchSteps(const CollectionSettings& collection) {
  return int64_t{collection.num_shards()} * collection.copies_per_shard() * collection.rollout_length();
}

MaybeError FindFieldError(const Experiment& experiment) {
  if (MaybeError error = CheckRanges(experiment, "")) return error;
  if (MaybeError error = CheckNames(experiment)) return error;
  Experiment complete = experiment;
  FillDefaults(&complete);
  if (MaybeError error = FindMemberError(complete, complete.algorithm().name())) return error;
  if (MaybeError error = CheckPartition("policy", complete.policy())) return error;
  std::vector<std::string> groups;
  for (const auto& [group, settings] : complete.group_policies()) groups.push_back(group);
  std::sort(groups.begin(), groups.end());
  for (const std::string& group : groups) {
    if (MaybeError error = CheckPartition("group_policies." + group, complete.group_policies().at(group))) return error;
  }
  if (MaybeError error = CheckCritic(complete.critic())) return error;
  if (MaybeError error = CheckBatch(complete.collection())) return error;
  if (MaybeError error = FindLeaseError(complete.collection())) return error;
  if (MaybeError error = FindCurriculumError(complete.curriculum())) return error;
  return FindAlgorithmSettingsError(complete);
}

absl::Status ValidateExperiment(const Experiment& experiment) {
  const MaybeError error = FindFieldError(experiment);
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(error->field, ": ", error->message));
}

}  // namespace troupe
