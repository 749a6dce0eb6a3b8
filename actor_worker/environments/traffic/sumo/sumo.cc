// The environment `sumo`: any network SUMO can run, one agent per traffic signal with at least two green phases to
// choose from (sumo/signal_phases.h); the others keep their own program, which is said in a line. What the agents see,
// do and are rewarded for is traffic/traffic_environment.h; the simulator is sumo/sumo_simulation.h.
//
// Statistics are TrafficEnvironment's. mean_delay_seconds is time loss + depart delay per scheduled vehicle, unfinished
// and never inserted ones included: the delay that the RESCO benchmark reports (Ault and Sharon, "Reinforcement
// Learning Benchmarks for Traffic Signal Control", NeurIPS 2021 Datasets and Benchmarks). With
// ignore_junction_blocker_seconds -1 the networks' own programs come out as SUMO 1.28 itself has them, mean of seeds
// 1..3: cologne1 42.9 s, cologne3 35.8 s, cologne8 49.0 s.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "actor_worker/environments/any_allowed_action.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/traffic/controllers.h"
#include "actor_worker/environments/traffic/sumo/installation.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

struct SumoSettings {
  std::string network;
  std::string sumo_home;
  SumoOptions options;
  TrafficSettings traffic;
};

SumoSettings ReadSumoSettings(SettingsReader& reader) {
  SumoSettings settings;
  settings.network = reader.Text("network", "cologne8", "an installed network's name, or a path to a .sumocfg");
  settings.sumo_home = reader.Text("sumo_home", "", "where SUMO is; empty: SUMO_HOME, else .deps/sumo");
  SumoOptions& options = settings.options;
  options.network_program =
      reader.Choice("signal_control", "AGENTS", {"AGENTS", "NETWORK_PROGRAM"},
                    "who sets the lights; NETWORK_PROGRAM lets the network's own programs run and ignores actions") ==
      "NETWORK_PROGRAM";
  options.ignore_junction_blocker_seconds = static_cast<int>(
      reader.Integer("ignore_junction_blocker_seconds", options.ignore_junction_blocker_seconds, -1, 3600,
                     "vehicles standing on a junction this long no longer block others; -1: they always do"));
  options.time_to_teleport_seconds = static_cast<int>(
      reader.Integer("time_to_teleport_seconds", options.time_to_teleport_seconds, -1, 3600,
                     "vehicles stuck this long are moved on; -1: never, as the RESCO benchmark has it"));
  options.memory_limit_mb =
      reader.Integer("memory_limit_mb", options.memory_limit_mb, 256, 1 << 20, "address space of each SUMO process");
  options.step_timeout_seconds = reader.Number("step_timeout_seconds", options.step_timeout_seconds, 0.1, 3600,
                                               "a SUMO that answers later than this is given up");
  const std::string more = reader.Text("sumo_options", "", "further command-line options, separated by spaces");
  options.more_arguments = absl::StrSplit(more, ' ', absl::SkipEmpty());
  settings.traffic = ReadTrafficSettings(reader);
  return settings;
}

// What a network's user should know of it, once.
void SayWhatIsUnusual(const SumoScenario& scenario) {
  const auto say = [&scenario](absl::string_view what, const std::vector<std::string>& names) {
    constexpr size_t kNamed = 10;
    if (names.empty()) return;
    const size_t named = std::min(kNamed, names.size());
    std::string text = absl::StrCat(scenario.network.name, ": ", what, ": ",
                                    absl::StrJoin(names.begin(), names.begin() + named, ", "));
    if (named < names.size()) absl::StrAppend(&text, " and ", names.size() - named, " more");
    LogLineOnce(text);
  };
  say("these signals are no agents, their own program runs (fewer than two green phases to choose from)",
      scenario.own_program_signals);
  say("detectors of its additional files write files, every copy of the environment the same ones",
      scenario.written_files);
}

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& map) {
  SettingsReader reader(map);
  SumoSettings settings = ReadSumoSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  RETURN_IF_ERROR(ValidateTrafficSettings(settings.traffic));
  ASSIGN_OR_RETURN(settings.options.installation, FindSumo(settings.sumo_home));
  ASSIGN_OR_RETURN(const std::string path, FindSumoNetwork(settings.network));
  ASSIGN_OR_RETURN(SumoScenario scenario, ReadSumoScenario(path));
  SayWhatIsUnusual(scenario);
  RETURN_IF_ERROR(CheckSumoOptions(settings.options.more_arguments, scenario.configuration_overrides));
  auto simulation = std::make_unique<SumoSimulation>(std::move(scenario), std::move(settings.options));
  return std::make_unique<TrafficEnvironment>("sumo", std::move(simulation), settings.traffic);
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  std::vector<Baseline> baselines = TrafficBaselines();
  baselines.insert(baselines.begin(),
                   {"network_program", {{"signal_control", "NETWORK_PROGRAM"}}, &MakeAnyAllowedAction});
  return baselines;
}

std::string DescribeSettings() {
  const SettingsMap none;
  SettingsReader reader(none);
  ReadSumoSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SumoEntry() {
  return {.name = "sumo",
          .summary = "real SUMO over TraCI: one agent per traffic signal of any SUMO network",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = DescribeSettings,
          .machine_settings = {"sumo_home", "memory_limit_mb", "step_timeout_seconds"}};
}

}  // namespace troupe
