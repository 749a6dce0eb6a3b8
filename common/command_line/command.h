// One subcommand's command line: what its --help teaches and how its words are read. Flags are absl's (ABSL_FLAG),
// where their meaning and default stand; a command names those it takes.
#ifndef TROUPE_COMMON_COMMAND_LINE_COMMAND_H_
#define TROUPE_COMMON_COMMAND_LINE_COMMAND_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

struct Command {
  std::string name;                // "actor_worker evaluate"
  std::vector<std::string> usage;  // the forms of its command line, without the name
  std::string text;                // what it does; lines of up to 120 columns
  // The flags it takes in the order of its help: "episodes=N", "sample" for a switch. "set FIELD=VALUE" is the
  // repeatable override of an experiment's field, which is no flag of absl's: values may hold commas; "vary
  // FIELD=A,B,…" is another.
  std::vector<std::string> flags;
  std::vector<std::string> examples;  // whole command lines
  int max_words = 0;                  // words besides flags that it takes at most
};

struct CommandWords {
  std::vector<std::string> words;      // besides flags
  std::vector<std::string> overrides;  // of every --set, in order
  std::vector<std::string> varied;     // of every --vary, in order
};

// What a flag of Command::flags means, with its default, on one line.
std::string MeaningOf(const std::string& flag);

// Usage, text, every flag with meaning and default, examples.
std::string FormatHelp(const Command& command);

// Whether one of the words is --help, -help or -h, or the first is "help".
bool AsksForHelp(int argc, char** argv);
bool AsksForVersion(int argc, char** argv);

// Sets the flags: --flag=VALUE, --flag VALUE, and --flag or --noflag for switches; words after "--" are no flags.
// argv[0] is the program. Errors: INVALID_ARGUMENT naming the flag: the command does not take it (with the nearest it
// takes), a value that is missing or not of its type, a word too many.
absl::StatusOr<CommandWords> ReadCommandLine(int argc, char** argv, const Command& command);

// For programs of subcommands: prints help, or for --describe_command the command's row (command_table.h), and returns
// 0 when asked for that; reads the command line into `words` and returns nothing when it is good, else says what is
// wrong on standard error and returns 2.
std::optional<int> AnswerOrRead(int argc, char** argv, const Command& command, CommandWords* words);

}  // namespace troupe

#endif  // TROUPE_COMMON_COMMAND_LINE_COMMAND_H_
