// The training thread's Prometheus series.
//
//   updates       troupe_updates_total, troupe_update_errors_total, troupe_skipped_minibatches_total,
//                 troupe_not_finite_updates_total, troupe_rollbacks_total, troupe_learning_rate_scale,
//                 troupe_update_STATISTIC (policy_loss, approx_kl, …), troupe_learning_rate, troupe_trained_env_steps
//   episodes      troupe_episode_return{agent_group}, troupe_episode_length, troupe_episode_statistic{name},
//                 troupe_episode_agent_statistic{agent, name}
//   evaluations   troupe_evaluation_return{agent_group}, troupe_evaluation_length, troupe_evaluation_statistic{name},
//                 troupe_evaluation_agent_statistic{agent, name}, troupe_evaluations_total{result}
//   curriculum    troupe_curriculum_stage
//   checkpoints   troupe_checkpoint_timestamp_seconds, troupe_checkpoint_env_steps, troupe_checkpoints_total{result}
//   the thread    troupe_training_seconds_total{state}
//   stages        troupe_stage_seconds{stage="update"|"snapshot"|"checkpoint"}; the server measures those before and
//   after
#ifndef TROUPE_LEARNER_REPORTING_TRAINING_METRICS_H_
#define TROUPE_LEARNER_REPORTING_TRAINING_METRICS_H_

#include <array>
#include <string>

#include "absl/time/time.h"
#include "common/metrics/metrics.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/reporting/run_records.h"

namespace troupe {

// What the training thread spends its time on.
enum class TrainingState { kWaiting, kUpdate, kPublish, kOther };

// Of the newest checkpoint; known from the moment it is loaded.
prometheus::Gauge& CheckpointEnvSteps(Metrics* metrics);

// OnCheckpoint may be called from another thread than the rest.
class TrainingMetrics {
 public:
  // Means of training episodes, and as many of evaluations, that are shown at most.
  static constexpr size_t kMostSeries = 10'000;

  // `metrics` outlives it. `trained_env_steps` and `learning_rate_scale`: where the run begins or goes on.
  TrainingMetrics(Metrics* metrics, uint64_t trained_env_steps, absl::Time now, double learning_rate_scale = 1);

  void OnUpdate(const UpdateRecord& record);
  void OnEvaluation(const EvaluationRecord& record);
  void OnEvaluationFailure();
  // The curriculum's stage; never called: there is no series.
  void OnStage(uint32_t stage);
  void OnCheckpoint(const CheckpointWrite& write, absl::Time now);
  void OnTime(TrainingState state, absl::Duration time);

 private:
  void ShowEpisodes(const std::string& prefix, const EpisodeMeans& means);
  void AddStage(const std::string& stage, double seconds);

  Metrics& metrics_;
  prometheus::Counter& updates_;
  prometheus::Counter& update_errors_;
  prometheus::Counter& skipped_minibatches_;
  prometheus::Counter& not_finite_updates_;
  prometheus::Counter& rollbacks_;
  prometheus::Gauge& learning_rate_scale_;
  prometheus::Gauge& trained_env_steps_;
  prometheus::Gauge& checkpoint_timestamp_;
  prometheus::Gauge& checkpoint_env_steps_;
  const std::array<prometheus::Counter*, 4> seconds_;  // by TrainingState
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_TRAINING_METRICS_H_
