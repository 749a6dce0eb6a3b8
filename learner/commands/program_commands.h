// Every command of both programs, asked of the programs themselves.
#ifndef TROUPE_LEARNER_COMMANDS_PROGRAM_COMMANDS_H_
#define TROUPE_LEARNER_COMMANDS_PROGRAM_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/command_line/command_table.h"

namespace troupe {

struct ProgramCommands {
  std::string program;  // "learner"
  std::string summary;  // what it is, in a line
  std::vector<CommandRow> commands;
};

// Learner's and actor_worker's, by running each command with --describe_command. Errors: NOT_FOUND: the programs do not
// lie beside this one; INTERNAL naming the command that answers something else.
absl::StatusOr<std::vector<ProgramCommands>> AskPrograms();

}  // namespace troupe

#endif  // TROUPE_LEARNER_COMMANDS_PROGRAM_COMMANDS_H_
