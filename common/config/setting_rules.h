// Default and range of a setting, and whether a run may go on with another value of it: what its field's option in
// proto/experiment.proto says (proto/setting_options.proto), made ready for use.
#ifndef TROUPE_COMMON_CONFIG_SETTING_RULES_H_
#define TROUPE_COMMON_CONFIG_SETTING_RULES_H_

#include <limits>
#include <optional>
#include <string>

#include "google/protobuf/descriptor.h"
#include "proto/setting_options.pb.h"

namespace troupe {

struct SettingRule {
  enum class Presence {
    kDefaulted,  // absent fields take `default_text`
    kRequired,   // there is no default: a run needs it written
    kOptional,   // absence means something of its own
  };

  Presence presence = Presence::kOptional;
  SettingOptions::Resume resume = SettingOptions::RESUME_UNSPECIFIED;
  std::string default_text;  // as an override would write it: "0.2", "true", "64,64", "HUBER"
  double low = -std::numeric_limits<double>::infinity();  // numbers only; every element of a repeated field
  double high = std::numeric_limits<double>::infinity();
  bool low_is_open = false, high_is_open = false;  // (low, high] or [low, high) rather than [low, high]
  std::string characters;                          // texts only: the class of those a name is made of, or empty: any
  size_t max_characters = 0;

  // False for NaN.
  bool Admits(double value) const {
    return (low_is_open ? value > low : value >= low) && (high_is_open ? value < high : value <= high);
  }
  // Whether the characters may stand in it, and are neither none nor too many.
  bool Admits(const std::string& text) const;
  // "[0, 1]", "(0, 10]"; of a name "a name of [a-z]+ (at most 9 characters)".
  std::string Range() const;
};

// None for messages and maps, which have no rules of their own. Whole numbers have their type's bounds where the option
// has none. Thread-safe.
std::optional<SettingRule> FindSettingRule(const google::protobuf::FieldDescriptor& field);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SETTING_RULES_H_
