// The settings of smax, and the names of all it shows and takes.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_SMAX_SETTINGS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_SMAX_SETTINGS_H_

#include <string>

#include "actor_worker/environments/smax/heuristic.h"
#include "actor_worker/environments/smax/observation.h"
#include "common/config/settings_reader.h"
#include "common/specs/environment_spec.h"

namespace troupe::smax {

struct SmaxSettings {
  std::string map = "3m";
  bool self_play = false;
  View view = View::kUnitList;
  ActionKind actions = ActionKind::kDiscrete;
  StateScale state = StateScale::kRaw;
  HeuristicSettings enemy;
  bool see_enemy_actions = true;
  bool self_play_reward = false;
  float won_battle_bonus = 1;
  int max_decisions = 100;
  Rules rules;
};

// The one place that knows the settings' names, ranges and meanings.
SmaxSettings ReadSettings(SettingsReader& reader);

EnvironmentSpec MakeSpec(const SmaxSettings& settings);

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_SMAX_SETTINGS_H_
