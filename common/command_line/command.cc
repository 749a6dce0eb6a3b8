#include "common/command_line/command.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "absl/algorithm/container.h"
#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/command_line/command_table.h"
#include "common/command_line/terminal.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

// Flags that may be given again, which absl's cannot.
struct Repeatable {
  const char* flag;
  const char* expected;
  const char* meaning;
  std::vector<std::string> CommandWords::*values;
};
constexpr Repeatable kRepeatables[] = {
    {"set FIELD=VALUE", "FIELD=VALUE",
     "Override a field of the experiment; may be given again: --set ppo.clip=0.1 --set policy.hidden_sizes=128,64.",
     &CommandWords::overrides},
    {"vary FIELD=A,B,…", "FIELD=A,B,…",
     "A row for each value of a field; may be given again, for each with each: --vary ppo.clip=0.1,0.3.",
     &CommandWords::varied}};
constexpr size_t kMeaningColumn = 30, kLastColumn = 116;
constexpr int kWidestText = 120;  // of Command::text and examples

// "episodes=N" → "episodes".
std::string NameOf(const std::string& flag) { return flag.substr(0, flag.find_first_of("= ")); }

// The flag, then its meaning in a column of its own, broken between words.
std::string FormatRow(const std::string& flag, size_t last_column) {
  std::string text, line = absl::StrCat("  --", flag);
  if (line.size() + 2 > kMeaningColumn) {
    absl::StrAppend(&text, line, "\n");
    line.clear();
  }
  line.resize(kMeaningColumn, ' ');
  bool first = true;
  for (const absl::string_view word : absl::StrSplit(MeaningOf(flag), ' ', absl::SkipEmpty())) {
    if (line.size() + 1 + word.size() > last_column) {
      absl::StrAppend(&text, line, "\n");
      line.assign(kMeaningColumn, ' ');
      first = true;
    }
    absl::StrAppend(&line, first ? "" : " ", word);
    first = false;
  }
  return absl::StrCat(text, line, "\n");
}

std::string ExpectedOf(const absl::CommandLineFlag& flag) {
  if (flag.IsOfType<bool>()) return "true or false";
  if (flag.IsOfType<double>()) return "a number";
  if (flag.IsOfType<std::string>() || flag.IsOfType<std::vector<std::string>>()) return "text";
  return "a whole number";
}

absl::Status Unknown(const std::string& name, const Command& command) {
  std::vector<std::string> known;
  for (const std::string& flag : command.flags) known.push_back(NameOf(flag));
  std::string nearest = NearestName(name, known);
  // "--workers" is far from "--local_workers" by letters, and near for people.
  for (size_t i = 0; i < known.size() && nearest.empty(); ++i) {
    if (absl::EndsWith(known[i], absl::StrCat("_", name)) || absl::StartsWith(known[i], absl::StrCat(name, "_"))) {
      nearest = known[i];
    }
  }
  const bool elsewhere = absl::FindCommandLineFlag(name) != nullptr;
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, ": ", elsewhere ? "is a flag of another command, not of " : "there is no such flag of ",
                   command.name, nearest.empty() ? "" : absl::StrCat("; did you mean \"--", nearest, "\"?")));
}

// The flag called `name`, which the command takes, or null.
absl::CommandLineFlag* Find(const std::string& name, const Command& command) {
  const bool taken = std::any_of(command.flags.begin(), command.flags.end(),
                                 [&](const std::string& flag) { return NameOf(flag) == name; });
  return taken ? absl::FindCommandLineFlag(name) : nullptr;
}

// The one called `name` if the command takes it, or null.
const Repeatable* FindRepeatable(const std::string& name, const Command& command) {
  for (const Repeatable& repeatable : kRepeatables) {
    if (NameOf(repeatable.flag) == name && absl::c_linear_search(command.flags, repeatable.flag)) return &repeatable;
  }
  return nullptr;
}

absl::Status Set(absl::CommandLineFlag& flag, const std::string& value) {
  std::string error;
  if (flag.ParseFrom(value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag.Name(), "=", value, ": expected ", ExpectedOf(flag)));
}

}  // namespace

std::string MeaningOf(const std::string& flag) {
  for (const Repeatable& repeatable : kRepeatables) {
    if (flag == repeatable.flag) return repeatable.meaning;
  }
  const absl::CommandLineFlag* const found = absl::FindCommandLineFlag(NameOf(flag));
  if (found == nullptr) return "";
  const std::string fallback = found->DefaultValue();
  if (found->IsOfType<bool>() || fallback.empty()) return found->Help();
  return absl::StrCat(absl::StripSuffix(found->Help(), "."), " (", fallback, ").");
}

