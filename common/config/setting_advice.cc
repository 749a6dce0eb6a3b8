#include "common/config/setting_advice.h"

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/config/experiment_validation.h"

namespace troupe {
namespace {

constexpr uint64_t kFewUpdates = 5;

using Lines = std::vector<std::string>;

// The same experiment with nothing said but what it is of.
Experiment DefaultsOf(const Experiment& experiment) {
  Experiment defaults;
  *defaults.mutable_algorithm() = experiment.algorithm();
  FillDefaults(&defaults);
  return defaults;
}

// Whether something is kept of a row from one step to the next: by a cell, or of what agents tell each other.
bool IsRecurrent(const Experiment& experiment) {
  const auto has_cell = [](RecurrentCell cell) { return cell == GRU || cell == LSTM; };
  const auto keeps = [&](const PolicySettings& policy) {
    return has_cell(policy.recurrent_cell()) || policy.message_size() > 0;
  };
  bool recurrent = keeps(experiment.policy()) || has_cell(experiment.critic().recurrent_cell());
  for (const auto& [group, policy] : experiment.group_policies()) recurrent = recurrent || keeps(policy);
  return recurrent;
}

// Whether some group has a manager.
bool HasOptions(const Experiment& experiment) {
  bool options = experiment.policy().num_options() > 0;
  for (const auto& [group, policy] : experiment.group_policies()) options = options || policy.num_options() > 0;
  return options;
}

void AdviseOnWorkers(const CollectionSettings& collection, int workers, Lines* lines) {
  const int shards = static_cast<int>(collection.num_shards());
  if (workers > shards) {
    lines->push_back(absl::StrCat("collection.num_shards: ", shards, " for ", workers,
                                  " workers: a shard is one worker's, so ", workers - shards,
                                  workers - shards == 1 ? " has" : " have", " nothing to do"));
  } else if (workers > 0 && shards % workers != 0 && collection.mode() != ASYNCHRONOUS) {
    lines->push_back(absl::StrCat("collection.num_shards: ", shards, " do not divide among ", workers,
                                  " workers: those with ", shards / workers, " wait for those with ",
                                  shards / workers + 1));
  }
}

void AdviseOnSteps(const Experiment& experiment, Lines* lines) {
  const uint64_t batch = BatchSteps(experiment.collection()), total = experiment.total_env_steps();
  const uint64_t updates = (total + batch - 1) / batch;
  if (updates < kFewUpdates) {
    lines->push_back(absl::StrCat("total_env_steps: ", total, " in batches of ", batch, " (collection) are ", updates,
                                  updates == 1 ? " update" : " updates"));
  }
  const EvaluationSettings& evaluation = experiment.evaluation();
  const uint64_t interval = evaluation.interval_env_steps();
  if (interval > 0 && interval < batch) {
    lines->push_back(absl::StrCat("evaluation.interval_env_steps: ", interval, " is less than a batch's ", batch,
                                  ": there is an evaluation after every update"));
  }
  if (interval > total) {
    lines->push_back(absl::StrCat("evaluation.interval_env_steps: ", interval,
                                  " is more than total_env_steps: nothing is evaluated"));
  }
  if (interval == 0 && evaluation.best_by() != "episode_return") {
    lines->push_back(absl::StrCat("evaluation.best_by: \"", evaluation.best_by(),
                                  "\" decides nothing without evaluation.interval_env_steps"));
  }
}

void AdviseOnIdleSettings(const Experiment& experiment, const Experiment& defaults, Lines* lines) {
  const auto idle = [&](bool differs, const std::string& field, const std::string& needs) {
    if (differs) lines->push_back(absl::StrCat(field, ": decides nothing without ", needs));
  };
  const CollectionSettings& collection = experiment.collection();
  idle(collection.mode() != ASYNCHRONOUS && collection.max_policy_lag() != defaults.collection().max_policy_lag(),
       "collection.max_policy_lag", "collection.mode ASYNCHRONOUS");
  idle(!IsRecurrent(experiment) && collection.sequence_length() != defaults.collection().sequence_length(),
       "collection.sequence_length", "a recurrent_cell or policy.message_size");
  idle(!HasOptions(experiment) && experiment.policy().option_steps() != defaults.policy().option_steps(),
       "policy.option_steps", "policy.num_options");
  if (!experiment.has_ppo()) return;
  const PpoSettings& ppo = experiment.ppo();
  const PpoSettings& usual = defaults.ppo();
  idle(ppo.value_loss() != HUBER && ppo.huber_delta() != usual.huber_delta(), "ppo.huber_delta",
       "ppo.value_loss HUBER");
  idle(ppo.advantage_normalization_per_agent() && !ppo.advantage_normalization(),
       "ppo.advantage_normalization_per_agent", "ppo.advantage_normalization");
  const bool v_trace = ppo.lag_correction() == V_TRACE;
  idle(!v_trace && ppo.vtrace_rho_clip() != usual.vtrace_rho_clip(), "ppo.vtrace_rho_clip",
       "ppo.lag_correction V_TRACE");
  idle(!v_trace && ppo.vtrace_c_clip() != usual.vtrace_c_clip(), "ppo.vtrace_c_clip", "ppo.lag_correction V_TRACE");
  idle(ppo.lag_correction() != DECOUPLED && ppo.importance_cap() != usual.importance_cap(), "ppo.importance_cap",
       "ppo.lag_correction DECOUPLED");
  idle(!HasOptions(experiment) && ppo.has_manager_discount(), "ppo.manager_discount", "policy.num_options");
  idle(!HasOptions(experiment) && ppo.has_manager_entropy_coefficient(), "ppo.manager_entropy_coefficient",
       "policy.num_options");
  idle(experiment.critic().attention_heads() == 0 && experiment.critic().token_size() != defaults.critic().token_size(),
       "critic.token_size", "critic.attention_heads");
}

void AdviseOnQLearning(const Experiment& experiment, Lines* lines) {
  if (!experiment.has_q_learning()) return;
  const QLearningSettings& settings = experiment.q_learning();
  const uint64_t total = experiment.total_env_steps();
  if (settings.learning_starts() >= total) {
    lines->push_back(absl::StrCat("q_learning.learning_starts: ", settings.learning_starts(),
                                  " is not before total_env_steps: nothing is learnt"));
  } else if (settings.epsilon_env_steps() > total) {
    lines->push_back(absl::StrCat("q_learning.epsilon_env_steps: ", settings.epsilon_env_steps(),
                                  " is after total_env_steps: exploration does not come down to final_epsilon"));
  }
}

}  // namespace

std::vector<std::string> AdviceOn(const Experiment& experiment, int workers) {
  Lines lines;
  AdviseOnWorkers(experiment.collection(), workers, &lines);
  AdviseOnSteps(experiment, &lines);
  AdviseOnIdleSettings(experiment, DefaultsOf(experiment), &lines);
  AdviseOnQLearning(experiment, &lines);
  return lines;
}

}  // namespace troupe
