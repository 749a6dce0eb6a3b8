#include "common/config/ppo_settings.h"

#include "absl/strings/str_cat.h"

namespace troupe {

void CompletePpoSettings(Experiment* experiment) {
  PpoSettings& ppo = *experiment->mutable_ppo();
  if (ppo.lag_correction() != LAG_CORRECTION_UNSPECIFIED) return;
  ppo.set_lag_correction(experiment->collection().mode() == ASYNCHRONOUS ? DECOUPLED : NONE);
}

std::optional<FieldError> FindPpoError(const Experiment& experiment) {
  const PpoSettings& ppo = experiment.ppo();
  const int64_t batch = BatchSteps(experiment.collection());
  if (ppo.minibatch_size() > batch) {
    return FieldError{"ppo.minibatch_size", absl::StrCat(ppo.minibatch_size(), " is more than the batch's ", batch,
                                                         " steps (num_shards × copies_per_shard × rollout_length)")};
  }
  if (experiment.collection().mode() == SYNCHRONOUS && ppo.lag_correction() != NONE) {
    return FieldError{"ppo.lag_correction", absl::StrCat(LagCorrection_Name(ppo.lag_correction()),
                                                         " with collection.mode SYNCHRONOUS, expected NONE: "
                                                         "no chunk is older than the weights it trains")};
  }
  return std::nullopt;
}

}  // namespace troupe
