// Rules between the settings of self-play.
#ifndef TROUPE_COMMON_CONFIG_SELF_PLAY_SETTINGS_H_
#define TROUPE_COMMON_CONFIG_SELF_PLAY_SETTINGS_H_

#include <string>

#include "proto/experiment.pb.h"

namespace troupe {

// Whether saved versions of the actors are met.
inline bool HasPool(const SelfPlaySettings& self_play) { return self_play.save_interval_updates() > 0; }

// Whether the group acts and is not trained. Of a complete experiment.
bool IsFrozen(const Experiment& experiment, const std::string& group);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SELF_PLAY_SETTINGS_H_
