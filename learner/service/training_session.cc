#include "learner/service/training_session.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/config/lease_settings.h"
#include "common/threads/sync_point.h"
#include "common/threads/timed_wait.h"
#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

ShardRange OwnShards(const LearnerServerOptions& options) {
  if (options.own_shards.count > 0) return options.own_shards;
  return {0, static_cast<int>(options.experiment.collection().num_shards())};
}

CollectionMode ModeOf(const Experiment& experiment) {
  const CollectionMode mode = experiment.collection().mode();
  return mode == COLLECTION_MODE_UNSPECIFIED ? PIPELINED : mode;
}

LeaseTableOptions LeaseOptions(const LearnerServerOptions& options) {
  const CollectionSettings& collection = options.experiment.collection();
  return {static_cast<int>(collection.num_shards()),
          absl::Seconds(collection.lease_timeout_seconds()),
          options.expected_workers,
          options.expected_workers_patience,
          OwnShards(options),
          collection.has_reconnect_timeout_seconds() ? absl::Seconds(collection.reconnect_timeout_seconds())
                                                     : absl::InfiniteDuration(),
          collection.lease_updates(),
          static_cast<int>(collection.speculative_leases()),
          kVersionsOfTwo - 2,
          ModeOf(options.experiment) == ASYNCHRONOUS};
}

std::string RandomNonce() { return absl::StrFormat("%08x", std::random_device{}()); }

}  // namespace

TrainingSession::TrainingSession(const LearnerServerOptions& options, Metrics* metrics, Clock clock)
    : options_(options),
      clock_(std::move(clock)),
      mode_(ModeOf(options.experiment)),
      own_shards_(OwnShards(options)),
      lease_timeout_(absl::Seconds(options.experiment.collection().lease_timeout_seconds())),
      id_nonce_(RandomNonce()),
      metrics_(metrics),
      publisher_(mode_ != ASYNCHRONOUS, VersionsKept(options.experiment.collection())),
      choice_({.local_decides = !options.local_token.empty(),
               .expected_workers = options.expected_workers,
               .patience = options.expected_workers_patience}),
      leases_(LeaseOptions(options)),
      writes_(lease_timeout_),
      watch_(own_shards_.count) {
  admission_.mode = mode_;
  admission_.max_policy_lag = options.experiment.collection().max_policy_lag();
}

void TrainingSession::Log(std::string_view kind, const std::string& line) {
  if (options_.log && limiter_.Admit(kind, clock_())) Say(line);
}

void TrainingSession::Say(const std::string& line) const {
  if (options_.log) options_.log(ShownText(line));
}

absl::Status TrainingSession::Refuse(const std::string& reason, absl::Status status) {
  metrics_.CountRejected(reason);
  return status;
}

void TrainingSession::Open(const std::string& run_id, std::optional<EnvironmentSpec> known) {
  absl::MutexLock lock(&mutex_);
  if (known.has_value()) choice_.Know(*std::move(known));
  run_id_ = run_id;
}

absl::StatusOr<EnvironmentSpec> TrainingSession::WaitForEnvironment(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  if (!AwaitFor(mutex_, absl::Condition(this, &TrainingSession::HasEnvironment), timeout)) {
    return absl::DeadlineExceededError("no worker has come yet");
  }
  if (choice_.chosen().has_value()) return *choice_.chosen();
  return own_environment_.ok() ? absl::CancelledError("draining") : own_environment_;
}

