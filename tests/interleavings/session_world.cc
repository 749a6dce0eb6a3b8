#include "tests/interleavings/session_world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/threads/sync_point.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

constexpr ChunkShape kShape{4, 3};
constexpr int kShards = 3;
constexpr char kRun[] = "run-7";
constexpr int64_t kLeaseMs = 20000;
constexpr char kPeer[] = "192.0.2.1";

LearnerServerOptions Options(CollectionMode mode) {
  LearnerServerOptions options;
  options.expected_workers = kShards;
  options.max_workers = 64;
  options.max_workers_per_peer = 64;
  options.experiment.set_name("test");
  options.experiment.set_total_env_steps(1000);
  CollectionSettings* const collection = options.experiment.mutable_collection();
  collection->set_mode(mode);
  collection->set_num_shards(kShards);
  collection->set_copies_per_shard(kShape.copies);
  collection->set_rollout_length(kShape.rollout_length);
  collection->set_max_policy_lag(1000);
  collection->set_lease_timeout_seconds(kLeaseMs / 1000);
  collection->set_reconnect_timeout_seconds(kLeaseMs / 1000);
  return options;
}

std::shared_ptr<const PolicySnapshot> Weights(uint64_t version) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = version;
  const float value = static_cast<float>(version);
  weights->tensors.push_back(HostTensor::Float32("walkers/output.bias", {1}, &value));
  return weights;
}

wire::Chunk ChunkOf(uint32_t shard, uint32_t epoch, uint64_t sequence, uint64_t version) {
  return MakeChunk(TwoGroupSpec(), kShape, {shard, epoch, sequence, version},
                   (uint64_t{shard} * 1000 + epoch) * 1000 + sequence);
}

template <typename Values, typename View>
bool HasColumns(const Values& batch, const View& chunk, int rows, int block) {
  const size_t columns = chunk.size() / rows;
  for (int row = 0; row < rows; ++row) {
    for (size_t i = 0; i < columns; ++i) {
      if (batch[(row * kShards + block) * columns + i] != chunk[row * columns + i]) return false;
    }
  }
  return true;
}

bool HasContents(const TrainingBatch& batch, int block, const wire::Chunk& chunk) {
  const ChunkView view = *ViewChunk(TwoGroupSpec(), kShape, chunk);
  const int T = kShape.rollout_length;
  bool same = HasColumns(batch.state_extras, view.state_extras, T + 1, block) &&
              HasColumns(batch.terminated, view.terminated, T, block);
  for (size_t g = 0; g < view.groups.size(); ++g) {
    same = same && HasColumns(batch.groups[g].observations, view.groups[g].observations, T + 1, block) &&
           HasColumns(batch.groups[g].rewards, view.groups[g].rewards, T, block) &&
           HasColumns(batch.groups[g].log_probabilities, view.groups[g].log_probabilities, T, block);
  }
  return same;
}

}  // namespace

SessionWorld::SessionWorld(CollectionMode mode, Moment moment, std::pair<int, int> subjects)
    : mode_(mode),
      subjects_(subjects),
      session_(Options(mode), &metrics_, [this] { return SteadyTime() + absl::Milliseconds(clock_ms_.load()); }) {
  session_.Open(kRun, std::nullopt);
  for (PeerWorker& worker : peers_) {
    worker.id = NewWorker(kPeer);
    worker.stream = NewStream(worker.id);
    worker.subscriber = std::make_shared<PeerSubscriber>(&session_.publisher());
    subscribers_.push_back(worker.subscriber);
    EXPECT_TRUE(session_.Subscribe(worker.id, worker.subscriber).ok());
  }
  EXPECT_TRUE(session_.Begin(TwoGroupSpec(), kShape, Weights(0), {}).ok());
  RequestEvaluation();
  for (PeerWorker& worker : peers_) {
    Attend(worker);
    EXPECT_EQ(worker.leases.size(), 1) << "three shards, three workers";
  }
  const auto everybody_sends = [this] {
    for (PeerWorker& worker : peers_) SendNext(worker, worker.leases.begin()->first);
  };
  everybody_sends();
  PeerWorker& bystander = peers_[2];
  if (moment == Moment::kBetweenUpdates) {
    SendNext(bystander, bystander.leases.begin()->first);
    return;
  }
  unreleased_ = *session_.NextBatch(absl::ZeroDuration());
  Look(*unreleased_);
  session_.Publish(Weights(++trained_));
  everybody_sends();
  SendNext(bystander, bystander.leases.begin()->first);
  EXPECT_TRUE(bystander.stream->is_parked());
  bystander.parked = true;
  if (moment == Moment::kReleased) session_.ReleaseBatch(*std::exchange(unreleased_, std::nullopt));
}

