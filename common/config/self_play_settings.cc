#include "common/config/self_play_settings.h"

namespace troupe {

bool IsFrozen(const Experiment& experiment, const std::string& group) {
  const auto own = experiment.group_policies().find(group);
  return (own == experiment.group_policies().end() ? experiment.policy() : own->second).frozen();
}

}  // namespace troupe
