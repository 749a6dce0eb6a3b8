#include "tests/actor_worker/fake_learner.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace troupe {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

}  // namespace

FakeLearner::FakeLearner(const Experiment& experiment, int port) {
  description_.set_run_id("run-1");
  *description_.mutable_experiment() = experiment;
  grpc::ServerBuilder builder;
  // What a stream takes ahead of its reader stays the same, however fast the loopback is.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(64 << 20);
  server_ = builder.BuildAndStart();
}

FakeLearner::~FakeLearner() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
  }
  CutStreams();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  server_->Wait();
}

std::string FakeLearner::address() const { return absl::StrCat("127.0.0.1:", port_); }

grpc::Status FakeLearner::DescribeRun(grpc::ServerContext*, const wire::DescribeRunRequest* request,
                                      wire::DescribeRunResponse* response) {
  if (request->protocol_version() != kProtocolVersion)
    return {grpc::StatusCode::FAILED_PRECONDITION, "protocol_version"};
  absl::MutexLock lock(&mutex_);
  *response = description_;
  return describe_status;
}

grpc::Status FakeLearner::Register(grpc::ServerContext*, const wire::RegisterRequest* request,
                                   wire::RegisterResponse* response) {
  absl::MutexLock lock(&mutex_);
  if (!register_status.ok()) return register_status;
  if (request->run_id() != description_.run_id()) return {grpc::StatusCode::FAILED_PRECONDITION, "run_id"};
  last_registration_ = *request;
  response->set_worker_id(absl::StrCat("worker-", ++registrations_));
  workers_.insert(response->worker_id());
  return grpc::Status::OK;
}

grpc::Status FakeLearner::Leave(grpc::ServerContext*, const wire::LeaveRequest* request, wire::LeaveResponse*) {
  absl::MutexLock lock(&mutex_);
  left_.push_back(request->worker_id());
  return leave_status;
}

grpc::Status FakeLearner::StillHere(grpc::ServerContext*, const wire::StillHereRequest* request,
                                    wire::StillHereResponse*) {
  absl::MutexLock lock(&mutex_);
  still_here_ += workers_.count(request->worker_id()) > 0 ? 1 : 0;
  return {grpc::StatusCode::UNIMPLEMENTED, ""};
}

bool FakeLearner::AwaitStillHere(int count) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return still_here_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), kPatience);
}

grpc::Status FakeLearner::StreamTrajectories(grpc::ServerContext* context, Stream* stream) {
  wire::WorkerMessage message;
  if (!stream->Read(&message) || !message.has_hello()) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "message: expected hello first"};
  }
  const std::string worker_id = message.hello().worker_id();
  {
    absl::MutexLock lock(&mutex_);
    if (workers_.count(worker_id) == 0) return {grpc::StatusCode::NOT_FOUND, "worker_id"};
    messages_.push_back(message);
    stream_ = stream;
    calls_.insert(context);
    ++streams_;
  }
  if (on_hello) on_hello(worker_id);
  grpc::Status status;
  while (status.ok() && stream->Read(&message)) {
    {
      absl::MutexLock lock(&mutex_);
      messages_.push_back(message);
    }
    if (message.has_chunk() && on_chunk) status = on_chunk(message.chunk());
  }
  absl::MutexLock lock(&mutex_);
  calls_.erase(context);
  if (stream_ == stream) stream_ = nullptr;
  return status;
}

grpc::Status FakeLearner::SubscribeWeights(grpc::ServerContext* context, const wire::SubscribeWeightsRequest* request,
                                           grpc::ServerWriter<wire::Weights>* writer) {
  size_t sent = 0;
  int cuts = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (workers_.count(request->worker_id()) == 0) return {grpc::StatusCode::NOT_FOUND, "worker_id"};
    cuts = cuts_;
    sent = weights_.size() - std::min<size_t>(weights_.size(), 2);
  }
  while (!context->IsCancelled()) {
    wire::Weights message;
    {
      absl::MutexLock lock(&mutex_);
      auto something = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return cuts_ != cuts || ending_ || weights_.size() > sent;
      };
      mutex_.AwaitWithTimeout(absl::Condition(&something), absl::Milliseconds(50));
      if (cuts_ != cuts || ending_) return {grpc::StatusCode::UNAVAILABLE, "cut"};
      if (weights_.size() <= sent) continue;
      EncodeWeights(*weights_[sent++], &message);
    }
    if (!writer->Write(message)) break;
  }
  return grpc::Status::CANCELLED;
}

