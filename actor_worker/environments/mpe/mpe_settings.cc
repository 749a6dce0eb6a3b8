#include "actor_worker/environments/mpe/mpe_settings.h"

#include "absl/strings/str_cat.h"

namespace troupe {

MpeSettings ReadMpeSettings(SettingsReader& reader) {
  MpeSettings settings;
  if (reader.Choice("rewards", "PETTINGZOO", {"PETTINGZOO", "ORIGINAL"},
                    "who is paid what: as in PyPI's mpe2, or as in the code that MAPPO's authors publish with, where "
                    "every member of a cooperative team gets the sum") == "ORIGINAL") {
    settings.rewards = MpeRewards::kOriginal;
  }
  if (reader.Choice("dynamics", "MPE2", {"MPE2", "ORIGINAL"},
                    "motion and first places, of the same two codes: in the original a step's push moves an agent in "
                    "that step, simple_tag's pushes are larger, and some landmarks start nearer to the middle") ==
      "ORIGINAL") {
    settings.dynamics = MpeDynamics::kOriginal;
  }
  if (reader.Boolean("continuous_actions", false, "two dimensions of pushing, one per word, instead of five moves")) {
    settings.actions = ActionKind::kContinuous;
  }
  settings.max_steps = static_cast<int>(
      reader.Integer("max_steps", settings.max_steps, 1, 100000, "steps after which an episode is cut"));
  return settings;
}

double ReadLocalRatio(SettingsReader& reader) {
  return reader.Number("local_ratio", MpeSettings().local_ratio, 0, 1,
                       "rewards PETTINGZOO only: share of an agent's own reward; the rest is the team's");
}

ActionKind ReadMovesAndWords(const MpeSettings& settings, SettingsReader& reader) {
  const std::string actions = reader.Choice(
      "actions", "DISCRETE", {"DISCRETE", "MULTI_DISCRETE"},
      "one of 5 × 10 moves with words, as in mpe2, or two numbers, a move and a word; not with continuous_actions");
  if (settings.actions == ActionKind::kContinuous) return settings.actions;
  return actions == "MULTI_DISCRETE" ? ActionKind::kMultiDiscrete : ActionKind::kDiscrete;
}

bool ReadScripted(SettingsReader& reader, const std::string& role) {
  return reader.Choice(role, "LEARNED", {"LEARNED", "SCRIPTED"},
                       absl::StrCat("whether ", role, " are agents, or played by the rule of the baseline")) ==
         "SCRIPTED";
}

}  // namespace troupe
