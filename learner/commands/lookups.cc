#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>

#include "common/base/shown_text.h"
#include "common/command_line/command.h"
#include "common/processes/piped_process.h"
#include "learner/commands/commands.h"
#include "learner/commands/describe_run.h"
#include "learner/commands/explain.h"
#include "learner/export/inspect.h"

namespace troupe {
namespace {

Command ExplainCommand() {
  return {.name = "learner explain",
          .usage = {"", "FIELD..."},
          .text =
              "What a field of an experiment means: its default, its range, its choices, and whether a run may go on "
              "with another\nvalue. The end of a name is enough where no other ends so; of a part of the experiment "
              "it lists the fields. Settings of\nenvironments: `learner environments NAME`.",
          .examples = {"learner explain ppo.clip", "learner explain collection", "learner explain clip"},
          .max_words = 100};
}

Command InspectCommand() {
  return {
      .name = "learner inspect",
      .usage = {"RUN", "FILE"},
      .text =
          "Of a run's folder: how far it is, how fast it was, its checkpoints, actors and evaluations, and whether "
          "a learner works\nthere. Of a checkpoint, an actor file or a batch that was kept: its metadata, then every "
          "tensor.",
      .examples = {"learner inspect runs/traffic_grid", "learner inspect runs/traffic_grid/actors/best.safetensors"},
      .max_words = 1};
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "learner: %s\n", ShownLines(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? 2 : 1;
}

}  // namespace

int RunExplain(int argc, char** argv) {
  CommandWords line;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, ExplainCommand(), &line)) return *answered;
  if (line.words.empty()) std::fputs(ListSettings().c_str(), stdout);
  for (size_t i = 0; i < line.words.size(); ++i) {
    const absl::StatusOr<std::string> text = ExplainSetting(line.words[i]);
    if (!text.ok()) return Fail(text.status());
    std::printf("%s%s", i > 0 ? "\n" : "", text->c_str());
  }
  return 0;
}

int RunInspect(int argc, char** argv) {
  CommandWords line;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, InspectCommand(), &line)) return *answered;
  if (line.words.empty()) {
    std::fprintf(stderr, "learner inspect: expected a run's folder or a file; see --help\n");
    return 2;
  }
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(line.words[0], error);
  const absl::StatusOr<std::string> text = is_folder ? DescribeRun(line.words[0]) : DescribeFile(line.words[0]);
  if (!text.ok()) {
    std::fprintf(stderr, "learner: %s\n", ShownLines(text.status().message()).c_str());
    return 1;
  }
  std::printf("%s\n", ShownLines(*text).c_str());
  return 0;
}

int RunEnvironments(int argc, char** argv) {
  const absl::StatusOr<std::string> program = SiblingProgram("actor_worker");
  if (!program.ok()) return Fail(program.status());
  std::string command = "environments";
  std::vector<char*> words = {argv[0], command.data()};
  for (int i = 1; i < argc; ++i) words.push_back(argv[i]);
  words.push_back(nullptr);
  execv(program->c_str(), words.data());
  std::fprintf(stderr, "learner: %s: %s\n", program->c_str(), std::strerror(errno));
  return 1;
}

}  // namespace troupe
