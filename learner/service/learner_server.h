// Everything between the network and the training loop: the gRPC service, leases, admission, queue, batch assembly,
// weights publication and evaluation tasks, behind the calls the training loop makes.
//
//   Start ─► Open ─► WaitForEnvironment ─► Begin ─► { NextBatch, (train), Publish, [RequestEvaluation] }* ─► Drain ─►
//   destruction
#ifndef TROUPE_LEARNER_SERVICE_LEARNER_SERVER_H_
#define TROUPE_LEARNER_SERVICE_LEARNER_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/policy_snapshot.h"
#include "common/metrics/metrics.h"
#include "common/security/addresses.h"
#include "common/security/server_security.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/batch/assembled_batch.h"
#include "learner/batch/episode_summary.h"
#include "learner/batch/ingest_state.h"
#include "learner/batch/training_batch.h"
#include "learner/ingest/shard_range.h"
#include "proto/experiment.pb.h"

namespace troupe {

class RankDirectory;

struct LearnerServerOptions {
  std::string listen_address;  // "127.0.0.1:0" or "unix:/run/troupe/learner.sock"
  ServerSecurity security;     // checked
  // Carried by the calls of workers that this learner starts; empty: it starts none. The first of them that comes says
  // which environment a fresh run has.
  std::string local_token;
  // Also listens at a free port of 127.0.0.1 in plain text, for calls that carry local_token.
  bool local_port = false;
  // Whether a run can have such an environment here: what it needs of the machine, what the experiment asks of it. Says
  // why not, before anything is built. From any thread. Empty: all do.
  std::function<absl::Status(const EnvironmentSpec&)> check_environment;
  Experiment experiment;  // complete
  // Workers to wait for before the first leases are given, so that shards are spread evenly from the start and no lease
  // has to move; after `expected_workers_patience` leases are given to those that came.
  int expected_workers = 1;
  absl::Duration expected_workers_patience = absl::Seconds(30);
  int max_workers = 1024;
  int max_workers_per_peer = 512;  // registered from one address
  // The shards leased out here; count 0: all. Batches have these shards' columns.
  ShardRange own_shards;
  // One of several learners: who sends workers to the others, and is told of those that are here. Null: nobody.
  std::shared_ptr<RankDirectory> directory;
  // Told, one line each, what people want to know: workers that come and go, shards given up, chunks refused. Called
  // from any thread, under a lock: it must not call back. Empty: nobody is told.
  std::function<void(const std::string&)> log;
};

struct EvaluationRequest {
  std::shared_ptr<const PolicySnapshot> weights;
  uint64_t first_seed = 0;
  uint32_t episodes = 0;
  bool sample_actions = false;
  std::optional<uint32_t> curriculum_stage{};  // an index into curriculum.stages; none: the experiment's own task
};

struct EvaluationOutcome {
  uint64_t policy_version = 0;
  std::vector<EpisodeSummary> episodes;  // ordered by seed, all of them
};

struct WorkerSummary {
  std::string worker_id, host;
  bool connected = false;
  std::vector<uint32_t> shards;
  uint64_t chunks_admitted = 0;
};

// Thread-safe unless a call says otherwise.
class LearnerServer {
 public:
  // Listens; answers GetStatus and health from now until destruction, and tells workers to come again later. `metrics`
  // outlives it. UNAVAILABLE: cannot listen; somebody does already.
  static absl::StatusOr<std::unique_ptr<LearnerServer>> Start(LearnerServerOptions options, Metrics* metrics);
  virtual ~LearnerServer() = default;

  virtual int port() const = 0;
  // "HOST:PORT" where the workers of this machine connect.
  virtual std::string local_address() const { return AddressToDial("127.0.0.1:0", port()); }

  // Lets workers in to the run of this id, which is unique per run folder and kept over restarts. `known`: the
  // environment of a run that goes on. Call once.
  virtual void Open(const std::string& run_id, std::optional<EnvironmentSpec> known) = 0;

  // The run's environment, once it is known or chosen (environment_choice.h); workers that announce another are
  // refused. DEADLINE_EXCEEDED after `timeout`; what check_environment says to a worker of the learner's own.
  virtual absl::StatusOr<EnvironmentSpec> WaitForEnvironment(absl::Duration timeout) = 0;

  // Opens the gates: publishes `weights` (whose version is the first update) and gives out leases with epochs above
  // those of `ingest`. Call once.
  virtual absl::Status Begin(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies,
                             std::shared_ptr<const PolicySnapshot> weights, const IngestState& ingest) = 0;

  // The next full batch, in the order of updates. CANCELLED after Drain; DEADLINE_EXCEEDED after `timeout` (call
  // again).
  virtual absl::StatusOr<AssembledBatch> NextBatch(absl::Duration timeout) = 0;
  // The batch that NextBatch will give, as soon as it is full, to be looked at already; null: not full within
  // `timeout`.
  virtual const TrainingBatch* PeekBatch(absl::Duration) { return nullptr; }
  virtual void ReleaseBatch(const AssembledBatch& batch) = 0;

  // Makes `weights` the newest; its version is the number of updates done.
  virtual void Publish(std::shared_ptr<const PolicySnapshot> weights) = 0;

  // Spreads the episodes over the workers; `done` is called once, from a service thread, with all of them or an error
  // (CANCELLED on Drain). At most `kMaxEvaluations` are under way; a further request is refused with
  // RESOURCE_EXHAUSTED.
  static constexpr int kMaxEvaluations = 4;
  virtual absl::Status RequestEvaluation(const EvaluationRequest& request,
                                         std::function<void(absl::StatusOr<EvaluationOutcome>)> done) = 0;

  // Training episodes finished since the last call (bounded: the newest 65,536 are kept).
  virtual std::vector<EpisodeSummary> TakeFinishedEpisodes() = 0;
  virtual IngestState ingest_state() const = 0;
  virtual std::vector<WorkerSummary> workers() const = 0;
  virtual int num_connected() const = 0;

  // UNAVAILABLE, for good, once leases fail again and again on every worker and batches cannot come any more
  // (LeaseTable::FindHopeless); the message ends with the last failing environment's own words.
  virtual absl::Status health() const { return absl::OkStatus(); }

  // Figures that GetStatus and the metrics show but only the training loop knows.
  virtual void ReportProgress(uint64_t env_steps, double env_steps_per_second) = 0;

  // Training has ended: no more batches are asked for. Workers stop collecting, chunks on their way are forgotten,
  // evaluations go on.
  virtual void EndCollection() = 0;

  // Refuses new workers and wakes NextBatch. When the run has ended, tells the workers to finish and waits for their
  // streams to close, up to `grace`. Then cuts what is open: workers that were not told look for a learner that comes
  // back. After the end of the run health is still answered, otherwise nothing any more.
  virtual void Drain(const std::string& reason, bool run_ended, absl::Duration grace) = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_LEARNER_SERVER_H_
