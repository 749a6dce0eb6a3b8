// What PpoSettings ask of each other and of the rest of the experiment (see algorithm_settings.h).
#ifndef TROUPE_COMMON_CONFIG_PPO_SETTINGS_H_
#define TROUPE_COMMON_CONFIG_PPO_SETTINGS_H_

#include <optional>

#include "common/config/experiment_validation.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Whether workers sample from other Gaussians than those that are trained. Of complete settings.
bool ScalesNoise(const PpoSettings& ppo);

// lag_correction, which depends on the collection mode and on ScalesNoise.
void CompletePpoSettings(Experiment* experiment);

// A minibatch larger than the batch; a lag correction where no chunk is older than the weights it trains; another one
// than DECOUPLED where the noise is scaled; options beside what managers are not trained with.
std::optional<FieldError> FindPpoError(const Experiment& experiment);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_PPO_SETTINGS_H_
