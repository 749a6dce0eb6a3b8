// The run as its workers meet it: registration, leases, chunks on their way into batches, evaluation tasks, the end.
//
//   Register ─► HandleMessage(Hello) ─► HandleMessage(Chunk | EvaluationResult | Heartbeat | LeaseFailure)* ─►
//   StreamClosed
//
// A chunk is checked and copied on the gRPC thread that read it, without the session's lock; only the decision between
// the two takes the lock. When no batch has a place for it, HandleMessage says kParked, the stream is not read from,
// and Maintain tries again once a batch has been released: what waits is at most one chunk per stream.
//
// Lock order: session, then stream or assembler or publisher. Streams never call in with a lock of theirs held.
#ifndef TROUPE_LEARNER_SERVICE_TRAINING_SESSION_H_
#define TROUPE_LEARNER_SERVICE_TRAINING_SESSION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/wire/chunk_layout.h"
#include "common/wire/message_reader.h"
#include "learner/ingest/batch_assembler.h"
#include "learner/ingest/chunk_admission.h"
#include "learner/ingest/lease_table.h"
#include "learner/ingest/outlier_watch.h"
#include "learner/service/environment_choice.h"
#include "learner/service/evaluation_coordinator.h"
#include "learner/service/learner_metrics.h"
#include "learner/service/learner_server.h"
#include "learner/service/line_limiter.h"
#include "learner/service/message_size.h"
#include "learner/service/peer_ledger.h"
#include "learner/service/weights_publisher.h"
#include "learner/service/worker_stream.h"
#include "learner/service/worker_watch.h"
#include "learner/service/write_watch.h"
#include "proto/training_service.pb.h"

namespace troupe {

using Clock = std::function<SteadyTime()>;

// The largest message on a stream that has not said whose it is.
inline constexpr size_t kMaxNamelessBytes = 1024;

// What a stream ends with that is no longer its worker's.
inline absl::Status StreamReplaced() { return absl::AbortedError("replaced by a newer stream of the same worker"); }

// Thread-safe.
class TrainingSession {
 public:
  enum class Handled { kDone, kParked };
  static constexpr int kMaxShardsPerWorker = 4096;
  static constexpr size_t kMaxNameBytes = 256;

  TrainingSession(const LearnerServerOptions& options, Metrics* metrics, Clock clock);