SessionWorld::~SessionWorld() = default;

std::string SessionWorld::NewWorker(const char* peer) {
  wire::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_run_id(kRun);
  request.set_host("testhost");
  request.set_max_shards(kShards);
  EncodeEnvironmentSpec(TwoGroupSpec(), request.mutable_environment_spec());
  wire::RegisterResponse response;
  const absl::Status status = session_.Register(request, peer, false, &response);
  if (status.ok()) return response.worker_id();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(drained_) << status;
  return "";
}

std::shared_ptr<PeerStream> SessionWorld::NewStream(const std::string& worker_id) {
  auto stream = std::make_shared<PeerStream>(&session_);
  {
    absl::MutexLock lock(&mutex_);
    streams_.push_back(stream);
  }
  EXPECT_TRUE(session_.StreamOpened(stream, kPeer).ok());
  wire::WorkerMessage hello;
  hello.mutable_hello()->set_worker_id(worker_id);
  stream->Deliver(hello);
  return stream;
}

uint64_t SessionWorld::VersionFor(uint64_t update) const { return update - std::min<uint64_t>(update, 1); }

void SessionWorld::Attend(PeerWorker& worker) {
  for (wire::LearnerMessage& message : worker.stream->Take()) {
    if (message.has_lease_grant()) {
      const auto held = worker.leases.find(message.lease_grant().shard());
      if (held == worker.leases.end() || held->second.lease_epoch() != message.lease_grant().lease_epoch()) {
        worker.sent[message.lease_grant().shard()] = 0;
      }
      worker.leases[message.lease_grant().shard()] = message.lease_grant();
    }
    if (message.has_lease_revoke()) worker.leases.erase(message.lease_revoke().shard());
    if (message.has_evaluation_task()) worker.task = message.evaluation_task();
    if (!message.has_acknowledgement()) continue;
    const wire::Acknowledgement& ack = message.acknowledgement();
    acknowledged_[{ack.shard(), ack.lease_epoch(), ack.sequence()}].push_back(ack.result());
  }
}

void SessionWorld::Send(PeerStream& stream, const wire::LeaseGrant& grant, uint64_t sequence) {
  wire::WorkerMessage message;
  const uint64_t version = VersionFor(grant.first_update() + sequence);
  *message.mutable_chunk() = ChunkOf(grant.shard(), grant.lease_epoch(), sequence, version);
  stream.Deliver(message);
}

void SessionWorld::SendNext(PeerWorker& worker, uint32_t shard) {
  Send(*worker.stream, worker.leases.at(shard), worker.sent[shard]++);
}

std::shared_ptr<PeerStream> SessionWorld::StreamOf(int side) {
  return side == 1 && on_another_stream_ ? NewStream(WorkerOf(1).id) : WorkerOf(side).stream;
}

void SessionWorld::Register() {
  const std::string id = NewWorker(kPeer);
  absl::MutexLock lock(&mutex_);
  if (!id.empty()) late_.push_back(id);
}

void SessionWorld::Leave(int side) { EXPECT_TRUE(session_.Leave(WorkerOf(side).id).ok()); }

