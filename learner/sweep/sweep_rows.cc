#include "learner/sweep/sweep_rows.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace troupe {
namespace {

constexpr char kEvery[] = "every";

// Commas are not for names: marl-eval refuses them.
bool IsName(absl::string_view name) {
  return !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == '=' || c == '+';
  });
}

bool IsOverride(absl::string_view word) {
  const size_t equals = word.find('=');
  return equals != absl::string_view::npos && equals > 0;
}

}  // namespace

absl::StatusOr<std::vector<SweepRow>> ParseSweepRows(const std::string& text, const std::string& source) {
  std::vector<std::string> every;
  std::vector<SweepRow> rows;
  std::set<std::string> names;
  std::vector<std::string>* overrides = nullptr;  // of the row that an indented line goes on with
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const auto wrong = [&](const auto&... what) {
      return absl::InvalidArgumentError(absl::StrCat(source, ":", number, ": ", what...));
    };
    std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty() || line[0] == '#') continue;
    if (!absl::ascii_isspace(line[0])) {
      const std::string name = words[0];
      words.erase(words.begin());
      if (!names.insert(name).second) return wrong("there is a row \"", name, "\" already");
      if (name == kEvery) {
        overrides = &every;
      } else if (IsName(name)) {
        rows.push_back({name, {}});
        overrides = &rows.back().overrides;
      } else {
        return wrong("\"", name, "\" cannot be a row's name; expected letters, digits and . _ - + =");
      }
    }
    if (overrides == nullptr) return wrong("an indented line goes on with the row above, and there is none");
    for (const std::string& word : words) {
      if (!IsOverride(word)) return wrong("\"", word, "\": expected FIELD=VALUE");
      overrides->push_back(word);
    }
  }
  if (rows.empty()) return absl::InvalidArgumentError(absl::StrCat(source, ": no row in it"));
  for (SweepRow& row : rows) row.overrides.insert(row.overrides.begin(), every.begin(), every.end());
  return rows;
}

absl::StatusOr<std::vector<SweepRow>> VaryRows(const std::vector<SweepRow>& rows, const std::string& vary) {
  const auto wrong = [&](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("--vary ", vary, ": ", what));
  };
  const size_t equals = vary.find('=');
  if (equals == std::string::npos || equals == 0) return wrong("expected FIELD=A,B,…");
  const std::string field = vary.substr(0, equals);
  std::vector<SweepRow> varied;
  for (const SweepRow& row : rows) {
    std::set<std::string> values;
    for (const std::string& value : std::vector<std::string>(absl::StrSplit(vary.substr(equals + 1), ','))) {
      const std::string setting = absl::StrCat(field, "=", value);
      if (value.empty() || !IsName(setting)) {
        return wrong(
            absl::StrCat("\"", value, "\" cannot be part of a row's name; give such values in a file of --rows"));
      }
      if (!values.insert(value).second) return wrong(absl::StrCat("\"", value, "\" stands there twice"));
      SweepRow next = row;
      absl::StrAppend(&next.name, next.name.empty() ? "" : "+", setting);
      next.overrides.push_back(setting);
      varied.push_back(std::move(next));
    }
  }
  return varied;
}

}  // namespace troupe
