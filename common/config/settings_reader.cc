#include "common/config/settings_reader.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace troupe {
namespace {

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string NearestName(const std::string& name, const std::vector<std::string>& known) {
  std::string nearest;
  size_t smallest = 2 + name.size() / 3;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(name, candidate);
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

SettingsReader::SettingsReader(const std::map<std::string, std::string>& settings) : settings_(settings) {}

const std::string* SettingsReader::Find(const std::string& name, const std::string& fallback, const std::string& range,
                                        const std::string& meaning) {
  asked_.push_back(name);
  lines_.push_back(
      absl::StrFormat("%-32s default %s, %s: %s", name, fallback.empty() ? "\"\"" : fallback, range, meaning));
  const auto found = settings_.find(name);
  return found == settings_.end() ? nullptr : &found->second;
}

void SettingsReader::Refuse(const std::string& name, const std::string& value, const std::string& expected) {
  if (!status_.ok()) return;
  status_ =
      absl::InvalidArgumentError(absl::StrCat("environment.settings.", name, ": \"", value, "\" is not ", expected));
}

double SettingsReader::Number(const std::string& name, double fallback, double low, double high,
                              const std::string& meaning) {
  const std::string range = absl::StrCat("a number in [", low, ", ", high, "]");
  const std::string* text = Find(name, absl::StrCat(fallback), range, meaning);
  if (text == nullptr) return fallback;
  double value = 0;
  if (!absl::SimpleAtod(*text, &value) || !std::isfinite(value) || value < low || value > high) {
    Refuse(name, *text, range);
    return fallback;
  }
  return value;
}

int64_t SettingsReader::Integer(const std::string& name, int64_t fallback, int64_t low, int64_t high,
                                const std::string& meaning) {
  const std::string range = absl::StrCat("a whole number in [", low, ", ", high, "]");
  const std::string* text = Find(name, absl::StrCat(fallback), range, meaning);
  if (text == nullptr) return fallback;
  int64_t value = 0;
  if (!absl::SimpleAtoi(*text, &value) || value < low || value > high) {
    Refuse(name, *text, range);
    return fallback;
  }
  return value;
}

bool SettingsReader::Boolean(const std::string& name, bool fallback, const std::string& meaning) {
  const std::string* text = Find(name, fallback ? "true" : "false", "true or false", meaning);
  if (text == nullptr) return fallback;
  bool value = false;
  if (!absl::SimpleAtob(*text, &value)) {
    Refuse(name, *text, "true or false");
    return fallback;
  }
  return value;
}

std::string SettingsReader::Text(const std::string& name, const std::string& fallback, const std::string& meaning) {
  const std::string* text = Find(name, fallback, "text", meaning);
  return text == nullptr ? fallback : *text;
}

std::string SettingsReader::Choice(const std::string& name, const std::string& fallback,
                                   const std::vector<std::string>& choices, const std::string& meaning) {
  const std::string range = absl::StrCat("one of ", absl::StrJoin(choices, " | "));
  const std::string* text = Find(name, fallback, range, meaning);
  if (text == nullptr) return fallback;
  if (std::find(choices.begin(), choices.end(), *text) == choices.end()) {
    Refuse(name, *text, range);
    return fallback;
  }
  return *text;
}

absl::Status SettingsReader::Finish() const {
  if (!status_.ok()) return status_;
  for (const auto& [name, value] : settings_) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    const std::string nearest = NearestName(name, asked_);
    return absl::InvalidArgumentError(
        absl::StrCat("environment.settings.", name, ": unknown setting",
                     nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }
  return absl::OkStatus();
}

std::string SettingsReader::Describe() const { return absl::StrJoin(lines_, "\n"); }

}  // namespace troupe
