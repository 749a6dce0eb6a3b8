#include "common/config/setting_rules.h"

#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr auto kRequired = SettingRule::Presence::kRequired;
constexpr auto kOptional = SettingRule::Presence::kOptional;
constexpr auto kRefused = SettingRule::OnResume::kRefused;
constexpr auto kTold = SettingRule::OnResume::kTold;
constexpr auto kFree = SettingRule::OnResume::kFree;
constexpr double kMaxUint32 = 4294967295.0;
constexpr double kMaxUint64 = 18446744073709551615.0;
constexpr double kMaxWidth = 16384;

constexpr SettingRule kRules[] = {
    {.field = "Experiment.name", .resume = kTold, .presence = kRequired},
    {.field = "Experiment.seed", .resume = kRefused, .default_text = "1", .low = 0, .high = kMaxUint64},
    {.field = "Experiment.total_env_steps", .resume = kTold, .low = 1, .high = 1e15, .presence = kRequired},

    {.field = "EnvironmentSettings.name", .resume = kRefused, .presence = kRequired},

    {.field = "CollectionSettings.mode", .resume = kRefused, .default_text = "PIPELINED"},
    {.field = "CollectionSettings.num_shards", .resume = kRefused, .default_text = "4", .low = 1, .high = 4096},
    {.field = "CollectionSettings.copies_per_shard", .resume = kRefused, .default_text = "8", .low = 1, .high = 4096},
    {.field = "CollectionSettings.rollout_length", .resume = kRefused, .default_text = "128", .low = 1, .high = 65536},
    {.field = "CollectionSettings.max_policy_lag", .resume = kTold, .default_text = "4", .low = 0, .high = 1024},
    {.field = "CollectionSettings.unacknowledged_window", .resume = kFree, .default_text = "2", .low = 1, .high = 64},
    {.field = "CollectionSettings.lease_timeout_seconds",
     .resume = kFree,
     .default_text = "20",
     .low = 1,
     .high = 3600},
    {.field = "CollectionSettings.stagger_first_episode", .resume = kRefused, .default_text = "true"},
    {.field = "CollectionSettings.half_observations", .resume = kRefused, .default_text = "false"},

    {.field = "PolicySettings.sharing", .resume = kRefused, .default_text = "SHARED"},
    {.field = "PolicySettings.partition", .resume = kRefused, .low = 0, .high = 65535, .presence = kOptional},
    {.field = "PolicySettings.agent_id_input", .resume = kRefused, .default_text = "false"},
    {.field = "PolicySettings.hidden_sizes", .resume = kRefused, .default_text = "64,64", .low = 1, .high = kMaxWidth},
    {.field = "PolicySettings.activation", .resume = kRefused, .default_text = "RELU"},
    {.field = "PolicySettings.input_layer_norm", .resume = kRefused, .default_text = "false"},
    {.field = "PolicySettings.hidden_layer_norm", .resume = kRefused, .default_text = "false"},
    {.field = "PolicySettings.orthogonal_init", .resume = kRefused, .default_text = "true"},
    {.field = "PolicySettings.output_gain", .resume = kRefused, .default_text = "0.01", .low = 0, .high = 10},

    {.field = "CriticSettings.input", .resume = kRefused, .default_text = "GLOBAL_STATE"},
    {.field = "CriticSettings.heads", .resume = kRefused, .default_text = "TEAM"},
    {.field = "CriticSettings.hidden_sizes", .resume = kRefused, .default_text = "64,64", .low = 1, .high = kMaxWidth},
    {.field = "CriticSettings.activation", .resume = kRefused, .default_text = "RELU"},
    {.field = "CriticSettings.input_layer_norm", .resume = kRefused, .default_text = "false"},
    {.field = "CriticSettings.hidden_layer_norm", .resume = kRefused, .default_text = "false"},
    {.field = "CriticSettings.orthogonal_init", .resume = kRefused, .default_text = "true"},
    {.field = "CriticSettings.agent_id_input", .resume = kRefused, .default_text = "false"},
    {.field = "CriticSettings.team_reward", .resume = kTold, .default_text = "MEAN_ALL"},

    {.field = "AlgorithmSettings.name", .resume = kRefused, .default_text = "mappo"},

    {.field = "PpoSettings.actor_learning_rate", .resume = kTold, .default_text = "5e-4", .low = 0, .high = 1},
    {.field = "PpoSettings.critic_learning_rate", .resume = kTold, .default_text = "5e-4", .low = 0, .high = 1},
    {.field = "PpoSettings.adam_epsilon",
     .resume = kTold,
     .default_text = "1e-5",
     .low = 0,
     .high = 1,
     .low_is_open = true},
    {.field = "PpoSettings.weight_decay", .resume = kTold, .default_text = "0", .low = 0, .high = 1},
    {.field = "PpoSettings.anneal_learning_rate", .resume = kTold, .default_text = "false"},
    {.field = "PpoSettings.discount", .resume = kTold, .default_text = "0.99", .low = 0, .high = 1},
    {.field = "PpoSettings.gae_lambda", .resume = kTold, .default_text = "0.95", .low = 0, .high = 1},
    {.field = "PpoSettings.clip", .resume = kTold, .default_text = "0.2", .low = 0, .high = 10, .low_is_open = true},
    {.field = "PpoSettings.entropy_coefficient", .resume = kTold, .default_text = "0.01", .low = 0, .high = 10},
    {.field = "PpoSettings.final_entropy_coefficient", .resume = kTold, .low = 0, .high = 10, .presence = kOptional},
    {.field = "PpoSettings.value_coefficient", .resume = kTold, .default_text = "1", .low = 0, .high = 100},
    {.field = "PpoSettings.value_loss", .resume = kTold, .default_text = "HUBER"},
    {.field = "PpoSettings.huber_delta",
     .resume = kTold,
     .default_text = "10",
     .low = 0,
     .high = 1e6,
     .low_is_open = true},
    {.field = "PpoSettings.clip_value", .resume = kTold, .default_text = "true"},
    {.field = "PpoSettings.value_normalization", .resume = kTold, .default_text = "true"},
    {.field = "PpoSettings.advantage_normalization", .resume = kTold, .default_text = "true"},
    {.field = "PpoSettings.advantage_normalization_per_agent", .resume = kTold, .default_text = "false"},
    {.field = "PpoSettings.max_gradient_norm", .resume = kTold, .default_text = "10", .low = 0, .high = 1e6},
    {.field = "PpoSettings.epochs", .resume = kTold, .default_text = "10", .low = 1, .high = 1000},
    {.field = "PpoSettings.minibatch_size", .resume = kTold, .default_text = "0", .low = 0, .high = kMaxUint32},
    {.field = "PpoSettings.target_kl", .resume = kTold, .default_text = "0", .low = 0, .high = 100},
    // Depends on the collection mode: see FillDefaults.
    {.field = "PpoSettings.lag_correction", .resume = kTold, .presence = kOptional},
    {.field = "PpoSettings.vtrace_rho_clip",
     .resume = kTold,
     .default_text = "1",
     .low = 0,
     .high = 100,
     .low_is_open = true},
    {.field = "PpoSettings.vtrace_c_clip",
     .resume = kTold,
     .default_text = "1",
     .low = 0,
     .high = 100,
     .low_is_open = true},
    {.field = "PpoSettings.reward_scale",
     .resume = kTold,
     .default_text = "1",
     .low = 0,
     .high = 1e6,
     .low_is_open = true},
    {.field = "PpoSettings.dead_agents", .resume = kTold, .default_text = "BOOTSTRAP"},
    {.field = "PpoSettings.schedule_env_steps", .resume = kTold, .default_text = "0", .low = 0, .high = 1e15},
    {.field = "PpoSettings.value_norm_update", .resume = kTold, .default_text = "PER_UPDATE"},
    {.field = "PpoSettings.importance_cap",
     .resume = kTold,
     .default_text = "10",
     .low = 0,
     .high = 1e6,
     .low_is_open = true},

    {.field = "EvaluationSettings.interval_env_steps",
     .resume = kFree,
     .default_text = "0",
     .low = 0,
     .high = kMaxUint64},
    {.field = "EvaluationSettings.episodes", .resume = kFree, .default_text = "8", .low = 1, .high = 10000},
    {.field = "EvaluationSettings.first_seed",
     .resume = kFree,
     .default_text = "1000000",
     .low = 0,
     .high = kMaxUint64},
    {.field = "EvaluationSettings.sample_actions", .resume = kFree, .default_text = "false"},
    {.field = "EvaluationSettings.best_by", .resume = kFree, .default_text = "episode_return"},
    {.field = "EvaluationSettings.smaller_is_better", .resume = kFree, .default_text = "false"},
    {.field = "EvaluationSettings.final_episodes", .resume = kFree, .default_text = "20", .low = 1, .high = 10000},
    {.field = "EvaluationSettings.final_first_seed",
     .resume = kFree,
     .default_text = "2000000",
     .low = 0,
     .high = kMaxUint64},
    {.field = "EvaluationSettings.baselines", .resume = kFree, .presence = kOptional},

    {.field = "CheckpointSettings.interval_env_steps",
     .resume = kFree,
     .default_text = "200000",
     .low = 1,
     .high = 1e15},
    {.field = "CheckpointSettings.keep", .resume = kFree, .default_text = "3", .low = 1, .high = 1000},

    {.field = "ComputeSettings.device", .resume = kTold, .default_text = "AUTO"},
    {.field = "ComputeSettings.learner_threads", .resume = kTold, .default_text = "2", .low = 1, .high = 1024},
    {.field = "ComputeSettings.precision", .resume = kTold, .default_text = "FASTEST"},
    {.field = "ComputeSettings.cuda_graphs", .resume = kFree, .default_text = "true"},
};

}  // namespace

std::string SettingRule::Range() const {
  const auto number = [](double value) {
    return value == kMaxUint64 ? std::string("2^64 - 1") : value == kMaxUint32 ? "2^32 - 1" : absl::StrCat(value);
  };
  return absl::StrCat(low_is_open ? "(" : "[", number(low), ", ", number(high), "]");
}

absl::Span<const SettingRule> SettingRules() { return kRules; }

const SettingRule* FindSettingRule(const google::protobuf::FieldDescriptor& field) {
  static const auto* const rows = [] {
    auto* const map = new absl::flat_hash_map<std::string, const SettingRule*>;
    for (const SettingRule& rule : kRules) map->emplace(rule.field, &rule);
    return map;
  }();
  const auto found = rows->find(absl::StrCat(field.containing_type()->name(), ".", field.name()));
  return found == rows->end() ? nullptr : found->second;
}

}  // namespace troupe
