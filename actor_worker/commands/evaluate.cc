#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/cross_play.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/evaluation_progress.h"
#include "actor_worker/evaluation/evaluation_report.h"
#include "actor_worker/rollout/curriculum_stages.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"
#include "common/command_line/terminal.h"
#include "common/files/atomic_file.h"
#include "common/specs/algorithm_card.h"
#include "common/specs/best_by.h"
#include "common/specs/self_play_check.h"

namespace troupe {
namespace {

constexpr int kNotHereStatus = 3;

Command EvaluateCommand() {
  return {
      .name = "actor_worker evaluate",
      .usage = {"--actors=FILE[,FILE…] [flags]", "(--experiment=FILE | --environment=NAME) [flags]"},
      .text =
          "Plays whole episodes with actor files and with baselines, all on the same seeds, and prints a table. "
          "How many\nepisodes, on which seeds, against whom and whether actors sample is what the experiment says, "
          "which an actor file\nholds, unless a flag says otherwise. Without --actors baselines play alone.",
      .flags = {"actors=FILE,…", "experiment=FILE", "environment=NAME", "set FIELD=VALUE", "episodes=N", "first_seed=N",
                "sample", "greedy", "baselines=NAME,…", "cross_play", "json=FILE", "threads=N", "progress_seconds=S",
                "check_only", "allow_machine_settings"},
      .examples = {
          "actor_worker evaluate --actors=runs/traffic_grid/actors/best.safetensors --episodes=50",
          "actor_worker evaluate --actors=runs/a/actors/final.safetensors,runs/b/actors/final.safetensors --cross_play",
          "actor_worker evaluate --environment=traffic_grid --baselines=max_wave,fixed_time --set "
          "environment.settings.vehicles_per_hour=3600"}};
}

// Those of --baselines, else the experiment's, else all; none by themselves where actor files play each other.
absl::StatusOr<std::vector<Player>> Baselines(const Scenario& scenario) {
  if (const std::string chosen = absl::GetFlag(FLAGS_baselines); !chosen.empty()) {
    return ChooseBaselines(scenario, "--baselines", absl::StrSplit(chosen, ',', absl::SkipEmpty()));
  }
  if (absl::GetFlag(FLAGS_cross_play)) return std::vector<Player>();
  const auto& chosen = scenario.experiment.evaluation().baselines();
  if (chosen.empty()) return ChooseBaselines(scenario, "evaluation.baselines", {"all"});
  return ChooseBaselines(scenario, "evaluation.baselines", {chosen.begin(), chosen.end()});
}

absl::StatusOr<EpisodePlan> MakePlan(const Scenario& scenario) {
  const EvaluationSettings& settings = scenario.experiment.evaluation();
  EpisodePlan plan{.environment = scenario.environment, .settings = scenario.settings};
  plan.first_seed = absl::GetFlag(FLAGS_first_seed).value_or(settings.final_first_seed());
  plan.episodes = absl::GetFlag(FLAGS_episodes).value_or(static_cast<int>(settings.final_episodes()));
  if (plan.episodes < 1) {
    return absl::InvalidArgumentError(absl::StrCat("--episodes=", plan.episodes, ": expected at least 1"));
  }
  plan.threads = absl::GetFlag(FLAGS_threads) > 0 ? absl::GetFlag(FLAGS_threads)
                                                  : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return plan;
}

absl::Status Evaluate(const Scenario& scenario) {
  ASSIGN_OR_RETURN(EpisodePlan plan, MakePlan(scenario));
  EvaluationReport report;
  {
    ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(scenario.settings));
    report.environment = environment->spec();
  }
  report.settings = scenario.settings;
  report.first_seed = plan.first_seed;
  report.episodes = plan.episodes;
  report.actions_because = scenario.acts_as_asked ? "as asked" : "as trained for";
  report.best_by = scenario.experiment.evaluation().best_by();
  report.smaller_is_better = scenario.experiment.evaluation().smaller_is_better();

  ASSIGN_OR_RETURN(const std::vector<Player> baselines, Baselines(scenario));
  std::vector<Lineup> lineups;
  if (absl::GetFlag(FLAGS_cross_play)) {
    ASSIGN_OR_RETURN(lineups, MakeLineups(scenario, report.environment));
  }
  std::vector<Player> players;
  for (const Lineup& lineup : lineups) players.push_back(LineupPlayer(lineup));
  for (size_t i = 0; lineups.empty() && i < scenario.actors.size(); ++i) players.push_back(ActorPlayer(scenario, i));
  const size_t trained = players.size();
  players.insert(players.end(), baselines.begin(), baselines.end());
  if (players.empty()) return absl::InvalidArgumentError("nobody plays: give --actors or --baselines");