  // --- unary calls; errors as proto/training_service.proto lists them
  absl::Status DescribeRun(const wire::DescribeRunRequest& request, wire::DescribeRunResponse* response);
  // `peer`: the address it comes from, as PeerAddress tells it; `local`: this learner has started it. It is sent on
  // where LearnerServerOptions::directory says so.
  absl::Status Register(const wire::RegisterRequest& request, const std::string& peer, bool local,
                        wire::RegisterResponse* response) ABSL_LOCKS_EXCLUDED(mutex_);
  // The worker goes and could not say so on its stream: its leases are free at once. OK for an unknown worker.
  absl::Status Leave(const std::string& worker_id) ABSL_LOCKS_EXCLUDED(mutex_);
  // The worker was heard, though nothing comes on its stream. NOT_FOUND for an unknown worker.
  absl::Status StillHere(const std::string& worker_id) ABSL_LOCKS_EXCLUDED(mutex_);
  void GetStatus(wire::GetStatusResponse* response) const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Subscribe(const std::string& worker_id, const std::shared_ptr<WeightsSubscriber>& subscriber)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // --- streams. One that does not say Hello within lease_timeout is closed. RESOURCE_EXHAUSTED: as many such streams
  // as there may be workers, or workers of one peer, are open already.
  absl::Status StreamOpened(const std::shared_ptr<WorkerStream>& stream, const std::string& peer)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // One message of a stream at a time. `worker_id` is the stream's, empty until Hello, which sets it. kParked: the
  // message must be given again when `parked` is resumed. An error ends the stream; the session has drawn the
  // consequences.
  absl::StatusOr<Handled> HandleMessage(const std::shared_ptr<WorkerStream>& stream,
                                        const std::shared_ptr<ParkedStream>& parked, const ReceivedMessage& received,
                                        std::string* worker_id) ABSL_LOCKS_EXCLUDED(mutex_);
  // What the next message on a stream of this worker (empty: on one that has not said hello) may be.
  MessageLimits LimitsOf(const std::string& worker_id) const;
  // The stream's next message was not read, or only `received` of it: what to end the stream with.
  absl::Status Unreadable(const WorkerStream* stream, const std::string& worker_id, const ReceivedMessage& received,
                          absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the stream once what is on its way on it is not read for longer than a lease lasts.
  void WatchWrites(const std::shared_ptr<WritingStream>& stream) ABSL_LOCKS_EXCLUDED(mutex_);
  // `left`: the worker closed it in good order and is not coming back: its leases are free at once.
  void StreamClosed(const WorkerStream* stream, const std::string& worker_id, bool left) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- time passing: lost workers, delayed leases, parked streams. Called every `maintenance_period` and when woken.
  void Maintain() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until there are parked streams to resume, StopMaintenance was called (false), or the period has passed.
  bool WaitForMaintenance() ABSL_LOCKS_EXCLUDED(mutex_);
  void StopMaintenance() ABSL_LOCKS_EXCLUDED(mutex_);

  // --- what LearnerServer does
  void Open(const std::string& run_id, std::optional<EnvironmentSpec> known) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<EnvironmentSpec> WaitForEnvironment(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Begin(const EnvironmentSpec& environment, const ChunkShape& shape,
                     std::shared_ptr<const PolicySnapshot> weights, const IngestState& ingest)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<AssembledBatch> NextBatch(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  const TrainingBatch* PeekBatch(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReleaseBatch(const AssembledBatch& batch) ABSL_LOCKS_EXCLUDED(mutex_);
  void Publish(std::shared_ptr<const PolicySnapshot> weights) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status RequestEvaluation(const EvaluationRequest& request, EvaluationCoordinator::Done done)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<EpisodeSummary> TakeFinishedEpisodes();
  IngestState ingest_state() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<WorkerSummary> workers() const ABSL_LOCKS_EXCLUDED(mutex_);
  int num_connected() const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status health() const ABSL_LOCKS_EXCLUDED(mutex_);
  void ReportProgress(uint64_t env_steps, double env_steps_per_second) ABSL_LOCKS_EXCLUDED(mutex_);
  // No more batches are asked for: ends all leases and lets streams that wait be read on, so that evaluations' results
  // can come.
  void EndCollection() ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends collection, cancels evaluations and wakes NextBatch. When the run has ended, tells the workers to go and waits
  // until all have left, up to `grace`: those that are cut off just now come back, as long as their leases would stay.
  // Otherwise they shall look for a learner that comes back: CloseStreams follows.
  void Drain(const std::string& reason, bool run_ended, absl::Duration grace) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends what is still open.
  void CloseStreams() ABSL_LOCKS_EXCLUDED(mutex_);

  LearnerMetrics& metrics() { return metrics_; }
  WeightsPublisher& publisher() { return publisher_; }

 private:
  struct Worker {
    std::string host;
    std::string peer;
    std::shared_ptr<WorkerStream> stream;                    // null: not connected
    SteadyTime parked_since = SteadyTime::InfiniteFuture();  // finite: its stream waits for us, it is not silent
    uint64_t chunks_admitted = 0;
    uint64_t number = 0;    // in the order of registration
    int capacity = 0;       // as of RankDirectory::CapacityOf
    bool may_move = false;  // to another rank
  };
  // What exists from Begin on.
  struct Run {
    EnvironmentSpec environment;
    ChunkShape shape;
    MessageLimits limits;
    BatchAssembler assembler;
  };

  absl::Status Refuse(const std::string& reason, absl::Status status);
  absl::Status UnknownWorker(const std::string& worker_id);
  absl::Status CheckRegistration(const wire::RegisterRequest& request, const std::string& run_id);
  // Whether the run can have this environment, unless that was looked at before; a refusal of a local worker's is
  // WaitForEnvironment's answer too.
  absl::Status CheckEnvironment(const EnvironmentSpec& spec, bool local) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status RefuseEnvironment(const wire::RegisterRequest& request, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Chooses the environment if that can be done by now, and removes the workers of others.
  void ChooseEnvironment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The worker is told to register again, and then why it cannot.
  void RemoveMisfit(const std::string& worker_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The run's id; UNAVAILABLE before Open, and once the learner drains without one.
  absl::StatusOr<std::string> OpenRunId() const ABSL_LOCKS_EXCLUDED(mutex_);
  // RESOURCE_EXHAUSTED: too many workers, in all or of this peer, or a peer that has to wait.
  absl::Status CheckRoom(const std::string& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Handled> HandleHello(const std::shared_ptr<WorkerStream>& stream, const wire::Hello& hello,
                                      std::string* worker_id) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Handled> HandleChunk(const std::shared_ptr<WorkerStream>& stream,
                                      const std::shared_ptr<ParkedStream>& parked, const ReceivedMessage& received,
                                      const std::string& worker_id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Park(const std::shared_ptr<ParkedStream>& parked, Worker& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetNameless(const WorkerStream* stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The decision about a checked chunk. Nothing: parked. A slot when it is to be copied.
  struct Decision {
    AdmissionVerdict verdict;
    std::optional<BatchAssembler::Slot> slot;
  };
  absl::StatusOr<std::optional<Decision>> Decide(Run& run, const wire::Chunk& chunk, const std::string& worker_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts it and forgets the worker: its leases go to others.
  absl::Status RefuseChunk(const WorkerStream* stream, const std::string& worker_id, absl::Status status)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void CountAdmitted(const Run& run, const ReceivedMessage& received, const ReceivedChunkView& view,
                     uint64_t policy_lag);
  // Says and counts rewards of an admitted chunk that are unlike all before.
  void WatchRewards(const Run& run, absl::Span<const float> largest, uint32_t shard, const std::string& worker_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status HandleEvaluationResult(const wire::EvaluationResult& result, const std::string& worker_id)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void HandleLeaseFailure(const wire::LeaseFailure& failure, const std::string& worker_id) ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets the worker, frees its leases and tasks and closes its weights and its stream, if it is not `ending`.
  void RemoveWorker(const std::string& worker_id, const absl::Status& status, const WorkerStream* ending)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsCurrent(const WorkerStream* stream, const std::string& worker_id) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Tells the directory of the workers that are here.
  void CountWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the newest worker that may move back to where it came from.
  void GiveWorkerBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends lease changes and evaluation tasks, sets the gauges: last thing under the lock whenever either may have
  // changed.
  void Settle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseLeases() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells those who asked for evaluations, without the lock. Maintain does it too, so none is forgotten.
  void CallFinished() ABSL_LOCKS_EXCLUDED(mutex_);
  // `kind` of the line, for people and for the limiter: peers' lines come in any number and with any text.
  void Log(std::string_view kind, const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Say(const std::string& line) const;
  // Chunks that `version` collects can come from now on.
  void BeginBatches(uint64_t version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sets the gauges of idle and slow workers, and says who they are.
  void WatchWorkers(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellOfTheEnd(WorkerStream& stream) ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool HasNoWorker() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return workers_.empty(); }
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || resume_parked_; }
  bool HasEnvironment() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return choice_.chosen().has_value() || !own_environment_.ok() || draining_;
  }

  struct NamelessStream {
    std::shared_ptr<WorkerStream> stream;
    std::string peer;
    SteadyTime deadline;  // for its Hello
  };

  const LearnerServerOptions options_;
  const Clock clock_;
  const CollectionMode mode_;
  const ShardRange own_shards_;
  const absl::Duration lease_timeout_;
  const std::string id_nonce_;  // so that ids of an earlier learner process are not taken for this one's
  LearnerMetrics metrics_;
  WeightsPublisher publisher_;
  // Made by Begin and never changed, hence read without the lock by whoever sees it.
  std::unique_ptr<Run> owned_run_;
  std::atomic<Run*> run_ = nullptr;

  mutable absl::Mutex mutex_;
  std::string run_id_ ABSL_GUARDED_BY(mutex_);  // empty until Open
  EnvironmentChoice choice_ ABSL_GUARDED_BY(mutex_);
  absl::Status own_environment_ ABSL_GUARDED_BY(mutex_);  // why the run cannot have that of the learner's own workers
  LeaseTable leases_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Worker> workers_ ABSL_GUARDED_BY(mutex_);
  std::vector<NamelessStream> nameless_ ABSL_GUARDED_BY(mutex_);
  WriteWatch writes_ ABSL_GUARDED_BY(mutex_);
  PeerLedger peers_ ABSL_GUARDED_BY(mutex_);
  WorkerWatch watch_ ABSL_GUARDED_BY(mutex_);
  OutlierWatch outliers_ ABSL_GUARDED_BY(mutex_);
  LineLimiter limiter_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<EvaluationCoordinator> evaluations_ ABSL_GUARDED_BY(mutex_);
  AdmissionState admission_ ABSL_GUARDED_BY(mutex_);
  uint64_t workers_registered_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t workers_arrived_ ABSL_GUARDED_BY(mutex_) = 0;  // of those, sent by another rank
  uint64_t chunks_trained_before_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::weak_ptr<ParkedStream>> parked_ ABSL_GUARDED_BY(mutex_);
  bool resume_parked_ ABSL_GUARDED_BY(mutex_) = false;
  bool resuming_ ABSL_GUARDED_BY(mutex_) = false;  // streams taken from parked_ are being resumed, in their order
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool run_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::string drain_reason_ ABSL_GUARDED_BY(mutex_);
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  uint64_t env_steps_ ABSL_GUARDED_BY(mutex_) = 0;
  double env_steps_per_second_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_TRAINING_SESSION_H_