void SessionWorld::SayStillHere(int side) {
  const absl::Status status = session_.StillHere(WorkerOf(side).id);
  EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
}

void SessionWorld::OpenStream() {
  auto stream = std::make_shared<PeerStream>(&session_);
  EXPECT_TRUE(session_.StreamOpened(stream, kPeer).ok());
  absl::MutexLock lock(&mutex_);
  streams_.push_back(stream);
}

void SessionWorld::Reconnect(int side) { NewStream(WorkerOf(side).id); }

void SessionWorld::Beat(int side) {
  wire::WorkerMessage message;
  message.mutable_heartbeat();
  StreamOf(side)->Deliver(message);
}

void SessionWorld::SendChunk(int side) {
  PeerWorker& worker = WorkerOf(side);
  const wire::LeaseGrant& grant = worker.leases.begin()->second;
  const uint64_t sequence = worker.sent.at(grant.shard()) - (worker.parked ? 1 : 0);
  {
    absl::MutexLock lock(&mutex_);
    sent_by_sides_.insert({grant.shard(), grant.lease_epoch(), sequence});
  }
  Send(*StreamOf(side), grant, sequence);
}

void SessionWorld::UseNewestWeights(int side) {
  const SyncPoint point("test.use");
  PeerWorker& worker = WorkerOf(side);
  const wire::LeaseGrant& grant = worker.leases.begin()->second;
  const uint64_t sequence = worker.sent.at(grant.shard());
  {
    absl::MutexLock lock(&mutex_);
    sent_by_sides_.insert({grant.shard(), grant.lease_epoch(), sequence});
  }
  wire::WorkerMessage message;
  *message.mutable_chunk() =
      ChunkOf(grant.shard(), grant.lease_epoch(), sequence, *session_.publisher().newest_version());
  StreamOf(side)->Deliver(message);
}

void SessionWorld::SendMalformedChunk(int side) {
  const wire::LeaseGrant& grant = WorkerOf(side).leases.begin()->second;
  wire::WorkerMessage message;
  *message.mutable_chunk() = ChunkOf(grant.shard(), grant.lease_epoch(), 0, 0);
  message.mutable_chunk()->mutable_groups()->RemoveLast();
  StreamOf(side)->Deliver(message);
}

void SessionWorld::FailLease(int side) {
  const wire::LeaseGrant& grant = WorkerOf(side).leases.begin()->second;
  wire::WorkerMessage message;
  message.mutable_lease_failure()->set_shard(grant.shard());
  message.mutable_lease_failure()->set_lease_epoch(grant.lease_epoch());
  message.mutable_lease_failure()->set_error("the simulator fell over");
  StreamOf(side)->Deliver(message);
}

void SessionWorld::SendResult(int side) {
  const PeerWorker& worker = WorkerOf(side);
  wire::WorkerMessage message;
  wire::EvaluationResult* const result = message.mutable_evaluation_result();
  result->set_task_id(worker.task->task_id());
  for (uint32_t i = 0; i < worker.task->episodes(); ++i) {
    wire::EvaluationEpisode* const episode = result->add_episodes();
    episode->set_seed(worker.task->first_seed() + i);
    episode->set_length(1);
    episode->add_group_returns(1);
    episode->add_group_returns(2);
    episode->add_statistics(3);
  }
  StreamOf(side)->Deliver(message);
}

void SessionWorld::CloseStream(int side, bool left) {
  const std::shared_ptr<PeerStream> stream = StreamOf(side);
  stream->Close(left ? absl::OkStatus() : absl::CancelledError("the stream broke"));
  session_.StreamClosed(stream.get(), stream->worker_id(), left);
}

void SessionWorld::Subscribe(int side) {
  auto subscriber = std::make_shared<PeerSubscriber>(&session_.publisher());
  {
    absl::MutexLock lock(&mutex_);
    subscribers_.push_back(subscriber);
  }
  const absl::Status status = session_.Subscribe(WorkerOf(side).id, subscriber);
  EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
  if (!status.ok()) subscriber->Close(status);
}

