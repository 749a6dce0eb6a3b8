// The worker's series. Counters are process-wide and survive reconnects and changes of run.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_WORKER_METRICS_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_WORKER_METRICS_H_

#include <string>

#include "common/metrics/metrics.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Thread-safe; `metrics` outlives it.
struct WorkerMetrics {
  explicit WorkerMetrics(Metrics* metrics);

  // troupe_worker_run_info{run_id, experiment, environment} 1, in the place of the run before.
  void ShowRun(const std::string& run_id, const Experiment& experiment);

  Metrics& metrics;
  prometheus::Counter& env_steps;            // all copies together
  prometheus::Counter& agent_steps;          // environment steps × agents
  prometheus::Counter& environment_seconds;  // stepping, over all rollout threads
  prometheus::Counter& inference_seconds;    // acting, over all rollout threads
  prometheus::Counter& waiting_seconds;      // no chunk could be collected: versions or window
  prometheus::Counter& chunks;
  prometheus::Counter& resends;     // chunks sent again on a new stream
  prometheus::Counter& reconnects;  // streams opened after the first
  prometheus::Counter& lease_failures;
  prometheus::Counter& evaluation_episodes;
  prometheus::Histogram& collect_seconds;      // stage 1 and 2: one chunk
  prometheus::Histogram& acknowledge_seconds;  // stage 3: from collected to acknowledged
  prometheus::Histogram& apply_seconds;        // stage 10: new weights into the inference
  prometheus::Gauge& unacknowledged_chunks;
  prometheus::Gauge& leases;
  prometheus::Gauge& policy_version;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_WORKER_METRICS_H_
