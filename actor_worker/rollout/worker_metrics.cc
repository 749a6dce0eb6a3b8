#include "actor_worker/rollout/worker_metrics.h"

#include <string>

namespace troupe {
namespace {

prometheus::Histogram& Stage(Metrics* metrics, const std::string& stage) {
  return metrics->Histogram("troupe_worker_stage_seconds", "Time in a stage of a chunk's life.", StageSecondsBuckets(),
                            {{"stage", stage}});
}

}  // namespace

WorkerMetrics::WorkerMetrics(Metrics* metrics)
    : metrics(*metrics),
      env_steps(metrics->Counter("troupe_worker_env_steps_total", "Environment steps, all copies together.")),
      agent_steps(metrics->Counter("troupe_worker_agent_steps_total", "Environment steps times agents.")),
      environment_seconds(
          metrics->Counter("troupe_worker_environment_seconds_total", "Time spent stepping environments.")),
      inference_seconds(metrics->Counter("troupe_worker_inference_seconds_total", "Time spent choosing actions.")),
      waiting_seconds(metrics->Counter("troupe_worker_waiting_seconds_total",
                                       "Time rollout threads waited for weights or acknowledgements.")),
      chunks(metrics->Counter("troupe_worker_chunks_total", "Chunks collected.")),
      resends(metrics->Counter("troupe_worker_resends_total", "Chunks sent again after a reconnect.")),
      reconnects(metrics->Counter("troupe_worker_reconnects_total", "Trajectory streams opened after the first.")),
      lease_failures(
          metrics->Counter("troupe_worker_lease_failures_total", "Leases given up because the environment failed.")),
      evaluation_episodes(
          metrics->Counter("troupe_worker_evaluation_episodes_total", "Episodes played for evaluations.")),
      collect_seconds(Stage(metrics, "collect")),
      acknowledge_seconds(Stage(metrics, "acknowledge")),
      apply_seconds(Stage(metrics, "apply_weights")),
      unacknowledged_chunks(metrics->Gauge("troupe_worker_unacknowledged_chunks", "Chunks not yet acknowledged.")),
      leases(metrics->Gauge("troupe_worker_leases", "Shards this worker holds.")),
      policy_version(metrics->Gauge("troupe_worker_policy_version", "Newest policy version received.")) {}

void WorkerMetrics::ShowRun(const std::string& run_id, const Experiment& experiment) {
  metrics.SetInfo(
      "troupe_worker_run_info", "The run this worker collects for; always 1.",
      {{"run_id", run_id}, {"experiment", experiment.name()}, {"environment", experiment.environment().name()}});
}

}  // namespace troupe