  {
    EvaluationProgress progress(stderr, isatty(STDERR_FILENO) == 1,
                                absl::Seconds(absl::GetFlag(FLAGS_progress_seconds)), static_cast<int>(players.size()),
                                plan.episodes, EvaluationProgress::Now());
    plan.progress = [&progress](int finished) { progress.Update(finished, EvaluationProgress::Now()); };
    for (size_t i = 0; i < players.size(); ++i) {
      progress.Begin(players[i].name);
      ASSIGN_OR_RETURN(std::vector<EpisodeResult> episodes, RunEpisodes(plan, players[i]));
      PlayerEpisodes played{.name = players[i].name, .episodes = std::move(episodes)};
      if (i < trained) {
        const size_t file = lineups.empty() ? i : lineups[i].first;
        played.trained = true;
        played.path = scenario.paths[file];
        if (!lineups.empty()) played.opponent_path = scenario.paths[lineups[i].others];
        played.sampled_actions = scenario.sampled[file];
        played.policy_version = scenario.actors[file].weights.policy_version;
        played.env_steps = scenario.actors[file].env_steps;
      }
      report.players.push_back(std::move(played));
    }
  }
  const int columns = TerminalColumns(STDOUT_FILENO);
  std::fputs((columns == 0 ? FormatReport(report) : Folded(FormatReport(report, columns), columns)).c_str(), stdout);
  if (!lineups.empty()) std::fputs(FormatCrossTable(report, ActorFileNames(scenario.paths)).c_str(), stdout);
  if (const std::string path = absl::GetFlag(FLAGS_json); !path.empty())
    return WriteFileAtomically(path, {ReportJson(report)});
  return absl::OkStatus();
}

// Everything Evaluate, or a run of the experiment, needs and can know without playing. INVALID_ARGUMENT or NOT_FOUND of
// the experiment's own words; UNAVAILABLE when it cannot be played on this machine.
absl::Status Check(const Scenario& scenario) {
  RETURN_IF_ERROR(MakePlan(scenario).status());
  ASSIGN_OR_RETURN(std::vector<Player> players, Baselines(scenario));
  players.push_back({.name = "actors"});
  // An environment by itself is played by baselines alone.
  const bool trains = !scenario.actors.empty() || !absl::GetFlag(FLAGS_experiment).empty();
  std::set<SettingsMap> tried;
  for (const Player& player : players) {
    SettingsMap settings = scenario.settings;
    for (const auto& [name, value] : player.setting_overrides) settings[name] = value;
    if (!tried.insert(settings).second) continue;
    const auto environment = scenario.environment->create(settings);
    if (environment.ok()) {
      // Where the actors play; baselines may have other groups.
      if (trains && settings == scenario.settings) {
        std::vector<PolicySpec> policies;
        if (scenario.actors.empty()) {
          ASSIGN_OR_RETURN(policies, MakePolicySpecs(scenario.experiment, (*environment)->spec()));
        } else {
          policies = scenario.actors[0].policies;
        }
        RETURN_IF_ERROR(CheckAlgorithm(scenario.experiment, (*environment)->spec(), policies));
        RETURN_IF_ERROR(CheckSelfPlay(scenario.experiment, (*environment)->spec()));
        RETURN_IF_ERROR(
            CurriculumStages::Create(scenario.experiment, *scenario.environment, (*environment)->spec()).status());
      }
      RETURN_IF_ERROR(CheckBestBy((*environment)->spec(), scenario.experiment.evaluation().best_by()));
    } else if (absl::IsInvalidArgument(environment.status())) {
      return environment.status();
    } else {
      return absl::UnavailableError(environment.status().message());
    }
  }
  return absl::OkStatus();
}

}  // namespace

int RunEvaluate(int argc, char** argv) {
  CommandWords words;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, EvaluateCommand(), &words)) return *answered;
  const bool check_only = absl::GetFlag(FLAGS_check_only);
  const absl::StatusOr<Scenario> scenario = LoadScenario(words.overrides);
  if (!scenario.ok()) {
    Fail(scenario.status());
    return check_only ? 2 : 1;
  }
  if (check_only) {
    const absl::Status status = Check(*scenario);
    if (status.ok()) return 0;
    Fail(status);
    return absl::IsUnavailable(status) ? kNotHereStatus : 2;
  }
  for (const std::string& path : scenario->trained_otherwise) {
    std::fprintf(stderr, "note: %s was trained with other environment settings than are played here\n", path.c_str());
  }
  const absl::Status status = Evaluate(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
