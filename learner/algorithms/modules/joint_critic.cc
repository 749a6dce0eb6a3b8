#include "learner/algorithms/modules/joint_critic.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {

absl::StatusOr<JointCriticSpec> MakeJointCritic(const CriticSettings& settings, const EnvironmentSpec& environment,
                                                int64_t joint_action_size) {
  if (settings.input() != GLOBAL_STATE) {
    return absl::InvalidArgumentError(absl::StrCat("critic.input: ", CriticInput_Name(settings.input()),
                                                   ", but critics of joint actions see the global state; expected "
                                                   "GLOBAL_STATE"));
  }
  if (settings.attention_heads() > 0) {
    return absl::InvalidArgumentError(absl::StrCat("critic.attention_heads: ", settings.attention_heads(),
                                                   ", but critics of joint actions are dense; expected 0"));
  }
  JointCriticSpec critic{.each_agent = settings.heads() == EACH_AGENT};
  if (const size_t teams = environment.teams().size(); !critic.each_agent && teams > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("critic.heads: TEAM, but \"", environment.name, "\" has ", teams, " teams; expected EACH_AGENT"));
  }
  CriticSettings of_states = settings;
  of_states.set_heads(TEAM);
  ASSIGN_OR_RETURN(const std::vector<CriticLayout> layouts, MakeCriticLayouts(of_states, environment));
  critic.state = layouts.front();
  critic.stack = critic.state.stack;
  critic.stack.input_size += static_cast<int>(joint_action_size);
  critic.stack.num_sets = critic.each_agent ? environment.num_agents() : 1;
  return critic;
}

void WriteJointRows(const JointCriticSpec& critic, const float* states, const float* actions, int64_t rows, float* to) {
  const int64_t size = critic.state.stack.input_size, actions_size = critic.stack.input_size - size;
  for (int64_t row = 0; row < rows; ++row) {
    to = std::copy_n(states + row * size, size, to);
    to = std::copy_n(actions + row * actions_size, actions_size, to);
  }
}

}  // namespace troupe