absl::Status TrainingSession::Begin(const EnvironmentSpec& environment, const ChunkShape& shape,
                                    std::shared_ptr<const PolicySnapshot> weights, const IngestState& ingest) {
  const int num_shards = static_cast<int>(options_.experiment.collection().num_shards());
  if (!ingest.lease_epochs.empty() && ingest.lease_epochs.size() != static_cast<size_t>(num_shards)) {
    return absl::InvalidArgumentError(absl::StrCat("lease_epochs: came ", ingest.lease_epochs.size(),
                                                   " numbers, expected num_shards, which is ", num_shards));
  }
  RETURN_IF_ERROR(CheckChunkSize(environment, shape));
  const uint64_t first_update = weights->policy_version;
  std::unique_ptr<Run> run(
      new Run{environment, shape, LimitsOfChunks(environment, shape),
              BatchAssembler(environment, shape, own_shards_.count, mode_ != ASYNCHRONOUS, first_update)});
  {
    absl::MutexLock lock(&mutex_);
    if (owned_run_ != nullptr) return absl::FailedPreconditionError("Begin was called before");
    for (const std::string& worker_id : choice_.Know(environment)) RemoveMisfit(worker_id);
    admission_.oldest_version = first_update;
    chunks_trained_before_ = ingest.chunks_trained;
    evaluations_ = std::make_unique<EvaluationCoordinator>(static_cast<int>(environment.groups.size()),
                                                           environment.num_statistics());
    for (const auto& [worker_id, worker] : workers_) {
      if (worker.stream != nullptr) evaluations_->AddWorker(worker_id);
    }
    owned_run_ = std::move(run);
    run_.store(owned_run_.get(), std::memory_order_release);
    leases_.Open(ingest.lease_epochs, first_update, clock_());
  }
  Publish(std::move(weights));
  absl::MutexLock lock(&mutex_);
  Settle();
  return absl::OkStatus();
}

void TrainingSession::Publish(std::shared_ptr<const PolicySnapshot> weights) {
  const SteadyTime start = SteadyTime::Now();
  {
    // First: a worker may use the version the moment it is out.
    const SyncPoint point("weights.admit");
    absl::MutexLock lock(&mutex_);
    admission_.newest_version = weights->policy_version;
    BeginBatches(weights->policy_version);
  }
  metrics_.weights_bytes.Set(static_cast<double>(publisher_.Publish(*weights)));
  for (int cut = publisher_.CutFurthestBehind(); cut > 0; --cut) metrics_.CountRejected("does_not_read");
  metrics_.policy_version.Set(static_cast<double>(weights->policy_version));
  metrics_.publish_seconds.Observe(absl::ToDoubleSeconds(SteadyTime::Now() - start));
}

void TrainingSession::BeginBatches(uint64_t version) {
  // Whoever comes first fills an asynchronous batch; nobody is waited for.
  if (mode_ == ASYNCHRONOUS) return;
  const SteadyTime now = SteadyTime::Now();
  for (uint64_t update = version; update <= version + 1; ++update) {
    if (RequiredVersion(mode_, admission_.oldest_version, update) == version) watch_.Begin(update, now);
  }
}

absl::StatusOr<AssembledBatch> TrainingSession::NextBatch(absl::Duration timeout) {
  Run* const run = run_.load(std::memory_order_acquire);
  if (run == nullptr) return absl::FailedPreconditionError("Begin was not called");
  const SyncPoint point("batch.take");
  absl::StatusOr<AssembledBatch> batch = run->assembler.Next(timeout);
  if (batch.ok()) metrics_.batch_wait_seconds.Observe(batch->seconds_waited);
  metrics_.batches_ready.Set(run->assembler.batches_ready());
  return batch;
}

const TrainingBatch* TrainingSession::PeekBatch(absl::Duration timeout) {
  Run* const run = run_.load(std::memory_order_acquire);
  const SyncPoint point("batch.peek");
  return run == nullptr ? nullptr : run->assembler.Peek(timeout);
}

void TrainingSession::ReleaseBatch(const AssembledBatch& batch) {
  Run* const run = run_.load(std::memory_order_acquire);
  if (run == nullptr) return;
  {
    const SyncPoint point("batch.release");
    run->assembler.Release(batch.update);
  }
  const SyncPoint point("batch.wake");
  absl::MutexLock lock(&mutex_);
  resume_parked_ = !parked_.empty();
}

