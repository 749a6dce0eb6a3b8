// Defaults and ranges of every scalar field of proto/experiment.proto, and whether a run may go on with another value
// of it, in one table. The comments of the proto state the same; a test holds the table to the proto's fields.
#ifndef TROUPE_COMMON_CONFIG_SETTING_RULES_H_
#define TROUPE_COMMON_CONFIG_SETTING_RULES_H_

#include <limits>
#include <string>

#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"

namespace troupe {

struct SettingRule {
  enum class Presence {
    kDefaulted,  // absent fields take `default_text`
    kRequired,   // there is no default: a run needs it written
    kOptional,   // absence means something of its own
  };
  // What becomes of a run that goes on with another value.
  enum class OnResume {
    kUnclassified,  // a row that forgot to say: no field may be
    kRefused,       // it decides shapes, data or the deterministic stream
    kTold,          // allowed, and said in a line: training goes on otherwise than it began
    kFree,          // decides nothing that is learned
  };

  const char* field;  // "MESSAGE.FIELD", as in "PpoSettings.clip"
  OnResume resume = OnResume::kUnclassified;
  const char* default_text = "";  // as an override would write it: "0.2", "true", "64,64", "HUBER"
  double low = -std::numeric_limits<double>::infinity();  // numbers only; every element of a repeated field
  double high = std::numeric_limits<double>::infinity();
  bool low_is_open = false;  // (low, high] rather than [low, high]
  Presence presence = Presence::kDefaulted;

  bool Admits(double value) const {
    return (low_is_open ? value > low : value >= low) && value <= high;  // false for NaN
  }
  // "[0, 1]" or "(0, 10]".
  std::string Range() const;
};

// In the order of the proto.
absl::Span<const SettingRule> SettingRules();

// The row of `field`, or null when there is none (messages, maps).
const SettingRule* FindSettingRule(const google::protobuf::FieldDescriptor& field);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SETTING_RULES_H_
