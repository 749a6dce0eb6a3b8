#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "actor_worker/commands/commands.h"
#include "actor_worker/commands/flags.h"
#include "actor_worker/commands/scenario.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "actor_worker/replay_page/episode_recorder.h"
#include "actor_worker/replay_page/replay_page.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"
#include "common/files/atomic_file.h"

namespace troupe {
namespace {

Command ReplayCommand() {
  return {
      .name = "actor_worker replay",
      .usage = {"--actors=FILE [flags]", "--controller=NAME (--environment=NAME | --experiment=FILE) [flags]",
                "--out=FILE.html --actors=A[,B] [--controller=NAME] [flags]"},
      .text =
          "Prints the environment every N-th step of an episode while the actors, or a baseline, play, and closes "
          "with the\nepisode's statistics. Without --seed it is the first episode of the final table.\n"
          "With --out, writes a page instead that plays the episode in a browser and needs nothing else: a picture "
          "of the state, what\neach agent does, sees and gets, charts. Two players, actor files or baselines, stand "
          "side by side on the same seed.",
      .flags = {"actors=FILE", "controller=NAME", "environment=NAME", "experiment=FILE", "set FIELD=VALUE", "seed=N",
                "steps=N", "every=N", "out=FILE", "sample", "greedy", "allow_machine_settings"},
      .examples = {"actor_worker replay --actors=runs/grid_world/actors/best.safetensors",
                   "actor_worker replay --environment=traffic_grid --controller=max_wave --every=60",
                   "actor_worker replay --actors=runs/traffic_grid/actors/best.safetensors --controller=fixed_time "
                   "--out=replay.html"}};
}

struct ReplayedPlayer {
  Player player;
  std::string how;  // empty: a baseline, which acts in one way
};

std::vector<std::string> ControllerNames() {
  return absl::StrSplit(absl::GetFlag(FLAGS_controller), ',', absl::SkipEmpty());
}

// The actor files in their order, then the baselines.
absl::StatusOr<std::vector<ReplayedPlayer>> FindPlayers(const Scenario& scenario) {
  std::vector<ReplayedPlayer> players;
  for (size_t i = 0; i < scenario.actors.size(); ++i) {
    players.push_back({ActorPlayer(scenario, i), HowItActs(scenario, i)});
  }
  for (const std::string& name : ControllerNames()) {
    ASSIGN_OR_RETURN(const std::vector<Player> found, ChooseBaselines(scenario, "--controller", {name}));
    if (found.size() != 1) return absl::InvalidArgumentError("--controller: expected names of baselines");
    players.push_back({found[0], ""});
  }
  return players;
}

using Look = std::function<void(const Environment&, const EpisodeBuffers::Copy&, const EpisodeResult&, bool)>;

// `begin` is told the environment's spec before the first look.
absl::StatusOr<EpisodeResult> Play(const Scenario& scenario, const Player& player,
                                   const std::function<Look(const EnvironmentSpec&)>& begin) {
  SettingsMap settings = scenario.settings;
  for (const auto& [name, value] : player.setting_overrides) settings[name] = value;
  ASSIGN_OR_RETURN(const auto environment, scenario.environment->create(settings));
  const EnvironmentSpec& spec = environment->spec();
  const uint64_t seed = EpisodeSeed(scenario);
  std::unique_ptr<Chooser> chooser = MakeBaselineChooser(spec, player, seed);
  if (player.policy.policies != nullptr) {
    ASSIGN_OR_RETURN(chooser, MakeDecentralisedChooser(spec, player.policy, seed));
  }
  return PlayWatched(*environment, *chooser,
                     {.seed = seed, .max_steps = absl::GetFlag(FLAGS_steps), .look = begin(spec)});
}

absl::Status Print(const Scenario& scenario, const ReplayedPlayer& replayed) {
  const int64_t every = std::max<int64_t>(1, absl::GetFlag(FLAGS_every));
  const Look print = [every](const Environment& shown, const EpisodeBuffers::Copy&, const EpisodeResult& so_far,
                             bool over) {
    if (so_far.length % every == 0 || over) std::printf("%s\n", shown.Render().c_str());
  };
  EnvironmentSpec played;
  ASSIGN_OR_RETURN(const EpisodeResult result, Play(scenario, replayed.player, [&](const EnvironmentSpec& spec) {
                     played = spec;
                     std::fputs(
                         absl::StrCat(spec.name, ", seed ", EpisodeSeed(scenario), ", played by ", replayed.player.name,
                                      replayed.how.empty() ? "" : ": ", replayed.how, "\n\n")
                             .c_str(),
                         stdout);
                     return print;
                   }));
  std::fputs(FormatEpisode(played, result).c_str(), stdout);
  return absl::OkStatus();
}

absl::StatusOr<Recording> Record(const Scenario& scenario, const ReplayedPlayer& replayed) {
  std::optional<EpisodeRecorder> recorder;
  const auto begin = [&](const EnvironmentSpec& spec) -> Look {
    recorder.emplace(spec, RecordingLimits{.every = absl::GetFlag(FLAGS_every)});
    return [&recorder](const Environment& environment, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far,
                       bool over) { recorder->Look(environment, copy, so_far, over); };
  };
  ASSIGN_OR_RETURN(EpisodeResult result, Play(scenario, replayed.player, begin));
  Recording recording = (*std::move(recorder)).Take(std::move(result));
  recording.player = replayed.player.name;
  recording.how = replayed.how;
  return recording;
}

absl::Status WritePage(const Scenario& scenario, const std::vector<ReplayedPlayer>& players, const std::string& path) {
  std::vector<Recording> recordings;
  for (const ReplayedPlayer& player : players) {
    ASSIGN_OR_RETURN(recordings.emplace_back(), Record(scenario, player));
    const Recording& made = recordings.back();
    std::fputs(
        absl::StrCat(made.player, made.how.empty() ? "" : ": ", made.how, "\n", FormatEpisode(made.spec, made.result))
            .c_str(),
        stdout);
    for (const std::string& sentence : made.left_out) std::printf("%s\n", sentence.c_str());
  }
  const std::string page = ReplayPage(recordings);
  RETURN_IF_ERROR(WriteFileAtomically(path, {page}));
  std::fputs(absl::StrFormat("wrote %s, %.1f MB\n", path, static_cast<double>(page.size()) / 1e6).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status Replay(const Scenario& scenario) {
  ASSIGN_OR_RETURN(const std::vector<ReplayedPlayer> players, FindPlayers(scenario));
  const std::string path = absl::GetFlag(FLAGS_out);
  return path.empty() ? Print(scenario, players.back()) : WritePage(scenario, players, path);
}

// What is wrong with who plays; empty: nothing.
std::string PlayersProblem() {
  const std::vector<std::string> files = absl::GetFlag(FLAGS_actors);
  const size_t actors = std::count_if(files.begin(), files.end(), [](const auto& file) { return !file.empty(); });
  const size_t baselines = ControllerNames().size();
  if (absl::GetFlag(FLAGS_out).empty()) {
    const bool one = actors <= 1 && baselines <= 1 && actors + baselines > 0;
    return one ? "" : "one --actors file or --controller=NAME is needed, and --out=FILE.html for two";
  }
  return actors + baselines >= 1 && actors + baselines <= kMaxPlayersOfPage
             ? ""
             : "--out: one or two players are needed, by --actors=A,B or --controller=NAME";
}

}  // namespace

int RunReplay(int argc, char** argv) {
  CommandWords words;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, ReplayCommand(), &words)) return *answered;
  if (const std::string problem = PlayersProblem(); !problem.empty()) {
    std::fprintf(stderr, "actor_worker replay: %s; see --help\n", problem.c_str());
    return 2;
  }
  const absl::StatusOr<Scenario> scenario = LoadScenario(words.overrides);
  if (!scenario.ok()) return Fail(scenario.status());
  const absl::Status status = Replay(*scenario);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace troupe