absl::Status TrainingSession::RequestEvaluation(const EvaluationRequest& request, EvaluationCoordinator::Done done) {
  const SyncPoint point("evaluation.request");
  absl::MutexLock lock(&mutex_);
  if (evaluations_ == nullptr) return absl::FailedPreconditionError("Begin was not called");
  if (draining_) return absl::CancelledError("draining");
  RETURN_IF_ERROR(evaluations_->Start(request, std::move(done)));
  Settle();
  return absl::OkStatus();
}

std::vector<EpisodeSummary> TrainingSession::TakeFinishedEpisodes() {
  Run* const run = run_.load(std::memory_order_acquire);
  return run == nullptr ? std::vector<EpisodeSummary>() : run->assembler.TakeFinishedEpisodes();
}

IngestState TrainingSession::ingest_state() const {
  const SyncPoint point("snapshot.ingest");
  absl::MutexLock lock(&mutex_);
  const uint64_t trained = owned_run_ == nullptr ? 0 : owned_run_->assembler.batches_released();
  return {leases_.last_epochs(), chunks_trained_before_ + trained * options_.experiment.collection().num_shards()};
}

std::vector<WorkerSummary> TrainingSession::workers() const {
  absl::MutexLock lock(&mutex_);
  std::vector<WorkerSummary> summaries;
  for (const auto& [worker_id, worker] : workers_) {
    summaries.push_back(
        {worker_id, worker.host, worker.stream != nullptr, leases_.shards_of(worker_id), worker.chunks_admitted});
  }
  return summaries;
}

int TrainingSession::num_connected() const {
  absl::MutexLock lock(&mutex_);
  return leases_.num_connected();
}

absl::Status TrainingSession::health() const {
  absl::MutexLock lock(&mutex_);
  return health_;
}

void TrainingSession::ReportProgress(uint64_t env_steps, double env_steps_per_second) {
  absl::MutexLock lock(&mutex_);
  env_steps_ = env_steps;
  env_steps_per_second_ = env_steps_per_second;
}

void TrainingSession::CloseLeases() {
  leases_.Close();
  // Each is an old lease's by now: acknowledged and forgotten.
  resume_parked_ = !parked_.empty();
}

void TrainingSession::EndCollection() {
  const SyncPoint point("collection.end");
  absl::MutexLock lock(&mutex_);
  CloseLeases();
  Settle();
}

void TrainingSession::Drain(const std::string& reason, bool run_ended, absl::Duration grace) {
  {
    const SyncPoint point("drain.begin");
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    drain_reason_ = reason;
    run_ended_ = run_ended;
    CloseLeases();
    Settle();
    if (owned_run_ != nullptr) owned_run_->assembler.Close();
    if (evaluations_ != nullptr) {
      evaluations_->CancelAll(absl::CancelledError(absl::StrCat("draining: ", reason)));
    }
    for (const auto& [worker_id, worker] : workers_) {
      if (worker.stream != nullptr && run_ended) TellOfTheEnd(*worker.stream);
    }
  }
  CallFinished();
  if (!run_ended) return;
  const SyncPoint point("drain.wait");
  absl::MutexLock lock(&mutex_);
  AwaitFor(mutex_, absl::Condition(this, &TrainingSession::HasNoWorker), grace);
}

void TrainingSession::TellOfTheEnd(WorkerStream& stream) {
  wire::LearnerMessage message;
  message.mutable_drain()->set_reason(drain_reason_);
  stream.Send(std::move(message));
}

void TrainingSession::CloseStreams() {
  publisher_.CloseAll();
  const SyncPoint point("drain.cut_streams");
  absl::MutexLock lock(&mutex_);
  for (const auto& [worker_id, worker] : workers_) {
    if (worker.stream != nullptr)
      worker.stream->Close(absl::UnavailableError(absl::StrCat("draining: ", drain_reason_)));
  }
}

}  // namespace troupe
