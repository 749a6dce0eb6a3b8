#include "learner/run/training_metrics.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

std::string SeriesName(const std::string& statistic) {
  if (statistic == "learning_rate") return "troupe_learning_rate";
  std::string name = absl::StrCat("troupe_update_", statistic);
  for (char& letter : name) {
    if (!absl::ascii_isalnum(letter)) letter = '_';
  }
  return name;
}

}  // namespace

void TrainingMetrics::AddStage(const std::string& stage, double seconds) {
  metrics_
      .Histogram("troupe_stage_seconds", "Time in one stage of a chunk's life.", StageSecondsBuckets(),
                 {{"stage", stage}})
      .Observe(seconds);
}

void TrainingMetrics::ShowEpisodes(const std::string& prefix, const EpisodeMeans& means) {
  if (means.count == 0) return;
  for (const auto& [group, value] : means.group_returns) {
    metrics_.Gauge(prefix + "_return", "Mean undiscounted return of an agent of the group.", {{"agent_group", group}})
        .Set(value);
  }
  metrics_.Gauge(prefix + "_length", "Mean episode length in environment steps.").Set(means.episode_length);
  for (const auto& [name, value] : means.statistics) {
    metrics_.Gauge(prefix + "_statistic", "Mean of the environment's own episode statistic.", {{"name", name}})
        .Set(value);
  }
}

void TrainingMetrics::OnUpdate(const UpdateRecord& record) {
  metrics_.Counter("troupe_updates_total", "Updates done since this process started.").Increment();
  metrics_.Counter("troupe_update_errors_total", "Batches that could not be used.")
      .Increment(record.error.empty() ? 0 : 1);
  for (const auto& [name, value] : record.statistics) {
    metrics_.Gauge(SeriesName(name), "Mean over the newest update's minibatches.").Set(value);
  }
  for (const auto& [stage, seconds] : record.stage_seconds) {
    if (stage == "update" || stage == "snapshot") AddStage(stage, seconds);
  }
  ShowEpisodes("troupe_episode", record.episodes);
}

void TrainingMetrics::OnEvaluation(const EvaluationRecord& record) {
  metrics_.Counter("troupe_evaluations_total", "Evaluations by result.", {{"result", "done"}}).Increment();
  ShowEpisodes("troupe_evaluation", record.episodes);
}

void TrainingMetrics::OnEvaluationFailure() {
  metrics_.Counter("troupe_evaluations_total", "Evaluations by result.", {{"result", "failed"}}).Increment();
}

void TrainingMetrics::OnCheckpoint(const CheckpointWrite& write, absl::Time now) {
  const std::string result = write.status.ok() ? "written" : "failed";
  metrics_.Counter("troupe_checkpoints_total", "Checkpoint writes by result.", {{"result", result}}).Increment();
  AddStage("checkpoint", write.seconds);
  if (write.status.ok() && !write.best) last_checkpoint_ = absl::ToUnixMicros(now);
}

void TrainingMetrics::OnTick(absl::Time now) {
  metrics_.Gauge("troupe_checkpoint_age_seconds", "Since the newest checkpoint was written (or the learner started).")
      .Set((absl::ToUnixMicros(now) - last_checkpoint_) * 1e-6);
}

}  // namespace troupe
