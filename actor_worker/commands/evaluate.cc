#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/evaluation_report.h"
#include "actor_worker/flags.h"
#include "common/files/atomic_file.h"
#include "common/status_macros.h"

namespace troupe {
namespace {

constexpr char kUsage[] =
    "actor_worker evaluate --actors=FILE[,FILE…] [--episodes=20] [--first_seed=2000000] [--sample]\n"
    "                      [--baselines=all|none|NAME,…] [--set environment.settings.NAME=VALUE …] [--json=FILE] "
    "[--threads=N]\n"
    "Plays whole episodes with the actor files and with baselines, all on the same seeds, and prints a table. Without "
    "--actors,\n"
    "--experiment=FILE or --environment=NAME says what the baselines play.";

absl::Status Evaluate(const Scenario& scenario) {
  EpisodePlan plan{.environment = scenario.environment, .settings = scenario.settings};
  plan.first_seed = absl::GetFlag(FLAGS_first_seed);
  plan.episodes = absl::GetFlag(FLAGS_episodes);
  plan.threads = absl::GetFlag(FLAGS_threads) > 0 ? absl::GetFlag(FLAGS_threads)
                                                  : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  EvaluationReport report;
  {
    ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(scenario.settings));
    report.environment = environment->spec();
  }
  report.settings = scenario.settings;
  report.first_seed = plan.first_seed;
  report.episodes = plan.episodes;
  report.sampled_actions = absl::GetFlag(FLAGS_sample);
  report.best_by = scenario.experiment.evaluation().best_by();
  report.smaller_is_better = scenario.experiment.evaluation().smaller_is_better();

  ASSIGN_OR_RETURN(const std::vector<Player> baselines, ChooseBaselines(scenario, absl::GetFlag(FLAGS_baselines)));
  std::vector<Player> players;
  for (size_t i = 0; i < scenario.actors.size(); ++i)
    players.push_back(ActorPlayer(scenario, i, report.sampled_actions));
  players.insert(players.end(), baselines.begin(), baselines.end());
  if (players.empty()) return absl::InvalidArgumentError("nobody plays: give --actors or --baselines");
  const bool show_progress = isatty(STDERR_FILENO) == 1;
  for (size_t i = 0; i < players.size(); ++i) {
    if (show_progress) std::fprintf(stderr, "\r\033[K%zu of %zu: %s", i + 1, players.size(), players[i].name.c_str());
    absl::StatusOr<std::vector<EpisodeResult>> episodes = RunEpisodes(plan, players[i]);
    if (show_progress) std::fprintf(stderr, "\r\033[K");
    if (!episodes.ok()) {
      return absl::Status(episodes.status().code(), absl::StrCat(players[i].name, ": ", episodes.status().message()));
    }
    PlayerEpisodes played{.name = players[i].name, .episodes = *std::move(episodes)};
    if (i < scenario.actors.size()) {
      played.trained = true;
      played.path = scenario.paths[i];
      played.policy_version = scenario.actors[i].weights.policy_version;
      played.env_steps = scenario.actors[i].env_steps;
    }
    report.players.push_back(std::move(played));
  }
  std::fputs(FormatReport(report).c_str(), stdout);
  if (const std::string path = absl::GetFlag(FLAGS_json); !path.empty())
    return WriteFileAtomically(path, {ReportJson(report)});
  return absl::OkStatus();
}

}  // namespace

int RunEvaluate(int argc, char** argv) {
  const std::vector<std::string> overrides = TakeSetFlags(&argc, argv);
  ParseFlags(argc, argv, kUsage, 0);
  const absl::StatusOr<Scenario> scenario = LoadScenario(overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  for (const std::string& path : scenario->trained_otherwise) {
    std::fprintf(stderr, "note: %s was trained with other environment settings than are played here\n", path.c_str());
  }
  const absl::Status status = Evaluate(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