bool SessionWorld::TrainOne() {
  session_.PeekBatch(absl::ZeroDuration());
  const absl::StatusOr<AssembledBatch> batch = session_.NextBatch(absl::ZeroDuration());
  if (!batch.ok()) {
    EXPECT_TRUE(absl::IsDeadlineExceeded(batch.status()) || absl::IsCancelled(batch.status())) << batch.status();
    return false;
  }
  Look(*batch);
  session_.Publish(Weights(++trained_));
  session_.ReleaseBatch(*batch);
  EXPECT_EQ(session_.ingest_state().chunks_trained, trained_ * kShards);
  return true;
}

void SessionWorld::Release() {
  if (unreleased_.has_value()) session_.ReleaseBatch(*std::exchange(unreleased_, std::nullopt));
}

void SessionWorld::Train() {
  Release();
  TrainOne();
}

void SessionWorld::TrainAndRefill() {
  Train();
  session_.Maintain();
  for (PeerWorker& worker : peers_) {
    const wire::LeaseGrant& grant = worker.leases.begin()->second;
    if (grant.first_update() + worker.sent.at(grant.shard()) <= trained_) SendNext(worker, grant.shard());
  }
}

void SessionWorld::Look(const AssembledBatch& batch) {
  EXPECT_EQ(batch.update, trained_) << "batches come in the order of updates";
  for (int block = 0; block < kShards; ++block) {
    const ColumnStream& column = batch.batch->streams[block * kShape.copies];
    const Identity identity{column.shard, column.lease_epoch, column.sequence};
    const std::string told = absl::StrCat("update ", batch.update, ", shard ", column.shard, ", epoch ",
                                          column.lease_epoch, ", sequence ", column.sequence);
    EXPECT_TRUE(trained_on_.emplace(identity, batch.update).second) << "trained on twice: " << told;
    const uint64_t version = batch.batch->policy_versions[block * kShape.copies];
    if (mode_ != ASYNCHRONOUS) {
      EXPECT_EQ(column.shard, block) << told;
      EXPECT_EQ(version, VersionFor(batch.update)) << told;
    }
    EXPECT_TRUE(HasContents(*batch.batch, block, ChunkOf(column.shard, column.lease_epoch, column.sequence, version)))
        << told;
    const auto [newest, is_first] = newest_.emplace(column.shard, identity);
    if (is_first) {
      EXPECT_EQ(column.sequence, 0) << told;
    } else {
      const auto [shard, epoch, sequence] = std::exchange(newest->second, identity);
      EXPECT_TRUE(column.lease_epoch == epoch ? column.sequence == sequence + 1
                                              : column.lease_epoch > epoch && column.sequence == 0)
          << told << " after epoch " << epoch << ", sequence " << sequence;
    }
  }
}

void SessionWorld::RequestEvaluation() {
  const absl::Status status = session_.RequestEvaluation(
      {.weights = Weights(0), .first_seed = 100, .episodes = 12}, [this](const auto& outcome) {
        EXPECT_TRUE(outcome.ok() ? outcome->episodes.size() == 12 : absl::IsCancelled(outcome.status()));
        told_ += 1;
      });
  EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
  requested_ += status.ok() ? 1 : 0;
}

void SessionWorld::EndCollection() {
  collection_ended_ = true;
  session_.EndCollection();
}

void SessionWorld::Drain(bool run_ended) {
  drained_ = true;
  session_.Drain("the test is over", run_ended, absl::ZeroDuration());
  session_.CloseStreams();
}

void SessionWorld::Maintain() { session_.Maintain(); }

void SessionWorld::LoseEverybody() {
  clock_ms_ += kLeaseMs;
  session_.Maintain();
}

}  // namespace troupe::testing
