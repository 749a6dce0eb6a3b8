#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/evaluation_progress.h"
#include "actor_worker/offline/episode_files.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"
#include "common/config/experiment_loader.h"
#include "common/statistics/estimate.h"

namespace troupe {
namespace {

// None that evaluations or matches are played with: whoever learns from the episodes is measured on others.
constexpr uint64_t kFirstSeed = 4'000'000;

Command RecordCommand() {
  return {
      .name = "actor_worker record",
      .usage = {"--actors=FILE --out=FOLDER [flags]",
                "--controller=NAME (--environment=NAME | --experiment=FILE) --out=FOLDER [flags]"},
      .text =
          "Plays whole episodes with one actor file or one baseline and writes what every agent saw, could do, did and "
          "was paid,\nfor learning from it later. `python -m troupe episodes` makes HDF5 or Parquet of the folder.",
      .flags = {"actors=FILE", "controller=NAME", "environment=NAME", "experiment=FILE", "set FIELD=VALUE",
                "out=FOLDER", "episodes=N", "first_seed=N", "sample", "greedy", "progress_seconds=S",
                "allow_machine_settings"},
      .examples = {"actor_worker record --actors=runs/traffic_grid/actors/best.safetensors --sample --episodes=100 "
                   "--out=episodes/traffic",
                   "actor_worker record --environment=simple_spread --controller=random --episodes=1000 "
                   "--out=episodes/random"}};
}

absl::StatusOr<Player> FindPlayer(const Scenario& scenario) {
  if (!scenario.actors.empty()) return ActorPlayer(scenario, 0);
  ASSIGN_OR_RETURN(const std::vector<Player> found,
                   ChooseBaselines(scenario, "--controller", {absl::GetFlag(FLAGS_controller)}));
  if (found.size() != 1) return absl::InvalidArgumentError("--controller: expected the name of one baseline");
  return found[0];
}

std::string Summary(const WrittenEpisodes& written, const std::string& player) {
  const EnvironmentSpec& spec = written.spec;
  std::string text = absl::StrFormat("%s, played by %s: %d episodes, %d steps, in %d files of %s\n", spec.name, player,
                                     written.episodes.size(), written.steps, written.files, absl::GetFlag(FLAGS_out));
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    std::vector<double> returns;
    for (const EpisodeResult& episode : written.episodes) returns.push_back(episode.group_returns[g]);
    const Estimate mean = EstimateMean(returns);
    absl::StrAppendFormat(&text, "  return of %s: %g", spec.groups[g].name, mean.mean);
    absl::StrAppend(&text, returns.size() > 1 ? absl::StrFormat(" ± %.2g", mean.half_width) : "", "\n");
  }
  return text;
}

absl::Status Record(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const Player player, FindPlayer(scenario));
  EpisodeFilesPlan plan{.environment = scenario.environment, .settings = scenario.settings};
  plan.first_seed = absl::GetFlag(FLAGS_first_seed).value_or(kFirstSeed);
  plan.episodes =
      absl::GetFlag(FLAGS_episodes).value_or(static_cast<int>(scenario.experiment.evaluation().final_episodes()));
  if (plan.episodes < 1) {
    return absl::InvalidArgumentError(absl::StrCat("--episodes=", plan.episodes, ": expected at least 1"));
  }
  plan.folder = absl::GetFlag(FLAGS_out);
  plan.metadata = {{"experiment", FormatExperiment(scenario.experiment)}, {"player", player.name}};
  if (!scenario.actors.empty()) {
    plan.metadata["actions"] = scenario.sampled[0] ? "sampled" : "greedy";
    plan.metadata["policy_version"] = absl::StrCat(scenario.actors[0].weights.policy_version);
  }
  absl::StatusOr<WrittenEpisodes> written;
  {
    EvaluationProgress progress(stderr, isatty(STDERR_FILENO) == 1,
                                absl::Seconds(absl::GetFlag(FLAGS_progress_seconds)), 1, plan.episodes,
                                EvaluationProgress::Now());
    progress.Begin(player.name);
    plan.progress = [&progress](int finished) { progress.Update(finished, EvaluationProgress::Now()); };
    written = WriteEpisodes(plan, player);
  }
  RETURN_IF_ERROR(written.status());
  std::fputs(Summary(*written, player.name).c_str(), stdout);
  return absl::OkStatus();
}

// What is wrong with the command line; empty: nothing.
std::string Problem() {
  const std::vector<std::string> files = absl::GetFlag(FLAGS_actors);
  const size_t actors = std::count_if(files.begin(), files.end(), [](const auto& file) { return !file.empty(); });
  if (actors + (absl::GetFlag(FLAGS_controller).empty() ? 0 : 1) != 1) {
    return "one --actors file or --controller=NAME is needed";
  }
  return absl::GetFlag(FLAGS_out).empty() ? "--out: the folder to write to is needed" : "";
}

}  // namespace

int RunRecord(int argc, char** argv) {
  CommandWords words;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, RecordCommand(), &words)) return *answered;
  if (const std::string problem = Problem(); !problem.empty()) {
    std::fprintf(stderr, "actor_worker record: %s; see --help\n", problem.c_str());
    return 2;
  }
  const absl::StatusOr<Scenario> scenario = LoadScenario(words.overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  const absl::Status status = Record(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
