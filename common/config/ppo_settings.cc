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

// Of one group's policy, `prefix` "policy." for example.
std::optional<FieldError> FindOptionsError(const Experiment& experiment, const std::string& prefix,
                                           const PolicySettings& policy) {
  if (policy.num_options() == 0) return std::nullopt;
  const auto refuse = [&](const std::string& field, const std::string& value, const std::string& expected) {
    return FieldError{prefix + "num_options",
                      absl::StrCat(policy.num_options(), " with ", field, " ", value, ", expected ", expected)};
  };
  const std::string nothing = "an agent keeps its option, and nothing else";
  if (policy.recurrent_cell() != FEED_FORWARD) {
    return refuse(prefix + "recurrent_cell", RecurrentCell_Name(policy.recurrent_cell()), "FEED_FORWARD: " + nothing);
  }
  if (policy.message_size() > 0) {
    return refuse(prefix + "message_size", absl::StrCat(policy.message_size()), "0: " + nothing);
  }
  const PpoSettings& ppo = experiment.ppo();
  if (ppo.update_order() == SEQUENTIAL) {
    return refuse("ppo.update_order", "SEQUENTIAL",
                  "TOGETHER: what a manager has changed counts for all steps of an option");
  }
  if (ppo.lag_correction() == V_TRACE) {
    return refuse("ppo.lag_correction", "V_TRACE", "DECOUPLED or NONE: a manager's returns are over whole options");
  }
  return std::nullopt;
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
  if (auto error = FindOptionsError(experiment, "policy.", experiment.policy()); error.has_value()) return error;
  for (const auto& [group, policy] : experiment.group_policies()) {
    auto error = FindOptionsError(experiment, absl::StrCat("group_policies.", group, "."), policy);
    if (error.has_value()) return error;
  }
  if (experiment.collection().mode() == SYNCHRONOUS && ppo.lag_correction() != NONE && !ScalesNoise(ppo)) {
    return FieldError{"ppo.lag_correction", absl::StrCat(LagCorrection_Name(ppo.lag_correction()),
                                                         " with collection.mode SYNCHRONOUS, expected NONE: "
                                                         "no chunk is older than the weights it trains")};
  }
  return std::nullopt;
}

}  // namespace troupe