bool FakeLearner::Send(const wire::LearnerMessage& message) {
  absl::MutexLock lock(&mutex_);
  return stream_ != nullptr && stream_->Write(message);
}

bool FakeLearner::Grant(uint32_t shard, uint32_t epoch, uint64_t first_update, uint64_t oldest_version) {
  wire::LearnerMessage message;
  message.mutable_lease_grant()->set_shard(shard);
  message.mutable_lease_grant()->set_lease_epoch(epoch);
  message.mutable_lease_grant()->set_first_update(first_update);
  message.mutable_lease_grant()->set_oldest_version(oldest_version);
  return Send(message);
}

bool FakeLearner::Acknowledge(const wire::Chunk& chunk, wire::ChunkResult result) {
  wire::LearnerMessage message;
  message.mutable_acknowledgement()->set_shard(chunk.shard());
  message.mutable_acknowledgement()->set_lease_epoch(chunk.lease_epoch());
  message.mutable_acknowledgement()->set_sequence(chunk.sequence());
  message.mutable_acknowledgement()->set_result(result);
  return Send(message);
}

bool FakeLearner::Drain() {
  wire::LearnerMessage message;
  message.mutable_drain()->set_reason("the test is over");
  return Send(message);
}

void FakeLearner::Publish(std::shared_ptr<const PolicySnapshot> weights) {
  absl::MutexLock lock(&mutex_);
  weights_.push_back(std::move(weights));
}

void FakeLearner::CutStreams() {
  absl::MutexLock lock(&mutex_);
  ++cuts_;
  for (grpc::ServerContext* call : calls_) call->TryCancel();
}

void FakeLearner::ForgetWorkers() {
  absl::MutexLock lock(&mutex_);
  workers_.clear();
  weights_.clear();
}

void FakeLearner::EndRun() {
  absl::MutexLock lock(&mutex_);
  description_.mutable_drain()->set_reason("the run has ended");
}

void FakeLearner::BeginRun(const std::string& run_id) {
  absl::MutexLock lock(&mutex_);
  description_.set_run_id(run_id);
  workers_.clear();
}

std::vector<wire::WorkerMessage> FakeLearner::messages() const {
  absl::MutexLock lock(&mutex_);
  return messages_;
}

std::vector<wire::Chunk> FakeLearner::chunks() const {
  std::vector<wire::Chunk> chunks;
  for (const wire::WorkerMessage& message : messages()) {
    if (message.has_chunk()) chunks.push_back(message.chunk());
  }
  return chunks;
}

bool FakeLearner::Await(const std::function<bool(const std::vector<wire::WorkerMessage>&)>& reached) {
  absl::MutexLock lock(&mutex_);
  auto holds = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return reached(messages_); };
  return mutex_.AwaitWithTimeout(absl::Condition(&holds), kPatience);
}

bool FakeLearner::AwaitChunks(size_t count) {
  return Await([count](const std::vector<wire::WorkerMessage>& messages) {
    size_t found = 0;
    for (const wire::WorkerMessage& message : messages) found += message.has_chunk();
    return found >= count;
  });
}

bool FakeLearner::AwaitStreams(int count) {
  return Await([this, count](const std::vector<wire::WorkerMessage>&)
                   ABSL_NO_THREAD_SAFETY_ANALYSIS { return streams_ >= count; });
}

int FakeLearner::num_registrations() const {
  absl::MutexLock lock(&mutex_);
  return registrations_;
}

int FakeLearner::num_streams() const {
  absl::MutexLock lock(&mutex_);
  return streams_;
}

std::vector<std::string> FakeLearner::left() const {
  absl::MutexLock lock(&mutex_);
  return left_;
}

wire::RegisterRequest FakeLearner::last_registration() const {
  absl::MutexLock lock(&mutex_);
  return last_registration_;
}

}  // namespace troupe
