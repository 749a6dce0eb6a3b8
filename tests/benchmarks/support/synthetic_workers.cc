#include "tests/benchmarks/support/synthetic_workers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/rollout/worker_run.h"
#include "actor_worker/stream/registration.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/recorded_chunk.h"

namespace troupe::testing {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(20);

std::string AddressOf(int port) { return absl::StrCat("127.0.0.1:", port); }

template <typename T>
void Copy(absl::Span<const T> from, absl::Span<T> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

// Every tensor's bytes, as the rollout writes them.
void CopyTensors(const ChunkView& from, const MutableChunkView& to) {
  const auto copy = [](const TrajectoryField&, const auto& from, const auto& to) { Copy(from, to); };
  for (size_t g = 0; g < from.groups.size(); ++g) ForEachField(copy, from.groups[g], to.groups[g]);
  ForEachField(copy, from, to);
}

}  // namespace

struct SyntheticWorkers::Worker {
  Worker(int index, const LeaseBook::Options& options, size_t pool) : index(index), leases(options), chunks(pool) {}

  const int index;
  bool queued = false;  // guarded by SyntheticWorkers::mutex_
  LeaseBook leases;
  PolicyStore policies;
  ChunkPool chunks;
  std::unique_ptr<wire::TrainingService::Stub> stub;
  std::unique_ptr<TrajectoryStream> trajectories;
  std::unique_ptr<WeightsSubscription> weights;
};

SyntheticWorkers::SyntheticWorkers(Options options)
    : options_(std::move(options)),
      credentials_(Must(ClientCredentials::Load(options_.security, AddressOf(options_.port)))) {
  const auto stub = wire::TrainingService::NewStub(OpenChannel(1 << 20));
  const wire::DescribeRunResponse description = Must(DescribeRun(*stub, kCallTimeout));
  run_id_ = description.run_id();
  plan_ = Must(MakeRolloutPlan(description.experiment(), FindEnvironment));
  if (options_.send_chunks) recorded_ = RecordChunk(plan_);
  for (int i = 0; i < options_.workers; ++i) Connect(i);
}

SyntheticWorkers::~SyntheticWorkers() {
  for (const auto& worker : workers_) worker->trajectories = nullptr;
  for (const auto& worker : workers_) worker->weights = nullptr;
}

std::shared_ptr<grpc::Channel> SyntheticWorkers::OpenChannel(size_t max_message_bytes) const {
  grpc::ChannelArguments arguments = WorkerChannelArguments(max_message_bytes, ChannelUse::kStreams);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return credentials_->OpenChannel(AddressOf(options_.port), arguments);
}

void SyntheticWorkers::Connect(int index) {
  const CollectionSettings& collection = plan_.experiment.collection();
  const int window = static_cast<int>(collection.unacknowledged_window());
  const size_t pool = static_cast<size_t>(window) * collection.num_shards() + 1;
  workers_.push_back(std::make_unique<Worker>(
      index, LeaseBook::Options{.mode = collection.mode(), .unacknowledged_window = window, .max_leases = 4096}, pool));
  Worker& worker = *workers_.back();
  const auto channel = OpenChannel(MaxWeightsBytes(plan_.policies));
  worker.stub = wire::TrainingService::NewStub(channel);
  const std::string id =
      Must(RegisterWorker(*worker.stub, DescribeThisWorker(4096), run_id_, plan_.spec, std::nullopt, kCallTimeout))
          .worker_id;
  worker.weights = std::make_unique<WeightsSubscription>(
      *worker.stub, id, plan_.policies, static_cast<int>(plan_.spec.teams().size()), &worker.policies, [this, &worker] {
        const auto newest = worker.policies.Newest();
        if (newest != nullptr && options_.received_weights)
          options_.received_weights(worker.index, newest->policy_version);
        Wake(worker);
      });
  worker.trajectories = std::make_unique<TrajectoryStream>(
      channel, id, &worker.leases,
      TrajectoryStream::Events{
          .received = [this, &worker](wire::LearnerMessage& message) { Received(worker, message); },
          .ended =
              [this] {
                absl::MutexLock lock(&mutex_);
                ended_ = true;
              }});
}

void SyntheticWorkers::Received(Worker& worker, wire::LearnerMessage& message) {
  switch (message.message_case()) {
    case wire::LearnerMessage::kLeaseGrant:
      worker.leases.Grant(message.lease_grant());
      break;
    case wire::LearnerMessage::kLeaseRevoke:
      worker.leases.Revoke(message.lease_revoke());
      break;
    case wire::LearnerMessage::kAcknowledgement:
      worker.leases.Acknowledge(message.acknowledgement());
      break;
    case wire::LearnerMessage::kDrain: {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      return;
    }
    default:
      return;
  }
  Wake(worker);
}

void SyntheticWorkers::Wake(Worker& worker) {
  if (!options_.send_chunks) return;
  absl::MutexLock lock(&mutex_);
  if (std::exchange(worker.queued, true)) return;
  ready_.push_back(&worker);
}

void SyntheticWorkers::Run() {
  while (true) {
    Worker* worker = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &SyntheticWorkers::HasReadyOrEnded));
      if (ended_) return;
      worker = ready_.front();
      ready_.pop_front();
      worker->queued = false;
    }
    CollectAll(*worker);
  }
}

void SyntheticWorkers::CollectAll(Worker& worker) {
  while (const std::optional<RolloutWork> work = worker.leases.TakeWork(0, worker.policies)) {
    worker.leases.Submit(*work->lease, Collect(worker, *work));
    worker.trajectories->Pump();
  }
}

std::shared_ptr<const wire::WorkerMessage> SyntheticWorkers::Collect(Worker& worker, const RolloutWork& work) {
  std::shared_ptr<wire::WorkerMessage> message = worker.chunks.Take();
  wire::Chunk& chunk = *message->mutable_chunk();
  chunk.set_shard(work.lease->shard);
  chunk.set_lease_epoch(work.lease->lease_epoch);
  chunk.set_sequence(work.sequence);
  chunk.set_policy_version(work.weights->policy_version);
  const ChunkShape shape = plan_.chunk_shape();
  const ChunkView from = Must(ViewChunk(plan_.spec, shape, recorded_));
  MutableChunkView to = AllocateChunk(plan_.spec, shape, &chunk);
  AllocateTruncated(plan_.spec, shape, static_cast<int>(from.truncated_at.size() / 2), &chunk, &to);
  CopyTensors(from, to);
  for (int g = 0; shape.half_observations && g < chunk.groups_size(); ++g) {
    Copy(absl::Span<const uint16_t>(HalfObservations(recorded_.mutable_groups(g))),
         HalfObservations(chunk.mutable_groups(g)));
  }
  *chunk.mutable_episodes() = recorded_.episodes();
  chunk.set_environment_seconds(recorded_.environment_seconds());
  chunk.set_inference_seconds(recorded_.inference_seconds());
  return message;
}

}  // namespace troupe::testing
