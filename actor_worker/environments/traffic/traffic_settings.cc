#include "actor_worker/environments/traffic/traffic_settings.h"

#include "absl/strings/str_cat.h"

namespace troupe {

TrafficSettings ReadTrafficSettings(SettingsReader& reader) {
  TrafficSettings settings;
  const std::string action_set =
      reader.Choice("action_set", "KEEP_NEXT_EXTEND_OVERRIDE", {"KEEP_NEXT_EXTEND_OVERRIDE", "CHOOSE_PHASE"},
                    "four actions with demand-skipping `next`, or one action per green phase");
  if (action_set == "CHOOSE_PHASE") settings.action_set = TrafficActionSet::kChoosePhase;
  const std::string observation =
      reader.Choice("observation", "APPROACHES", {"APPROACHES", "PHASES"},
                    "what agents see: 17 numbers summed by approach, or a block of numbers per green phase");
  if (observation == "PHASES") settings.observation = TrafficObservation::kPhases;
  const auto whole = [&](const char* name, int fallback, int low, int high, const char* meaning) {
    return static_cast<int>(reader.Integer(name, fallback, low, high, meaning));
  };
  settings.decision_interval_seconds =
      whole("decision_interval_seconds", settings.decision_interval_seconds, 1, 60, "seconds between decisions");
  settings.episode_seconds = whole("episode_seconds", settings.episode_seconds, 1, 86400, "length of an episode");
  settings.yellow_seconds = whole("yellow_seconds", settings.yellow_seconds, 0, 10, "yellow before every change");
  settings.all_red_seconds = whole("all_red_seconds", settings.all_red_seconds, 0, 10, "all-red after yellow");
  settings.min_green_seconds = whole("min_green_seconds", settings.min_green_seconds, 1, 120, "shortest green");
  settings.max_green_seconds =
      whole("max_green_seconds", settings.max_green_seconds, 2, 600, "longest green, then a change is forced");
  settings.extension_seconds =
      whole("extension_seconds", settings.extension_seconds, 1, 60, "what the action `extend` commits to");
  TrafficRewardWeights& reward = settings.reward;
  reward.level = reader.Number("reward_level", reward.level, 0, 100, "weight of -(standing vehicles) / 20");
  reward.presence =
      reader.Number("reward_presence", reward.presence, 0, 100, "weight of -(vehicles, standing or not) / 20");
  reward.improvement =
      reader.Number("reward_improvement", reward.improvement, 0, 100, "weight of the fall in standing vehicles / 20");
  reward.throughput = reader.Number("reward_throughput", reward.throughput, 0, 100, "weight of vehicles served / 20");
  reward.neighbour =
      reader.Number("reward_neighbour", reward.neighbour, 0, 100, "weight of the neighbours' mean own reward");
  reward.emergency =
      reader.Number("reward_emergency", reward.emergency, 0, 100, "weight of -(emergency vehicles waiting) / 20");
  return settings;
}

absl::Status ValidateTrafficSettings(const TrafficSettings& settings) {
  const int needed = settings.min_green_seconds + settings.decision_interval_seconds;
  if (settings.max_green_seconds < needed) {
    return absl::InvalidArgumentError(absl::StrCat(
        "environment.settings.max_green_seconds: ", settings.max_green_seconds,
        " is below min_green_seconds + decision_interval_seconds = ", needed, ", which would leave no allowed action"));
  }
  return absl::OkStatus();
}

}  // namespace troupe
