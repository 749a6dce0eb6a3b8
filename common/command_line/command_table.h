// Commands as data for programs: what completion and manual pages of both programs are made of. Every command prints
// its own row for --describe_command, so that there is one table of flags, whichever program holds them.
#ifndef TROUPE_COMMON_COMMAND_LINE_COMMAND_TABLE_H_
#define TROUPE_COMMON_COMMAND_LINE_COMMAND_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/command_line/command.h"

namespace troupe {

inline constexpr char kDescribeCommand[] = "--describe_command";

struct CommandRow {
  struct Flag {
    std::string name;     // "episodes"
    std::string value;    // "N", "cpu|cuda", "FIELD=VALUE"; empty: a switch
    std::string meaning;  // with the default, as --help has it
    bool operator==(const Flag&) const = default;
  };
  std::string name;  // "actor_worker evaluate"
  std::vector<std::string> usage;
  std::string text;
  std::vector<Flag> flags;
  std::vector<std::string> examples;
  bool takes_words = false;  // besides flags
  bool operator==(const CommandRow&) const = default;
};

CommandRow RowOf(const Command& command);

// One line of JSON; ParseCommandRow(FormatCommandRow(row)) == row. INVALID_ARGUMENT for any other text.
std::string FormatCommandRow(const CommandRow& row);
absl::StatusOr<CommandRow> ParseCommandRow(const std::string& line);

// The last word: "evaluate".
std::string WordOf(const CommandRow& row);

}  // namespace troupe

#endif  // TROUPE_COMMON_COMMAND_LINE_COMMAND_TABLE_H_
