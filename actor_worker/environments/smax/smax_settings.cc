#include "actor_worker/environments/smax/smax_settings.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/smax/maps.h"
#include "actor_worker/environments/smax/orders.h"

namespace troupe::smax {
namespace {

void NameKinds(const std::string& whose, std::vector<ObservedNumber>& numbers) {
  for (const UnitType& type : kUnitTypes) {
    numbers.push_back({absl::StrCat(whose, "_is_", type.name), "", 1, "0 or 1"});
  }
}

// The kSeenSize numbers of Observer about another unit.
void NameSeen(const std::string& whose, std::vector<ObservedNumber>& numbers) {
  numbers.push_back({absl::StrCat(whose, "_health"), "", 1, "share of its full health"});
  numbers.push_back({absl::StrCat(whose, "_right"), "sight ranges", 1, "how far right of the observer"});
  numbers.push_back({absl::StrCat(whose, "_above"), "sight ranges", 1, "how far above the observer"});
  numbers.push_back({absl::StrCat(whose, "_moves_right"), "", 1, "its last order to move"});
  numbers.push_back({absl::StrCat(whose, "_moves_up"), "", 1, "its last order to move"});
  numbers.push_back({absl::StrCat(whose, "_attack"), "", 1, "its last attack action as a share of its last action"});
  numbers.push_back({absl::StrCat(whose, "_cooldown"), "", 1, "share of its kind's, 0: may shoot"});
  NameKinds(whose, numbers);
}

std::vector<ObservedNumber> NameObserved(const SmaxSettings& settings, int friends, int foes) {
  std::vector<ObservedNumber> numbers;
  if (settings.view == View::kUnitList) {
    for (int other = 0; other < friends - 1; ++other) NameSeen(absl::StrCat("friend_", other), numbers);
    for (int foe = 0; foe < foes; ++foe) NameSeen(absl::StrCat("foe_", foe), numbers);
  } else {
    for (int sector = 0; sector < kSectors; ++sector) {
      for (int unit = 0; unit < kSeenPerSector; ++unit) {
        NameSeen(absl::StrCat("sector_", sector, "_unit_", unit), numbers);
      }
    }
  }
  numbers.push_back({"own_health", "", 1, "share of its full health"});
  numbers.push_back({"own_x", "cells", kMapSize, "from the left"});
  numbers.push_back({"own_y", "cells", kMapSize, "from below"});
  numbers.push_back({"own_cooldown", "", 1, "share of its kind's, 0: may shoot"});
  NameKinds("own", numbers);
  return numbers;
}

std::vector<NamedAction> NameActions(const SmaxSettings& settings, int foes) {
  if (settings.actions == ActionKind::kContinuous) {
    return {{"new_target", "−1 … 1: probability 0 … 1 that a shot goes to the foe nearest the point, else to the last"},
            {"move", "−1 … 1: probability 0 … 1 of moving, else of shooting"},
            {"radius", "−1 … 1: 0 … 1 of the speed, or cells to the point"},
            {"angle", "−1 … 1: 0 … 1 turns counter-clockwise from the right"}};
  }
  std::vector<NamedAction> actions = {{"up", ""}, {"right", ""}, {"down", ""}, {"left", ""}, {"stop", ""}};
  for (int foe = 0; foe < foes; ++foe) actions.push_back({absl::StrCat("attack_", foe), "shoots at that foe"});
  return actions;
}

AgentGroupSpec MakeGroup(const SmaxSettings& settings, const std::string& name, const std::string& agent, int friends,
                         int foes) {
  AgentGroupSpec group;
  group.name = name;
  for (int i = 0; i < friends; ++i) group.agents.push_back(absl::StrCat(agent, "_", i));
  group.action_kind = settings.actions;
  group.observed = NameObserved(settings, friends, foes);
  group.actions = NameActions(settings, foes);
  group.observation_size = static_cast<int>(group.observed.size());
  group.action_size = static_cast<int>(group.actions.size());
  return group;
}

// In the order of Observer::ObserveAll.
std::vector<ObservedNumber> NameState(const SmaxSettings& settings, int allies, int enemies) {
  const bool scaled = settings.state == StateScale::kScaled;
  std::vector<std::string> units;
  for (int i = 0; i < allies; ++i) units.push_back(absl::StrCat("ally_", i));
  for (int i = 0; i < enemies; ++i) units.push_back(absl::StrCat("enemy_", i));
  std::vector<ObservedNumber> numbers;
  for (const std::string& unit : units) {
    numbers.push_back({absl::StrCat(unit, "_health"), "", 1, "share of its full health"});
    numbers.push_back({absl::StrCat(unit, "_x"), "cells", scaled ? kMapSize : 1, "from the left"});
    numbers.push_back({absl::StrCat(unit, "_y"), "cells", scaled ? kMapSize : 1, "from below"});
    if (scaled) {
      numbers.push_back({absl::StrCat(unit, "_cooldown"), "", 1, "share of its kind's, 0: may shoot"});
    } else {
      numbers.push_back({absl::StrCat(unit, "_cooldown"), "seconds", 1, "until it may shoot; below 0: since it could"});
    }
    NameKinds(unit, numbers);
  }
  for (const std::string& unit : units)
    numbers.push_back({absl::StrCat(unit, "_team"), "", 1, "0: allies, 1: enemies"});
  for (const std::string& unit : units) {
    numbers.push_back(
        {absl::StrCat(unit, "_kind"), "", scaled ? 1.0 * (int{kNumUnitKinds} - 1) : 1, "number of its kind"});
  }
  return numbers;
}

}  // namespace

SmaxSettings ReadSettings(SettingsReader& reader) {
  const SmaxSettings fallback;
  SmaxSettings settings;
  settings.map = reader.Choice("map", fallback.map, MapNames(), "who fights whom");
  settings.self_play = reader.Choice("opponent", "heuristic", {"heuristic", "self"},
                                     "who plays the enemies: a rule, or agents of a second group") == "self";
  settings.view = reader.Choice("observations", "unit_list", {"unit_list", "conic"},
                                "a slot for each unit, or two for each of 32 sectors around") == "conic"
                      ? View::kConic
                      : View::kUnitList;
  settings.actions = reader.Choice("actions", "discrete", {"discrete", "continuous"},
                                   "a move or a foe, or probabilities and a point") == "continuous"
                         ? ActionKind::kContinuous
                         : ActionKind::kDiscrete;
  settings.state = reader.Choice("state", "raw", {"raw", "scaled"},
                                 "global state: jaxmarl's numbers, or these brought to [0, 1]") == "scaled"
                       ? StateScale::kScaled
                       : StateScale::kRaw;
  settings.enemy.shoots = reader.Boolean("enemy_shoots", fallback.enemy.shoots, "whether the heuristic's units shoot");
  settings.enemy.random_target = reader.Choice("enemy_target", "closest", {"closest", "random"},
                                               "whom the heuristic shoots at next among the foes in range") == "random";
  settings.see_enemy_actions =
      reader.Boolean("see_enemy_actions", fallback.see_enemy_actions, "whether foes' last orders are observed");
  settings.self_play_reward = reader.Boolean("self_play_reward", fallback.self_play_reward,
                                             "zero-sum: only the battle's end counts, and losing is punished");
  settings.won_battle_bonus = static_cast<float>(
      reader.Number("won_battle_bonus", fallback.won_battle_bonus, 0, 1000, "reward for winning the battle"));
  settings.rules.walls_cause_death = reader.Boolean("walls_cause_death", fallback.rules.walls_cause_death,
                                                    "whether who touches the field's edge dies");
  settings.max_decisions = static_cast<int>(reader.Integer("max_decisions", fallback.max_decisions, 1, 10000,
                                                           "decisions after which an episode is cut at the next"));
  return settings;
}

EnvironmentSpec MakeSpec(const SmaxSettings& settings) {
  const Map& map = MapCalled(settings.map);
  const int allies = map.num_allies(), enemies = map.num_enemies();
  EnvironmentSpec spec;
  spec.name = "smax";
  spec.groups = {MakeGroup(settings, "allies", "ally", allies, enemies)};
  if (settings.self_play) {
    spec.groups.push_back(MakeGroup(settings, "enemies", "enemy", enemies, allies));
    for (AgentGroupSpec& group : spec.groups) group.team = group.name;
  }
  // The world state has all that observations are made of, but for the last orders.
  spec.state_includes_observations = false;
  spec.observed_extras = NameState(settings, allies, enemies);
  spec.state_extras_size = static_cast<int>(spec.observed_extras.size());
  spec.statistics = {"won", "lost", "enemies_killed", "allies_killed", "decisions"};
  return spec;
}

}  // namespace troupe::smax
