// The LearnerServer that listens: a gRPC server in front of a TrainingSession, and the thread that sees time pass.
#ifndef TROUPE_LEARNER_SERVICE_LEARNER_SERVER_IMPL_H_
#define TROUPE_LEARNER_SERVICE_LEARNER_SERVER_IMPL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/clock/awake_clock.h"
#include "common/clock/steady_time.h"
#include "common/threads/named_thread.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server.h"
#include "learner/service/call_guard.h"
#include "learner/service/connection_listener.h"
#include "learner/service/handshake_failures.h"
#include "learner/service/health_service.h"
#include "learner/service/learner_server.h"
#include "learner/service/listener_watch.h"
#include "learner/service/training_service.h"
#include "learner/service/training_session.h"

namespace troupe {

class LearnerServerImpl final : public LearnerServer {
 public:
  // As LearnerServer::Start. `clock` is what leases and evaluations go by; empty: the time that this process was seen
  // to run, so that a pause of its own is not taken for the workers' silence.
  static absl::StatusOr<std::unique_ptr<LearnerServerImpl>> Start(LearnerServerOptions options, Metrics* metrics,
                                                                  Clock clock);
  ~LearnerServerImpl() override;

  int port() const override { return listener_->port(); }
  std::string local_address() const override {
    return local_listener_ != nullptr ? local_listener_->address() : AddressToDial(listener_->address(), port());
  }
  void Open(const std::string& run_id, std::optional<EnvironmentSpec> known) override {
    session_.Open(run_id, std::move(known));
  }
  absl::StatusOr<EnvironmentSpec> WaitForEnvironment(absl::Duration timeout) override;
  absl::Status Begin(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies,
                     std::shared_ptr<const PolicySnapshot> weights, const IngestState& ingest) override;
  absl::StatusOr<AssembledBatch> NextBatch(absl::Duration timeout) override { return session_.NextBatch(timeout); }
  const TrainingBatch* PeekBatch(absl::Duration timeout) override { return session_.PeekBatch(timeout); }
  void ReleaseBatch(const AssembledBatch& batch) override { session_.ReleaseBatch(batch); }
  void Publish(std::shared_ptr<const PolicySnapshot> weights) override { session_.Publish(std::move(weights)); }
  absl::Status RequestEvaluation(const EvaluationRequest& request,
                                 std::function<void(absl::StatusOr<EvaluationOutcome>)> done) override {
    return session_.RequestEvaluation(request, std::move(done));
  }
  void EndCollection() override { session_.EndCollection(); }
  std::vector<EpisodeSummary> TakeFinishedEpisodes() override { return session_.TakeFinishedEpisodes(); }
  IngestState ingest_state() const override { return session_.ingest_state(); }
  std::vector<WorkerSummary> workers() const override { return session_.workers(); }
  int num_connected() const override { return session_.num_connected(); }
  absl::Status health() const override { return session_.health(); }
  void ReportProgress(uint64_t env_steps, double env_steps_per_second) override {
    session_.ReportProgress(env_steps, env_steps_per_second);
  }
  void Drain(const std::string& reason, bool run_ended, absl::Duration grace) override;

 private:
  LearnerServerImpl(const LearnerServerOptions& options, Metrics* metrics, Clock clock);
  absl::Status Listen(const LearnerServerOptions& options);
  absl::Status StartServer(const LearnerServerOptions& options);
  void WatchListeners();
  void OnRefusal(const ConnectionListener& listener, ConnectionListener::Refusal why);
  void Say(const std::string& line) const;
  void ShutDown();
  // Bytes that messages on their way may take: before Begin, and for chunks up to `max_chunk_bytes` from then on.
  static size_t QuotaBytes(const CollectionSettings& collection, size_t max_chunk_bytes);

  const Experiment experiment_;
  const std::function<void(const std::string&)> log_;
  Metrics* const metrics_;
  grpc::ResourceQuota quota_{"learner"};
  AwakeClock awake_;  // the maintenance thread looks at it
  TrainingSession session_;
  std::unique_ptr<CallGuard> guard_;
  TrainingService service_;
  HealthService health_;
  HandshakeFailures handshakes_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ConnectionListener> listener_;
  std::unique_ptr<ConnectionListener> local_listener_;  // null: none
  std::unique_ptr<ListenerWatch> watch_;
  NamedThread maintenance_;
  absl::Mutex refusals_mutex_;
  SteadyTime refusal_told_ ABSL_GUARDED_BY(refusals_mutex_) = SteadyTime::InfinitePast();
  absl::Mutex drain_mutex_;
  bool drained_ ABSL_GUARDED_BY(drain_mutex_) = false;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_LEARNER_SERVER_IMPL_H_
