// Reads an environment's settings map with declared names, defaults and ranges, and refuses everything else.
//
//   SettingsReader reader(settings);
//   const double rate = reader.Number("vehicles_per_hour", 5400, 0, 20000, "demand of the whole network");
//   const std::string mode = reader.Choice("action_set", "CHOOSE_PHASE", {"KEEP_NEXT", "CHOOSE_PHASE"}, "…");
//   RETURN_IF_ERROR(reader.Finish());
//
// The same calls on an empty map document the settings: Describe() lists what was read.
#ifndef TROUPE_COMMON_CONFIG_SETTINGS_READER_H_
#define TROUPE_COMMON_CONFIG_SETTINGS_READER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace troupe {

class SettingsReader {
 public:
  explicit SettingsReader(const std::map<std::string, std::string>& settings);

  // Each returns the setting's value, or `fallback` when it is absent or bad; what was bad is told by Finish.
  double Number(const std::string& name, double fallback, double low, double high, const std::string& meaning);
  int64_t Integer(const std::string& name, int64_t fallback, int64_t low, int64_t high, const std::string& meaning);
  bool Boolean(const std::string& name, bool fallback, const std::string& meaning);
  std::string Text(const std::string& name, const std::string& fallback, const std::string& meaning);
  std::string Choice(const std::string& name, const std::string& fallback, const std::vector<std::string>& choices,
                     const std::string& meaning);

  // INVALID_ARGUMENT for the first bad value ("environment.settings.vehicles_per_hour: …") or for a setting that was
  // not asked for, with the nearest name that was.
  absl::Status Finish() const;

  // One line per setting asked for: name, default, range, meaning.
  std::string Describe() const;

 private:
  const std::string* Find(const std::string& name, const std::string& fallback, const std::string& range,
                          const std::string& meaning);
  void Refuse(const std::string& name, const std::string& value, const std::string& expected);

  const std::map<std::string, std::string> settings_;
  std::vector<std::string> asked_;
  std::vector<std::string> lines_;
  absl::Status status_;
};

// The entry of `known` with the smallest edit distance to `name`, or "" when none is near (distance > 1 + length / 3).
std::string NearestName(const std::string& name, const std::vector<std::string>& known);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SETTINGS_READER_H_
