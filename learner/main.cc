// The learner's commands. Here are those that need no LibTorch, whose loading costs every start of a program a third of
// a second of a core; for the others learner_train (train_main.cc) takes this process's place.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/base/shown_text.h"
#include "common/command_line/command.h"
#include "common/config/settings_reader.h"
#include "common/threads/shutdown.h"
#include "learner/commands/commands.h"
#include "learner/health/health_command.h"
#include "learner/sweep/sweep_command.h"
#include "learner/sweep/sweep_flags.h"

ABSL_FLAG(std::string, connect, "", "HOST:PORT of the learner to ask.");
ABSL_FLAG(std::string, tls_ca, "", "Authority, PEM, of which the learner must show a certificate.");
ABSL_FLAG(std::string, tls_certificate, "", "Own certificate, PEM, to show.");
ABSL_FLAG(std::string, tls_key, "", "Its private key, PEM.");
ABSL_FLAG(std::string, tls_server_name, "", "The name its certificate must have, instead of --connect's.");
ABSL_FLAG(std::string, token_file, "", "File with the learner's token.");
ABSL_FLAG(bool, insecure, false, "Allow the token to travel to other machines in plain text.");

namespace {

troupe::Command HealthCommandLine() {
  return {
      .name = "learner health",
      .usage = {"--connect=HOST:PORT [flags]"},
      .text =
          "Asks a learner whether it is well. Exit status 0 and the phase (starting, training, finishing) as long as "
          "it lives\nand answers, 1 with a line that says why not.",
      .flags = {"connect=HOST:PORT", "tls_ca=FILE", "tls_certificate=FILE", "tls_key=FILE", "tls_server_name=NAME",
                "token_file=FILE", "insecure"},
      .examples = {"learner health --connect=127.0.0.1:7070"}};
}

int Health(int argc, char** argv) {
  troupe::CommandWords words;
  if (const auto status = troupe::AnswerOrRead(argc, argv, HealthCommandLine(), &words)) return *status;
  const std::string address = absl::GetFlag(FLAGS_connect);
  if (address.empty()) {
    std::fprintf(stderr, "learner: health: --connect=HOST:PORT is needed\nlearner health --help tells what there is\n");
    return 2;
  }
  const absl::StatusOr<std::string> answer = troupe::AskHealth(
      address, {absl::GetFlag(FLAGS_tls_ca), absl::GetFlag(FLAGS_tls_certificate), absl::GetFlag(FLAGS_tls_key),
                absl::GetFlag(FLAGS_tls_server_name), absl::GetFlag(FLAGS_token_file), absl::GetFlag(FLAGS_insecure)});
  if (!answer.ok()) {
    std::fprintf(stderr, "learner: %s\n", troupe::ShownText(answer.status().message()).c_str());
    return 1;
  }
  std::printf("%s\n", troupe::ShownText(*answer).c_str());
  return 0;
}

int Sweep(int argc, char** argv) {
  troupe::ShutdownSignal& shutdown = troupe::ProcessShutdown();
  troupe::CommandWords words;
  if (const auto status = troupe::AnswerOrRead(argc, argv, troupe::SweepCommandLine(), &words)) return *status;
  const absl::StatusOr<troupe::SweepOptions> options = troupe::ReadSweepFlags(words);
  const absl::Status status = options.ok() ? troupe::RunSweep(*options, &shutdown) : options.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "learner: sweep: %s\n", troupe::ShownLines(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? 2 : 1;
}

// Returns only when the program beside this one cannot be run.
int BecomeTrainProgram(char** argv) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string program = own.parent_path() / "learner_train";
  execv(program.c_str(), argv);
  std::fprintf(stderr, "learner: %s: %s; it is built together with this program\n", program.c_str(),
               std::strerror(errno));
  return 1;
}

struct NamedCommand {
  const char* word;
  int (*run)(int argc, char** argv);  // null: learner_train's
};
constexpr NamedCommand kCommands[] = {{"train", nullptr},
                                      {"plan", nullptr},
                                      {"export", nullptr},
                                      {"inspect", troupe::RunInspect},
                                      {"sweep", Sweep},
                                      {"health", Health},
                                      {"environments", troupe::RunEnvironments},
                                      {"algorithms", troupe::RunAlgorithms},
                                      {"explain", troupe::RunExplain},
                                      {"completion", troupe::RunCompletion},
                                      {"manual", troupe::RunManual}};

int RefuseCommand(const std::string& word) {
  std::vector<std::string> words;
  for (const NamedCommand& command : kCommands) words.push_back(command.word);
  const std::string nearest = troupe::NearestName(word, words);
  std::fprintf(stderr, "learner: unknown command \"%s\"%s\nlearner --help tells what there is\n",
               troupe::ShownText(word).c_str(),
               nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?").c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view word = argc < 2 ? "" : argv[1];
  if (word.empty() || word[0] == '-' || word == "help" || word == "version") return BecomeTrainProgram(argv);
  // For completion and manual pages.
  if (word == "command_words") {
    for (const NamedCommand& command : kCommands) std::puts(command.word);
    return 0;
  }
  for (const NamedCommand& command : kCommands) {
    if (word != command.word) continue;
    if (command.run == nullptr) return BecomeTrainProgram(argv);
    // What follows is the command's own line.
    argv[1] = argv[0];
    return command.run(argc - 1, argv + 1);
  }
  return RefuseCommand(std::string(word));
}
