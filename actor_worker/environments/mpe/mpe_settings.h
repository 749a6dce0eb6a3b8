// Settings that every particle scenario has.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_SETTINGS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_SETTINGS_H_

#include <string>

#include "actor_worker/environments/mpe/mpe_world.h"
#include "common/config/settings_reader.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Two codes pay differently for the same scene; each scenario's head comment has both formulas.
enum class MpeRewards {
  kPettingZoo,  // PyPI's mpe2: an agent's own reward, mixed with the team's by local_ratio where there is a team
  kOriginal,    // the code that MAPPO's authors publish with: in cooperative scenarios each gets the sum over all
};

struct MpeSettings {
  MpeRewards rewards = MpeRewards::kPettingZoo;
  MpeDynamics dynamics = MpeDynamics::kMpe2;
  ActionKind actions = ActionKind::kDiscrete;
  int max_steps = 25;
  double local_ratio = 0.5;  // only where mpe2 has one: simple_spread, simple_reference
};

// Reads all of them but local_ratio; the caller reads its own from the same reader and calls Finish.
MpeSettings ReadMpeSettings(SettingsReader& reader);

// local_ratio, for the scenarios that have one.
double ReadLocalRatio(SettingsReader& reader);

// Whether an agent's move and its word are one number or two, for the scenario whose agents do both. Of what
// ReadMpeSettings read.
ActionKind ReadMovesAndWords(const MpeSettings& settings, SettingsReader& reader);

// Whether the agents of a role are learnt (LEARNED) or played by the environment (SCRIPTED): the setting `role`.
bool ReadScripted(SettingsReader& reader, const std::string& role);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_SETTINGS_H_
