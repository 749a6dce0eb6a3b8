#include "common/config/ppo_settings.h"

#include "absl/strings/str_cat.h"

namespace troupe {

namespace {

// The setting by which a group's actors talk, and its value, or "".
std::string SettingOfTalk(const Experiment& experiment) {
  if (experiment.policy().message_size() > 0) {
    return absl::StrCat("policy.message_size ", experiment.policy().message_size());
  }
  for (const auto& [group, policy] : experiment.group_policies()) {
    if (policy.message_size() == 0) continue;
    return absl::StrCat("group_policies.", group, ".message_size ", policy.message_size());
  }
  return "";
}

}  // namespace

bool ScalesNoise(const PpoSettings& ppo) {
  return ppo.noise_scale() != 1 || (ppo.has_final_noise_scale() && ppo.final_noise_scale() != 1);
}

void CompletePpoSettings(Experiment* experiment) {
  PpoSettings& ppo = *experiment->mutable_ppo();
  if (ppo.lag_correction() != LAG_CORRECTION_UNSPECIFIED) return;
  const bool decoupled = experiment->collection().mode() == ASYNCHRONOUS || ScalesNoise(ppo);
  ppo.set_lag_correction(decoupled ? DECOUPLED : NONE);
}

std::optional<FieldError> FindPpoError(const Experiment& experiment) {
  const PpoSettings& ppo = experiment.ppo();
  const int64_t batch = BatchSteps(experiment.collection());
  if (ppo.minibatch_size() > batch) {
    return FieldError{"ppo.minibatch_size", absl::StrCat(ppo.minibatch_size(), " is more than the batch's ", batch,
                                                         " steps (num_shards × copies_per_shard × rollout_length)")};
  }
  // A ratio to what has acted would begin away from 1, where the clip is; one to what is trained does not.
  if (ScalesNoise(ppo) && ppo.lag_correction() != DECOUPLED) {
    const bool scaled = ppo.noise_scale() != 1;
    return FieldError{"ppo.lag_correction",
                      absl::StrCat(LagCorrection_Name(ppo.lag_correction()), " with ppo.",
                                   scaled ? "noise_scale " : "final_noise_scale ",
                                   scaled ? ppo.noise_scale() : ppo.final_noise_scale(),
                                   ", expected DECOUPLED: the Gaussian that acts is not the one that is trained")};
  }
  if (const std::string talks = SettingOfTalk(experiment); ppo.update_order() == SEQUENTIAL && !talks.empty()) {
    return FieldError{"ppo.update_order", absl::StrCat("SEQUENTIAL with ", talks,
                                                       ", expected TOGETHER: a set that has changed says other things "
                                                       "to those whose turn is still to come")};
  }
  if (experiment.collection().mode() == SYNCHRONOUS && ppo.lag_correction() != NONE && !ScalesNoise(ppo)) {
    return FieldError{"ppo.lag_correction", absl::StrCat(LagCorrection_Name(ppo.lag_correction()),
                                                         " with collection.mode SYNCHRONOUS, expected NONE: "
                                                         "no chunk is older than the weights it trains")};
  }
  return std::nullopt;
}

}  // namespace troupe
