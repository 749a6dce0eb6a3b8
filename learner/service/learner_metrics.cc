#include "learner/service/learner_metrics.h"

namespace troupe {
namespace {

constexpr char kChunks[] = "troupe_chunks_total";
constexpr char kChunksHelp[] = "Chunks received, by what became of them.";
constexpr char kStage[] = "troupe_stage_seconds";
constexpr char kStageHelp[] = "Time in one stage of a chunk's life.";
constexpr char kDepth[] = "troupe_queue_depth";
constexpr char kDepthHelp[] = "Items waiting: chunks for a place in a batch, full batches for training.";

constexpr char kRejected[] = "troupe_rejected_requests_total";
constexpr char kRejectedHelp[] = "Requests and messages refused.";
// Shown as 0 from the start: a series that begins with its first count hides that count from rate().
constexpr const char* kRejectionReasons[] = {"does_not_read",
                                             "draining",
                                             "environment_spec",
                                             "lease_failure",
                                             "malformed_chunk",
                                             "malformed_evaluation",
                                             "malformed_peer",
                                             "max_shards",
                                             "message_size",
                                             "name_length",
                                             "no_descriptors",
                                             "protocol",
                                             "protocol_version",
                                             "run_id",
                                             "silent",
                                             "tls_certificate",
                                             "tls_handshake",
                                             "tls_no_certificate",
                                             "tls_plaintext",
                                             "token",
                                             "too_many_streams",
                                             "too_many_workers",
                                             "too_many_workers_of_peer",
                                             "unauthenticated",
                                             "unknown_worker"};

std::vector<double> LagBuckets() { return {0, 1, 2, 3, 4, 6, 8, 16, 32, 64, 256, 1024}; }

}  // namespace

LearnerMetrics::LearnerMetrics(Metrics* metrics)
    : metrics_(metrics),
      env_steps(metrics->Counter("troupe_env_steps_total", "Environment steps admitted, all copies together.")),
      agent_steps(metrics->Counter("troupe_agent_steps_total", "Steps of living agents admitted.")),
      environment_seconds(metrics->Counter("troupe_collection_seconds_total",
                                           "Workers' time in admitted chunks, by what it went into.",
                                           {{"part", "environment"}})),
      inference_seconds(metrics->Counter("troupe_collection_seconds_total",
                                         "Workers' time in admitted chunks, by what it went into.",
                                         {{"part", "inference"}})),
      chunk_bytes(metrics->Counter("troupe_chunk_bytes_total", "Bytes of the messages of admitted chunks.")),
      policy_lag(
          metrics->Histogram("troupe_policy_lag", "Update minus policy version of each admitted chunk.", LagBuckets())),
      policy_version(metrics->Gauge("troupe_policy_version", "Newest published policy version.")),
      weights_bytes(metrics->Gauge("troupe_weights_bytes", "Size of one published message of weights.")),
      chunks_waiting(metrics->Gauge(kDepth, kDepthHelp, {{"queue", "chunks"}})),
      batches_ready(metrics->Gauge(kDepth, kDepthHelp, {{"queue", "batches"}})),
      workers_connected(metrics->Gauge("troupe_workers", "Registered workers.", {{"state", "connected"}})),
      workers_disconnected(metrics->Gauge("troupe_workers", "Registered workers.", {{"state", "disconnected"}})),
      workers_without_shard(metrics->Gauge("troupe_workers_without_shard",
                                           "Connected workers with nothing to collect: more workers than shards.")),
      slowest_worker_ratio(metrics->Gauge(
          "troupe_slowest_worker_ratio", "The slowest worker's time for a chunk as a multiple of the others' median.")),
      shards_leased(
          metrics->Gauge("troupe_shard_leases", "Shards, by whether a worker has them.", {{"state", "leased"}})),
      shards_waiting(
          metrics->Gauge("troupe_shard_leases", "Shards, by whether a worker has them.", {{"state", "waiting"}})),
      shards_leased_twice(
          metrics->Gauge("troupe_shard_leases", "Shards, by whether a worker has them.", {{"state", "twice"}})),
      admission_seconds(metrics->Histogram(kStage, kStageHelp, StageSecondsBuckets(), {{"stage", "admission"}})),
      queue_seconds(metrics->Histogram(kStage, kStageHelp, StageSecondsBuckets(), {{"stage", "queue"}})),
      assembly_seconds(metrics->Histogram(kStage, kStageHelp, StageSecondsBuckets(), {{"stage", "assembly"}})),
      batch_wait_seconds(metrics->Histogram(kStage, kStageHelp, StageSecondsBuckets(), {{"stage", "batch_wait"}})),
      publish_seconds(metrics->Histogram(kStage, kStageHelp, StageSecondsBuckets(), {{"stage", "publish"}})),
      chunks_admitted(metrics->Counter(kChunks, kChunksHelp, {{"result", "admitted"}})),
      chunks_duplicate(metrics->Counter(kChunks, kChunksHelp, {{"result", "duplicate"}})),
      chunks_stale(metrics->Counter(kChunks, kChunksHelp, {{"result", "stale"}})),
      chunks_old_lease(metrics->Counter(kChunks, kChunksHelp, {{"result", "old_lease"}})),
      chunks_invalid(metrics->Counter(kChunks, kChunksHelp, {{"result", "invalid"}})),
      outlier_chunks(metrics->Counter("troupe_outlier_chunks_total",
                                      "Chunks admitted with a reward far larger than any of the run before.")) {
  for (const char* reason : kRejectionReasons) metrics->Counter(kRejected, kRejectedHelp, {{"reason", reason}});
}

void LearnerMetrics::CountChunk(wire::ChunkResult result) {
  switch (result) {
    case wire::ADMITTED:
      return chunks_admitted.Increment();
    case wire::DUPLICATE:
      return chunks_duplicate.Increment();
    case wire::STALE:
      return chunks_stale.Increment();
    case wire::OLD_LEASE:
      return chunks_old_lease.Increment();
    default:
      return;
  }
}

void LearnerMetrics::CountRejected(const std::string& reason) {
  metrics_->Counter(kRejected, kRejectedHelp, {{"reason", reason}}).Increment();
}

std::map<std::string, uint64_t> LearnerMetrics::ChunksByResult() const {
  const auto count = [](const prometheus::Counter& counter) { return static_cast<uint64_t>(counter.Value()); };
  return {{"admitted", count(chunks_admitted)},
          {"duplicate", count(chunks_duplicate)},
          {"stale", count(chunks_stale)},
          {"old_lease", count(chunks_old_lease)},
          {"invalid", count(chunks_invalid)}};
}

}  // namespace troupe
