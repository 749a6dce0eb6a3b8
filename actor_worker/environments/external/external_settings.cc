#include "actor_worker/environments/external/external_settings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "actor_worker/environments/merged_groups.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

constexpr char kArgument[] = "argument_";
constexpr size_t kLongestArgumentBytes = 64 << 10;

struct Words {
  std::string program, options;
};

Words ReadAll(SettingsReader& reader, ExternalSettings& settings) {
  const ExternalSettings fallback;
  Words words;
  words.program = reader.Text("server_program", "python3 -m troupe.serve",
                              "the program that serves the environment, and arguments of it that every task has");
  words.options = reader.Text("server_options", "", "further arguments: which environment, for the Python server");
  settings.processes = static_cast<int>(reader.Integer("processes", fallback.processes, 1, 256,
                                                       "that a shard's copies are shared out to, at work at once"));
  settings.start_timeout_seconds = reader.Number("start_timeout_seconds", fallback.start_timeout_seconds, 0.1, 3600,
                                                 "a program that serves nothing after this is given up");
  settings.timeout_seconds = reader.Number("timeout_seconds", fallback.timeout_seconds, 0.1, 3600,
                                           "a step of all copies that takes longer is given up");
  settings.memory_limit_mb = reader.Integer("memory_limit_mb", fallback.memory_limit_mb, 64, 1 << 20,
                                            "memory of its own that each process may have");
  settings.merged_groups = ReadMergedGroups(reader);
  return words;
}

// A C identifier without further restrictions, so that it can be a variable's and a keyword's name.
bool IsArgumentName(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

absl::Status CheckArgument(const std::string& name, const std::string& value) {
  const std::string field = absl::StrCat("environment.settings.", kArgument, name);
  if (!IsArgumentName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": expected a name of letters, digits and _"));
  }
  if (value.size() > kLongestArgumentBytes || absl::StrContains(value, '\0')) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected at most ", kLongestArgumentBytes, " bytes, none of them 0"));
  }
  return absl::OkStatus();
}

// As execvp looks for it.
absl::StatusOr<std::string> FindProgram(const std::string& program) {
  const auto runs = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (absl::StrContains(program, '/')) {
    if (runs(program)) return program;
    return absl::NotFoundError(absl::StrCat("environment.settings.server_program: no runnable ", program));
  }
  const char* const path = std::getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    const std::string candidate = absl::StrCat(folder.empty() ? "." : folder, "/", program);
    if (runs(candidate)) return candidate;
  }
  return absl::NotFoundError(
      absl::StrCat("environment.settings.server_program: no ", program, " in the folders of PATH"));
}

absl::StatusOr<std::vector<std::string>> WordsOf(const std::string& setting, const std::string& line) {
  absl::StatusOr<std::vector<std::string>> words = SplitWords(line);
  if (words.ok()) return words;
  return absl::InvalidArgumentError(absl::StrCat("environment.settings.", setting, ": ", words.status().message()));
}

}  // namespace

absl::StatusOr<ExternalSettings> ReadExternalSettings(const SettingsMap& map) {
  ExternalSettings settings;
  SettingsMap own;
  for (const auto& [name, value] : map) {
    if (!absl::StartsWith(name, kArgument)) {
      own[name] = value;
      continue;
    }
    const std::string argument = name.substr(sizeof kArgument - 1);
    RETURN_IF_ERROR(CheckArgument(argument, value));
    settings.arguments[argument] = value;
  }
  SettingsReader reader(own);
  const Words words = ReadAll(reader, settings);
  RETURN_IF_ERROR(reader.Finish());
  ASSIGN_OR_RETURN(settings.command, WordsOf("server_program", words.program));
  if (settings.command.empty()) {
    return absl::InvalidArgumentError("environment.settings.server_program: came \"\", expected a program");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> options, WordsOf("server_options", words.options));
  settings.command.insert(settings.command.end(), options.begin(), options.end());
  ASSIGN_OR_RETURN(settings.command[0], FindProgram(settings.command[0]));
  return settings;
}

std::string DescribeExternalSettings() {
  const SettingsMap none;
  SettingsReader reader(none);
  ExternalSettings settings;
  ReadAll(reader, settings);
  reader.Text(absl::StrCat(kArgument, "NAME"), "", "the environment's own argument NAME, as many as it has");
  return reader.Describe();
}

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line) {
  std::vector<std::string> words;
  bool within = false;
  char quotation = '\0';
  for (const char c : line) {
    if (quotation != '\0') {
      if (c == quotation) {
        quotation = '\0';
      } else {
        words.back().push_back(c);
      }
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n') {
      within = false;
      continue;
    }
    if (!within) words.emplace_back();
    within = true;
    if (c == '\'' || c == '"') {
      quotation = c;
    } else {
      words.back().push_back(c);
    }
  }
  if (quotation != '\0') return absl::InvalidArgumentError(absl::StrCat("a quotation that begins has no end: ", line));
  return words;
}

}  // namespace troupe
