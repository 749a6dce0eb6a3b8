#include "common/config/setting_rules.h"

#include <regex>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

using google::protobuf::FieldDescriptor;

constexpr double kMaxUint32 = 4294967295.0;
constexpr double kMaxUint64 = 18446744073709551615.0;

void TakeBoundsOfType(const FieldDescriptor& field, SettingRule* rule) {
  const bool small = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32;
  if (!small && field.cpp_type() != FieldDescriptor::CPPTYPE_UINT64) return;
  rule->low = 0;
  rule->high = small ? kMaxUint32 : kMaxUint64;
}

void TakeBounds(const SettingOptions& options, SettingRule* rule) {
  rule->low_is_open = options.has_above();
  if (options.has_above()) rule->low = options.above();
  if (options.has_at_least()) rule->low = options.at_least();
  rule->high_is_open = options.has_below();
  if (options.has_below()) rule->high = options.below();
  if (options.has_at_most()) rule->high = options.at_most();
}

}  // namespace

bool SettingRule::Admits(const std::string& text) const {
  if (characters.empty()) return true;
  return !text.empty() && text.size() <= max_characters && std::regex_match(text, std::regex(characters + "+"));
}

std::string SettingRule::Range() const {
  if (!characters.empty()) return absl::StrCat("a name of ", characters, "+ (at most ", max_characters, " characters)");
  const auto number = [](double value) {
    return value == kMaxUint64 ? std::string("2^64 - 1") : value == kMaxUint32 ? "2^32 - 1" : absl::StrCat(value);
  };
  return absl::StrCat(low_is_open ? "(" : "[", number(low), ", ", number(high), high_is_open ? ")" : "]");
}

std::optional<SettingRule> FindSettingRule(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return std::nullopt;
  const SettingOptions& options = field.options().GetExtension(setting);
  SettingRule rule;
  if (options.presence_case() == SettingOptions::kDefault) rule.presence = SettingRule::Presence::kDefaulted;
  if (options.required()) rule.presence = SettingRule::Presence::kRequired;
  rule.resume = options.resume();
  rule.default_text = options.default_();
  TakeBoundsOfType(field, &rule);
  TakeBounds(options, &rule);
  rule.characters = options.characters();
  rule.max_characters = options.max_characters();
  return rule;
}

}  // namespace troupe
