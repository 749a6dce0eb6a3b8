#include "learner/commands/program_commands.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/processes/piped_process.h"

namespace troupe {
namespace {

absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& command) {
  ASSIGN_OR_RETURN(const auto child, PipedProcess::Start(command));
  std::string output;
  RETURN_IF_ERROR(child->ReadToEnd([] { return false; }, &output));
  if (const int status = child->Wait(); status != 0) {
    return absl::InternalError(absl::StrCat(command[0], " ", command[1], " ", DescribeWaitStatus(status)));
  }
  return output;
}

absl::StatusOr<ProgramCommands> Ask(const std::string& program, const std::string& summary) {
  ASSIGN_OR_RETURN(const std::string path, SiblingProgram(program));
  ASSIGN_OR_RETURN(const std::string words, OutputOf({path, "command_words"}));
  ProgramCommands asked{program, summary, {}};
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(words, '\n', absl::SkipEmpty()))) {
    ASSIGN_OR_RETURN(const std::string line, OutputOf({path, word, kDescribeCommand}));
    absl::StatusOr<CommandRow> row = ParseCommandRow(line);
    if (!row.ok()) return absl::InternalError(absl::StrCat(program, " ", word, ": ", row.status().message()));
    // The learner hands on what is the worker's.
    row->name = absl::StrCat(program, " ", word);
    asked.commands.push_back(*std::move(row));
  }
  return asked;
}

}  // namespace

absl::StatusOr<std::vector<ProgramCommands>> AskPrograms() {
  std::vector<ProgramCommands> programs;
  ASSIGN_OR_RETURN(programs.emplace_back(), Ask("learner", "trains the actors of a multi-agent environment"));
  ASSIGN_OR_RETURN(programs.emplace_back(),
                   Ask("actor_worker", "collects experience for a learner, or plays what was learned"));
  return programs;
}

}  // namespace troupe
