// Completion of command lines by bash and zsh, made of the commands' own rows.
#ifndef TROUPE_LEARNER_COMMANDS_COMPLETION_H_
#define TROUPE_LEARNER_COMMANDS_COMPLETION_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "learner/commands/program_commands.h"

namespace troupe {

// Words that complete what a flag's value or a command's word is of.
struct CompletionWords {
  std::vector<std::string> settings;      // names of fields: after --set, --vary and `explain`
  std::vector<std::string> algorithms;    // after `algorithms`
  std::vector<std::string> environments;  // after `environments`
};

// A script that bash sources (or finds as bash-completion/completions/PROGRAM). Commands, their flags, choices of
// flags, paths, and `words`.
std::string FormatBashCompletion(absl::Span<const ProgramCommands> programs, const CompletionWords& words);

// The same for zsh, as a file of its $fpath.
std::string FormatZshCompletion(absl::Span<const ProgramCommands> programs, const CompletionWords& words);

// A manual page in the man macros (man(7)), section 1.
std::string FormatManualPage(const ProgramCommands& program, const std::string& version);

}  // namespace troupe

#endif  // TROUPE_LEARNER_COMMANDS_COMPLETION_H_
