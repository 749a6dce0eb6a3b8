// A learner without arithmetic: the real LearnerServer, whose batches are taken, answered with the next version of the
// weights and given back at once. What is left is the ingest.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_REPLAY_LEARNER_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_REPLAY_LEARNER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/metrics/metrics.h"
#include "common/security/server_security.h"
#include "common/threads/named_thread.h"
#include "learner/service/learner_server.h"
#include "proto/experiment.pb.h"

namespace troupe::testing {

class ReplayLearner {
 public:
  // Listens; leases are given out once `workers` are there.
  ReplayLearner(const Experiment& experiment, int workers, const ServerSecurity& security = {});
  ~ReplayLearner();

  int port() const { return server_->port(); }
  // Waits for the first worker and begins. With `train` a thread takes the batches; without, only Publish moves.
  void Begin(bool train);
  void Publish();

  uint64_t batches() const { return batches_; }
  uint64_t chunks() const;
  // Chunks in the batches taken so far, by the worker they came from.
  std::vector<uint64_t> chunks_by_worker() const;
  // Size of one chunk's message and of one version of the weights.
  size_t chunk_bytes() const { return chunk_bytes_; }
  size_t weights_bytes() const;
  const std::vector<PolicySpec>& policies() const { return policies_; }
  void Drain();

 private:
  void Train();

  const Experiment experiment_;
  Metrics metrics_;
  std::unique_ptr<LearnerServer> server_;
  EnvironmentSpec environment_;
  std::vector<PolicySpec> policies_;
  std::shared_ptr<PolicySnapshot> weights_;
  size_t chunk_bytes_ = 0;
  std::atomic<uint64_t> batches_ = 0;
  NamedThread training_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_REPLAY_LEARNER_H_
