#include <algorithm>
#include <cstdio>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"

namespace troupe {
namespace {

Command ReplayCommand() {
  return {.name = "actor_worker replay",
          .usage = {"--actors=FILE [flags]", "--controller=NAME (--environment=NAME | --experiment=FILE) [flags]"},
          .text =
              "Prints the environment every N-th step of an episode while the actors, or a baseline, play, and closes "
              "with the\nepisode's statistics. Without --seed it is the first episode of the final table.",
          .flags = {"actors=FILE", "controller=NAME", "environment=NAME", "experiment=FILE", "set FIELD=VALUE",
                    "seed=N", "steps=N", "every=N", "sample", "greedy"},
          .examples = {"actor_worker replay --actors=runs/grid_world/actors/best.safetensors",
                       "actor_worker replay --environment=traffic_grid --controller=max_wave --every=60"}};
}

absl::StatusOr<Player> FindPlayer(const Scenario& scenario) {
  const std::string controller = absl::GetFlag(FLAGS_controller);
  if (controller.empty()) return ActorPlayer(scenario, 0);
  ASSIGN_OR_RETURN(const std::vector<Player> found, ChooseBaselines(scenario, "--controller", {controller}));
  if (found.size() != 1) return absl::InvalidArgumentError("--controller: expected the name of one baseline");
  return found[0];
}

absl::Status Replay(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const Player player, FindPlayer(scenario));
  SettingsMap settings = scenario.settings;
  for (const auto& [name, value] : player.setting_overrides) settings[name] = value;
  ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(settings));
  const EnvironmentSpec& spec = environment->spec();
  const int64_t every = std::max<int64_t>(1, absl::GetFlag(FLAGS_every));
  Watch watch{.seed = EpisodeSeed(scenario), .max_steps = absl::GetFlag(FLAGS_steps)};
  watch.look = [&](const Environment& shown, const EpisodeBuffers::Copy&, const EpisodeResult& so_far, bool over) {
    if (so_far.length % every == 0 || over) std::printf("%s\n", shown.Render().c_str());
  };
  const bool trained = player.policy.policies != nullptr;
  std::fputs(absl::StrCat(spec.name, ", seed ", watch.seed, ", played by ", player.name,
                          trained ? absl::StrCat(": ", HowItActs(scenario, 0)) : "", "\n\n")
                 .c_str(),
             stdout);
  std::unique_ptr<Chooser> chooser = MakeBaselineChooser(spec, player, watch.seed);
  if (trained) {
    ASSIGN_OR_RETURN(chooser, MakeDecentralisedChooser(spec, player.policy, watch.seed));
  }
  ASSIGN_OR_RETURN(const EpisodeResult result, PlayWatched(*environment, *chooser, watch));
  std::fputs(FormatEpisode(spec, result).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

int RunReplay(int argc, char** argv) {
  CommandWords words;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, ReplayCommand(), &words)) return *answered;
  if (absl::GetFlag(FLAGS_actors).size() > 1 ||
      (absl::GetFlag(FLAGS_actors).empty() && absl::GetFlag(FLAGS_controller).empty())) {
    std::fprintf(stderr, "actor_worker replay: one --actors file or --controller=NAME is needed; see --help\n");
    return 2;
  }
  const absl::StatusOr<Scenario> scenario = LoadScenario(words.overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  const absl::Status status = Replay(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
