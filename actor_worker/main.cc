// actor_worker [COMMAND] [FLAGS]: collects experience for a learner, or plays what was learned.
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/flags/flag.h"
#include "absl/synchronization/mutex.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/flags.h"
#include "actor_worker/log.h"
#include "actor_worker/worker.h"
#include "common/metrics/metrics.h"
#include "common/threads/shutdown.h"

namespace troupe {
namespace {

constexpr char kUsage[] =
    "actor_worker [COMMAND] [FLAGS]\n"
    "  work          collect experience for a learner (default): --learner=HOST:PORT [--rollout_threads=1]\n"
    "                [--max_shards=1024] [--metrics=HOST:PORT] [--give_up_after_seconds=S]\n"
    "                [--tls_ca=FILE [--tls_certificate=FILE --tls_key=FILE] [--tls_server_name=NAME]]\n"
    "                [--token_file=FILE [--insecure]]\n"
    "  evaluate      play whole episodes with actor files and baselines and print a table\n"
    "  act           one agent's actor on a line protocol, or a network of them in the simulator\n"
    "  replay        show an episode step by step\n"
    "  environments  list the environments and their settings\n"
    "Each command has its own --help.";

int RunWork(int argc, char** argv) {
  ShutdownSignal shutdown;
  ParseFlags(argc, argv, kUsage, 0);
  WorkerOptions options;
  options.learner_address = absl::GetFlag(FLAGS_learner);
  options.rollout_threads = absl::GetFlag(FLAGS_rollout_threads);
  options.max_shards = absl::GetFlag(FLAGS_max_shards);
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
    std::fprintf(stderr, "%s\n", std::string(credentials.status().message()).c_str());
    return 2;
  }
  options.credentials = *std::move(credentials);
  Metrics metrics;
  prometheus::Gauge& finished = metrics.Gauge("troupe_run_finished", "1 once the learner has said that the run has ended.");
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

int Dispatch(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return RunWork(argc, argv);
  const std::string command = argv[1];
  argv[1] = argv[0];
  if (command == "work") return RunWork(argc - 1, argv + 1);
  if (command == "evaluate") return RunEvaluate(argc - 1, argv + 1);
  if (command == "act") return RunAct(argc - 1, argv + 1);
  if (command == "replay") return RunReplay(argc - 1, argv + 1);
  if (command == "environments") return RunEnvironments(argc - 1, argv + 1);
  std::fprintf(stderr, "unknown command \"%s\"\n%s\n", command.c_str(), kUsage);
  return 2;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at every lock; the tests keep it on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return troupe::Dispatch(argc, argv);
}
