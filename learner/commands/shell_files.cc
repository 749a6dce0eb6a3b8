#include <cstdio>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"
#include "common/command_line/version.h"
#include "common/config/setting_names.h"
#include "common/config/settings_reader.h"
#include "common/processes/piped_process.h"
#include "common/specs/algorithm_card.h"
#include "learner/commands/commands.h"
#include "learner/commands/completion.h"
#include "learner/commands/program_commands.h"

namespace troupe {
namespace {

Command CompletionCommand() {
  return {.name = "learner completion",
          .usage = {"bash|zsh"},
          .text =
              "Prints what a shell needs to complete the command lines of learner and actor_worker: commands, flags, "
              "choices, files,\nfields of experiments, environments and algorithms.",
          .examples = {"learner completion bash > ~/.local/share/bash-completion/completions/learner",
                       "source <(learner completion bash)"},
          .max_words = 1};
}

Command ManualCommand() {
  return {.name = "learner manual",
          .usage = {"", "actor_worker"},
          .text = "Prints the manual page of the learner or of actor_worker, made of what each command's --help says.",
          .examples = {"learner manual | man -l -"},
          .max_words = 1};
}

// The first word of each line that the worker's list of environments has before its blank line.
absl::StatusOr<std::vector<std::string>> EnvironmentNames() {
  ASSIGN_OR_RETURN(const std::string worker, SiblingProgram("actor_worker"));
  ASSIGN_OR_RETURN(const auto child, PipedProcess::Start({worker, "environments"}));
  std::string output;
  RETURN_IF_ERROR(child->ReadToEnd([] { return false; }, &output));
  std::vector<std::string> names;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    if (line.empty()) break;
    names.emplace_back(line.substr(0, line.find(' ')));
  }
  return names;
}

absl::StatusOr<std::string> MakeCompletion(const std::string& shell) {
  ASSIGN_OR_RETURN(const std::vector<ProgramCommands> programs, AskPrograms());
  CompletionWords words;
  ASSIGN_OR_RETURN(words.environments, EnvironmentNames());
  for (const NamedSetting& setting : AllSettingNames()) {
    // Keys and numbers are for people to fill in.
    if (setting.name.find("NAME") == std::string::npos && setting.name.find("NUMBER") == std::string::npos) {
      words.settings.push_back(setting.name);
    }
  }
  for (const AlgorithmCard& card : AllAlgorithmCards()) words.algorithms.push_back(card.name);
  return shell == "bash" ? FormatBashCompletion(programs, words) : FormatZshCompletion(programs, words);
}

absl::StatusOr<std::string> MakeManual(const std::string& program) {
  ASSIGN_OR_RETURN(const std::vector<ProgramCommands> programs, AskPrograms());
  for (const ProgramCommands& of : programs) {
    if (of.program == program) return FormatManualPage(of, ProjectVersion());
  }
  return absl::InvalidArgumentError(absl::StrCat("manual: \"", program, "\": there are learner and actor_worker"));
}

int Print(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) {
    std::fprintf(stderr, "learner: %s\n", ShownLines(text.status().message()).c_str());
    return absl::IsInvalidArgument(text.status()) ? 2 : 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace

int RunCompletion(int argc, char** argv) {
  CommandWords line;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, CompletionCommand(), &line)) return *answered;
  if (line.words.empty() || (line.words[0] != "bash" && line.words[0] != "zsh")) {
    std::fprintf(stderr, "learner completion: expected bash or zsh; see --help\n");
    return 2;
  }
  return Print(MakeCompletion(line.words[0]));
}

int RunManual(int argc, char** argv) {
  CommandWords line;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, ManualCommand(), &line)) return *answered;
  return Print(MakeManual(line.words.empty() ? "learner" : line.words[0]));
}

}  // namespace troupe
