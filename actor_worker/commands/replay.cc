#include <algorithm>
#include <cstdio>

#include "absl/flags/flag.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "actor_worker/flags.h"
#include "common/status_macros.h"

namespace troupe {
namespace {

constexpr char kUsage[] =
    "actor_worker replay (--actors=FILE | --controller=NAME [--environment=NAME | --experiment=FILE])\n"
    "                    [--seed=1000000] [--steps=N] [--every=1] [--sample] [--set environment.settings.NAME=VALUE "
    "…]\n"
    "Prints the environment every N-th step of an episode while the actors, or a baseline, play.";

absl::StatusOr<Player> FindPlayer(const Scenario& scenario) {
  const std::string controller = absl::GetFlag(FLAGS_controller);
  if (controller.empty()) return ActorPlayer(scenario, 0, absl::GetFlag(FLAGS_sample));
  ASSIGN_OR_RETURN(const std::vector<Player> found, ChooseBaselines(scenario, controller));
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
  Watch watch{.seed = absl::GetFlag(FLAGS_seed), .max_steps = absl::GetFlag(FLAGS_steps)};
  watch.look = [&](const Environment& shown, const EpisodeBuffers::Copy&, const EpisodeResult& so_far, bool over) {
    if (so_far.length % every == 0 || over) std::printf("%s\n", shown.Render().c_str());
  };
  std::unique_ptr<Chooser> chooser = MakeBaselineChooser(spec, player, watch.seed);
  if (player.policy.policies != nullptr) {
    ASSIGN_OR_RETURN(chooser, MakeDecentralisedChooser(spec, player.policy, watch.seed));
  }
  ASSIGN_OR_RETURN(const EpisodeResult result, PlayWatched(*environment, *chooser, watch));
  std::printf("%s played by %s\n%s", spec.name.c_str(), player.name.c_str(), FormatEpisode(spec, result).c_str());
  return absl::OkStatus();
}

}  // namespace

int RunReplay(int argc, char** argv) {
  const std::vector<std::string> overrides = TakeSetFlags(&argc, argv);
  ParseFlags(argc, argv, kUsage, 0);
  if (absl::GetFlag(FLAGS_actors).size() > 1 ||
      (absl::GetFlag(FLAGS_actors).empty() && absl::GetFlag(FLAGS_controller).empty())) {
    std::fprintf(stderr, "replay needs one --actors file or --controller=NAME; see --help\n");
    return 2;
  }
  const absl::StatusOr<Scenario> scenario = LoadScenario(overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  const absl::Status status = Replay(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
