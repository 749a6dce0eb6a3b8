// The learner's series that the service side moves. Names and labels are an interface (docs/metrics.md).
#ifndef TROUPE_LEARNER_SERVICE_LEARNER_METRICS_H_
#define TROUPE_LEARNER_SERVICE_LEARNER_METRICS_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "common/metrics/metrics.h"
#include "proto/training_service.pb.h"

namespace troupe {

// Thread-safe; `metrics` outlives it.
class LearnerMetrics {
 public:
  explicit LearnerMetrics(Metrics* metrics);

  // troupe_chunks_total{result}: admitted, duplicate, stale, old_lease or invalid.
  void CountChunk(wire::ChunkResult result);
  void CountInvalidChunk() { chunks_invalid.Increment(); }
  // troupe_rejected_requests_total{reason}; reasons are few and fixed (kRejectionReasons).
  void CountRejected(const std::string& reason);
  // By result's lower-case name, for GetStatus.
  std::map<std::string, uint64_t> ChunksByResult() const;

 private:
  Metrics* const metrics_;

 public:
  prometheus::Counter& env_steps;
  prometheus::Counter& agent_steps;
  prometheus::Counter& environment_seconds;
  prometheus::Counter& inference_seconds;
  prometheus::Counter& chunk_bytes;
  prometheus::Histogram& policy_lag;
  prometheus::Gauge& policy_version;
  prometheus::Gauge& weights_bytes;
  prometheus::Gauge& chunks_waiting;
  prometheus::Gauge& batches_ready;
  prometheus::Gauge& workers_connected;
  prometheus::Gauge& workers_disconnected;
  prometheus::Gauge& workers_without_shard;
  prometheus::Gauge& slowest_worker_ratio;
  prometheus::Gauge& shards_leased;
  prometheus::Gauge& shards_waiting;
  prometheus::Gauge& shards_leased_twice;
  prometheus::Histogram& admission_seconds;
  prometheus::Histogram& queue_seconds;
  prometheus::Histogram& assembly_seconds;
  prometheus::Histogram& batch_wait_seconds;
  prometheus::Histogram& publish_seconds;
  prometheus::Counter& chunks_admitted;
  prometheus::Counter& chunks_duplicate;
  prometheus::Counter& chunks_stale;
  prometheus::Counter& chunks_old_lease;
  prometheus::Counter& chunks_invalid;
  prometheus::Counter& outlier_chunks;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_LEARNER_METRICS_H_
