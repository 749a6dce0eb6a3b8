#include "learner/reporting/training_metrics.h"

#include <algorithm>

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

prometheus::Counter& Seconds(Metrics* metrics, const std::string& state) {
  return metrics->Counter("troupe_training_seconds_total", "What the training thread spent its time on.",
                          {{"state", state}});
}

prometheus::Counter& Evaluations(Metrics* metrics, const std::string& result) {
  return metrics->Counter("troupe_evaluations_total", "Evaluations by result.", {{"result", result}});
}

prometheus::Counter& Checkpoints(Metrics* metrics, const std::string& result) {
  return metrics->Counter("troupe_checkpoints_total", "Checkpoint writes by result.", {{"result", result}});
}

}  // namespace

prometheus::Gauge& CheckpointEnvSteps(Metrics* metrics) {
  return metrics->Gauge("troupe_checkpoint_env_steps", "Environment steps of the newest checkpoint.");
}

TrainingMetrics::TrainingMetrics(Metrics* metrics, uint64_t trained_env_steps, absl::Time now,
                                 double learning_rate_scale)
    : metrics_(*metrics),
      updates_(metrics->Counter("troupe_updates_total", "Updates done since this process started.")),
      update_errors_(metrics->Counter("troupe_update_errors_total", "Batches that could not be used.")),
      skipped_minibatches_(metrics->Counter("troupe_skipped_minibatches_total",
                                            "Minibatches left out because a gradient was not finite.")),
      not_finite_updates_(metrics->Counter("troupe_not_finite_updates_total",
                                           "Updates that left out minibatches because a gradient was not finite.")),
      rollbacks_(
          metrics->Counter("troupe_rollbacks_total", "Times that the networks went back to the last good state.")),
      learning_rate_scale_(
          metrics->Gauge("troupe_learning_rate_scale", "What rollbacks have multiplied learning rates by.")),
      trained_env_steps_(metrics->Gauge("troupe_trained_env_steps",
                                        "Environment steps trained on since the run began, restarts included.")),
      checkpoint_timestamp_(metrics->Gauge("troupe_checkpoint_timestamp_seconds",
                                           "When the newest checkpoint was written (or training began), since 1970.")),
      checkpoint_env_steps_(CheckpointEnvSteps(metrics)),
      seconds_{&Seconds(metrics, "waiting"), &Seconds(metrics, "update"), &Seconds(metrics, "publish"),
               &Seconds(metrics, "other")} {
  trained_env_steps_.Set(static_cast<double>(trained_env_steps));
  learning_rate_scale_.Set(learning_rate_scale);
  checkpoint_timestamp_.Set(static_cast<double>(absl::ToUnixMicros(now)) * 1e-6);
  for (const char* result : {"done", "failed"}) Evaluations(metrics, result);
  for (const char* result : {"written", "failed"}) Checkpoints(metrics, result);
}

void TrainingMetrics::AddStage(const std::string& stage, double seconds) {
  metrics_
      .Histogram("troupe_stage_seconds", "Time in one stage of a chunk's life.", StageSecondsBuckets(),
                 {{"stage", stage}})
      .Observe(seconds);
}

void TrainingMetrics::ShowEpisodes(const std::string& prefix, const EpisodeMeans& means) {
  if (means.count == 0) return;
  // What an environment declares, and a worker tells, decides how many there are.
  size_t shown = 0, left_out = 0;
  const auto has_room = [&] {
    if (shown == kMostSeries) ++left_out;
    return shown < kMostSeries && ++shown > 0;
  };
  for (const auto& [group, value] : means.group_returns) {
    if (!has_room()) continue;
    metrics_.Gauge(prefix + "_return", "Mean undiscounted return of an agent of the group.", {{"agent_group", group}})
        .Set(value);
  }
  metrics_.Gauge(prefix + "_length", "Mean episode length in environment steps.").Set(means.episode_length);
  for (const auto& [name, value] : means.statistics) {
    if (!has_room()) continue;
    metrics_.Gauge(prefix + "_statistic", "Mean of the environment's own episode statistic.", {{"name", name}})
        .Set(value);
  }
  for (const auto& [agent, name, value] : means.agent_statistics) {
    if (!has_room()) continue;
    metrics_
        .Gauge(prefix + "_agent_statistic", "Mean of the environment's own statistic of one agent.",
               {{"agent", agent}, {"name", name}})
        .Set(value);
  }
  metrics_
      .Gauge("troupe_series_left_out", "Means of episodes that are not shown: the environment has too many.",
             {{"of", prefix}})
      .Set(static_cast<double>(left_out));
}

void TrainingMetrics::OnTime(TrainingState state, absl::Duration time) {
  seconds_[static_cast<size_t>(state)]->Increment(std::max(0.0, absl::ToDoubleSeconds(time)));
}

void TrainingMetrics::OnUpdate(const UpdateRecord& record) {
  updates_.Increment();
  if (!record.error.empty()) update_errors_.Increment();
  trained_env_steps_.Set(static_cast<double>(record.env_steps));
  for (const auto& [name, value] : record.statistics) {
    if (name == "skipped_minibatches" && value > 0) skipped_minibatches_.Increment(value);
    metrics_.Gauge(SeriesName(name), "Mean over the newest update's minibatches.").Set(value);
  }
  if (const auto& divergence = record.divergence; divergence.has_value()) {
    not_finite_updates_.Increment();
    if (divergence->back_to_update.has_value()) rollbacks_.Increment();
    learning_rate_scale_.Set(divergence->learning_rate_scale);
  }
  for (const auto& [stage, seconds] : record.stage_seconds) {
    if (stage == "update" || stage == "snapshot") AddStage(stage, seconds);
  }
  ShowEpisodes("troupe_episode", record.episodes);
}

void TrainingMetrics::OnEvaluation(const EvaluationRecord& record) {
  Evaluations(&metrics_, "done").Increment();
  ShowEpisodes("troupe_evaluation", record.episodes);
}

void TrainingMetrics::OnEvaluationFailure() { Evaluations(&metrics_, "failed").Increment(); }

void TrainingMetrics::OnStage(uint32_t stage) {
  metrics_
      .Gauge("troupe_curriculum_stage",
             "Index of the curriculum's stage that new episodes are of; the number of stages: the task itself.")
      .Set(stage);
}

void TrainingMetrics::OnCheckpoint(const CheckpointWrite& write, absl::Time now) {
  Checkpoints(&metrics_, write.status.ok() ? "written" : "failed").Increment();
  AddStage("checkpoint", write.seconds);
  if (write.status.ok() && !write.best) {
    checkpoint_timestamp_.Set(static_cast<double>(absl::ToUnixMicros(now)) * 1e-6);
    checkpoint_env_steps_.Set(static_cast<double>(write.env_steps));
  }
}

}  // namespace troupe
