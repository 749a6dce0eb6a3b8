// actor_worker [COMMAND] [FLAGS]: collects experience for a learner, or plays what was learned.
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/worker.h"
#include "common/base/log.h"
#include "common/base/shown_text.h"
#include "common/command_line/command.h"
#include "common/command_line/terminal.h"
#include "common/command_line/version.h"
#include "common/config/settings_reader.h"
#include "common/metrics/metrics.h"
#include "common/threads/shutdown.h"

namespace troupe {
namespace {

constexpr char kHelp[] =
    "actor_worker of Troupe: collects experience for a learner, or plays what was learned.\n"
    "\n"
    "  actor_worker [work] --learner=HOST:PORT   collect experience for a learner\n"
    "  actor_worker evaluate --actors=FILE       play whole episodes with actors and baselines and print a table\n"
    "  actor_worker replay --actors=FILE         show an episode step by step\n"
    "  actor_worker record --actors=FILE         write episodes to files, for learning from them later\n"
    "  actor_worker act --actors=FILE            one agent's actor on a line protocol, or all in the simulator\n"
    "  actor_worker environments [NAME]          list the environments; what one observes, does and can be set to\n"
    "  actor_worker --version                    the project's version and what it was built with\n"
    "\n"
    "Each command has its own --help.\n";

Command WorkCommand() {
  return {.name = "actor_worker work",
          .usage = {"--learner=HOST:PORT [flags]"},
          .text =
              "Collects experience for a learner until its run ends; everything else it is told when it registers.\n"
              "The first SIGINT, SIGTERM or SIGHUP sends what is under way and leaves; a second SIGINT or SIGTERM ends "
              "at once.",
          .flags = {"learner=HOST:PORT", "rollout_threads=N", "max_shards=N", "metrics=HOST:PORT",
                    "give_up_after_seconds=S", "tls_ca=FILE", "tls_certificate=FILE", "tls_key=FILE",
                    "tls_server_name=NAME", "token_file=FILE", "insecure", "allow_machine_settings"},
          .examples = {"actor_worker --learner=127.0.0.1:7070 --rollout_threads=2"}};
}

int RunWork(int argc, char** argv) {
  CommandWords words;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, WorkCommand(), &words)) return *answered;
  ShutdownSignal& shutdown = ProcessShutdown();
  WorkerOptions options;
  options.learner_address = absl::GetFlag(FLAGS_learner);
  options.rollout_threads = absl::GetFlag(FLAGS_rollout_threads);
  options.max_shards = absl::GetFlag(FLAGS_max_shards);
  options.allow_machine_settings = absl::GetFlag(FLAGS_allow_machine_settings);
  const double give_up_after_seconds = absl::GetFlag(FLAGS_give_up_after_seconds);
  if (give_up_after_seconds > 0) options.give_up_after = absl::Seconds(give_up_after_seconds);
  options.stop_requested = [&shutdown] { return shutdown.requested(); };
  if (options.learner_address.empty()) {
    std::fprintf(stderr, "--learner: HOST:PORT of the learner is needed; see --help\n");
    return 2;
  }
  if (options.rollout_threads < 1 || options.rollout_threads > 1024 || options.max_shards < 1 ||
      options.max_shards > 4096) {
    std::fprintf(stderr, "--rollout_threads: %d, expected 1 … 1024; --max_shards: %d, expected 1 … 4096\n",
                 options.rollout_threads, options.max_shards);
    return 2;
  }
  const ClientSecurity security = {absl::GetFlag(FLAGS_tls_ca),     absl::GetFlag(FLAGS_tls_certificate),
                                   absl::GetFlag(FLAGS_tls_key),    absl::GetFlag(FLAGS_tls_server_name),
                                   absl::GetFlag(FLAGS_token_file), absl::GetFlag(FLAGS_insecure)};
  absl::StatusOr<std::shared_ptr<const ClientCredentials>> credentials =
      ClientCredentials::Load(security, options.learner_address);
  if (!credentials.ok()) {
    std::fprintf(stderr, "%s\n", ShownLines(credentials.status().message()).c_str());
    return 2;
  }
  options.credentials = *std::move(credentials);
  Metrics metrics;
  prometheus::Gauge& finished =
      metrics.Gauge("troupe_run_finished", "1 once the learner has said that the run has ended.");
  if (const std::string address = absl::GetFlag(FLAGS_metrics); !address.empty()) {
    const absl::StatusOr<int> port = metrics.Serve(address);
    if (!port.ok()) {
      std::fprintf(stderr, "--metrics: %s\n", port.status().ToString().c_str());
      return 1;
    }
    LogLine("metrics on port " + std::to_string(*port));
  }
  const int exit_status = RunWorker(options, &metrics);
  if (exit_status == kWorkerDone && !shutdown.requested()) {
    // Whoever watches shall know why this process answers no more.
    finished.Set(1);
    metrics.AwaitScrape([&shutdown] { return shutdown.requested(); });
  }
  return exit_status;
}

struct NamedCommand {
  const char* word;
  int (*run)(int argc, char** argv);
};
constexpr NamedCommand kCommands[] = {{"work", RunWork},     {"evaluate", RunEvaluate},
                                      {"replay", RunReplay}, {"record", RunRecord},
                                      {"act", RunAct},       {"environments", RunEnvironments}};

int Dispatch(int argc, char** argv) {
  if (AsksForVersion(argc, argv)) {
    std::fputs(FormatVersion("actor_worker", "").c_str(), stdout);
    return 0;
  }
  if (argc == 2 && AsksForHelp(argc, argv)) {
    std::fputs(Folded(kHelp, TerminalColumns(fileno(stdout))).c_str(), stdout);
    return 0;
  }
  if (argc < 2 || argv[1][0] == '-') return RunWork(argc, argv);
  const std::string command = argv[1];
  argv[1] = argv[0];
  std::vector<std::string> words;
  for (const NamedCommand& named : kCommands) {
    if (command == named.word) return named.run(argc - 1, argv + 1);
    words.push_back(named.word);
  }
  // For completion and manual pages (learner/commands/).
  if (command == "command_words") {
    for (const std::string& word : words) std::puts(word.c_str());
    return 0;
  }
  const std::string nearest = NearestName(command, words);
  std::fprintf(stderr, "actor_worker: unknown command \"%s\"%s\n\n%s", command.c_str(),
               nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?").c_str(), kHelp);
  return 2;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at every lock; the tests keep it on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return troupe::Dispatch(argc, argv);
}