namespace {

// Sentences that were broken for a wide terminal, broken for this one.
std::string Text(const Command& command, int columns) {
  if (columns == 0 || columns >= kWidestText) return command.text;
  std::string text = command.text;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\n' && text[i - 1] != '\n' && text[i + 1] != '\n' && text[i + 1] != ' ') text[i] = ' ';
  }
  return Folded(text, columns);
}

// 0 columns: as wide as it is best read.
std::string HelpFor(const Command& command, int columns) {
  const size_t last_column = columns == 0 ? kLastColumn : std::clamp<size_t>(columns, kMeaningColumn * 2, kLastColumn);
  std::string text;
  for (const std::string& form : command.usage) {
    absl::StrAppend(&text, text.empty() ? "usage: " : "       ", command.name, form.empty() ? "" : " ", form, "\n");
  }
  absl::StrAppend(&text, "\n", Text(command, columns), "\n");
  if (!command.flags.empty()) absl::StrAppend(&text, "\nflags, with their defaults\n");
  for (const std::string& flag : command.flags) absl::StrAppend(&text, FormatRow(flag, last_column));
  if (!command.examples.empty()) {
    absl::StrAppend(&text, command.examples.size() == 1 ? "\nexample\n  " : "\nexamples\n  ",
                    absl::StrJoin(command.examples, "\n  "), "\n");
  }
  return text;
}

}  // namespace

std::string FormatHelp(const Command& command) { return HelpFor(command, 0); }

bool AsksForHelp(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    if (word == "--") return false;
    if (word == "--help" || word == "-help" || word == "-h" || (i == 1 && word == "help")) return true;
  }
  return false;
}

bool AsksForVersion(int argc, char** argv) {
  return argc == 2 && (absl::string_view(argv[1]) == "--version" || absl::string_view(argv[1]) == "version");
}

absl::StatusOr<CommandWords> ReadCommandLine(int argc, char** argv, const Command& command) {
  CommandWords read;
  bool flags_end = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (flags_end || word.size() < 2 || word[0] != '-') {
      read.words.push_back(word);
      continue;
    }
    if (word == "--") {
      flags_end = true;
      continue;
    }
    const std::string rest = word.substr(word[1] == '-' ? 2 : 1);
    const size_t equals = rest.find('=');
    const std::string name = rest.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = rest.substr(equals + 1);
    absl::CommandLineFlag* flag = Find(name, command);
    if (flag == nullptr && absl::StartsWith(name, "no") && !value.has_value()) {
      flag = Find(name.substr(2), command);
      if (flag != nullptr && flag->IsOfType<bool>()) value = "false";
    } else if (flag != nullptr && flag->IsOfType<bool>() && !value.has_value()) {
      value = "true";
    }
    const Repeatable* const repeatable = FindRepeatable(name, command);
    if (flag == nullptr && repeatable == nullptr) return Unknown(name, command);
    if (!value.has_value()) {
      if (i + 1 == argc) {
        return absl::InvalidArgumentError(absl::StrCat(
            "--", name, ": expected ", repeatable != nullptr ? repeatable->expected : ExpectedOf(*flag), " after it"));
      }
      value = argv[++i];
    }
    if (repeatable != nullptr) {
      (read.*repeatable->values).push_back(*value);
    } else {
      RETURN_IF_ERROR(Set(*flag, *value));
    }
  }
  if (static_cast<int>(read.words.size()) > command.max_words) {
    return absl::InvalidArgumentError(absl::StrCat("unexpected \"", read.words[command.max_words], "\""));
  }
  return read;
}

std::optional<int> AnswerOrRead(int argc, char** argv, const Command& command, CommandWords* words) {
  if (AsksForHelp(argc, argv)) {
    std::fputs(HelpFor(command, TerminalColumns(fileno(stdout))).c_str(), stdout);
    return 0;
  }
  if (argc == 2 && absl::string_view(argv[1]) == kDescribeCommand) {
    std::puts(FormatCommandRow(RowOf(command)).c_str());
    return 0;
  }
  absl::StatusOr<CommandWords> read = ReadCommandLine(argc, argv, command);
  if (!read.ok()) {
    std::fprintf(stderr, "%s: %s\n`%s --help` tells what there is\n", command.name.c_str(),
                 std::string(read.status().message()).c_str(), command.name.c_str());
    return 2;
  }
  *words = *std::move(read);
  return std::nullopt;
}

}  // namespace troupe
