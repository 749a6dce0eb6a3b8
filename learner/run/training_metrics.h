// The training thread's Prometheus series.
//
//   updates       troupe_updates_total, troupe_update_errors_total, troupe_update_STATISTIC (policy_loss, approx_kl, …),
//                 troupe_learning_rate
//   episodes      troupe_episode_return{agent_group}, troupe_episode_length, troupe_episode_statistic{name}
//   evaluations   troupe_evaluation_return{agent_group}, troupe_evaluation_length, troupe_evaluation_statistic{name},
//                 troupe_evaluations_total{result}
//   checkpoints   troupe_checkpoint_age_seconds, troupe_checkpoints_total{result}
//   stages        troupe_stage_seconds{stage="update"|"snapshot"|"checkpoint"}; the server measures those before and after
#ifndef TROUPE_LEARNER_RUN_TRAINING_METRICS_H_
#define TROUPE_LEARNER_RUN_TRAINING_METRICS_H_

#include <atomic>
#include <string>

#include "absl/time/time.h"
#include "common/metrics/metrics.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/run/run_records.h"

namespace troupe {

// OnCheckpoint may be called from another thread than the rest.
class TrainingMetrics {
 public:
  // `metrics` outlives it.
  TrainingMetrics(Metrics* metrics, absl::Time now) : metrics_(*metrics), last_checkpoint_(absl::ToUnixMicros(now)) {}

  void OnUpdate(const UpdateRecord& record);
  void OnEvaluation(const EvaluationRecord& record);
  void OnEvaluationFailure();
  void OnCheckpoint(const CheckpointWrite& write, absl::Time now);
  void OnTick(absl::Time now);

 private:
  void ShowEpisodes(const std::string& prefix, const EpisodeMeans& means);
  void AddStage(const std::string& stage, double seconds);

  Metrics& metrics_;
  std::atomic<int64_t> last_checkpoint_;  // microseconds since 1970
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_TRAINING_METRICS_H_
