// The worker's side of the conversation, written out by hand: registers, opens streams, sends what a test tells it to
// and keeps what it is told.
#ifndef TROUPE_TESTS_SUPPORT_FAKE_WORKER_H_
#define TROUPE_TESTS_SUPPORT_FAKE_WORKER_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/bounded_queue.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "grpcpp/create_channel.h"
#include "proto/training_service.grpc.pb.h"
#include "tests/support/chunk_maker.h"

namespace troupe::testing {

// How long a test waits for what must come; only a failing test waits that long.
inline constexpr absl::Duration kPatience = absl::Seconds(20);

class FakeWorker {
 public:
  explicit FakeWorker(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    stub_ = wire::TrainingService::NewStub(
        grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(), arguments));
  }
  ~FakeWorker() {
    if (stream_ != nullptr) Break();
  }

  static wire::RegisterRequest Registration(const EnvironmentSpec& spec, const std::string& run_id,
                                            uint32_t max_shards) {
    wire::RegisterRequest request;
    request.set_protocol_version(kProtocolVersion);
    request.set_run_id(run_id);
    request.set_host("testhost");
    request.set_max_shards(max_shards);
    EncodeEnvironmentSpec(spec, request.mutable_environment_spec());
    return request;
  }

  grpc::Status DescribeRun(wire::DescribeRunResponse* response, uint32_t protocol_version = kProtocolVersion) {
    grpc::ClientContext context;
    wire::DescribeRunRequest request;
    request.set_protocol_version(protocol_version);
    return stub_->DescribeRun(&context, request, response);
  }

  grpc::Status Register(const wire::RegisterRequest& request) {
    grpc::ClientContext context;
    wire::RegisterResponse response;
    const grpc::Status status = stub_->Register(&context, request, &response);
    if (status.ok()) worker_id_ = response.worker_id();
    return status;
  }

  void OpenStream(bool hello = true) {
    context_ = std::make_unique<grpc::ClientContext>();
    inbox_ = std::make_unique<BoundedQueue<wire::LearnerMessage>>(4096);
    stream_ = stub_->StreamTrajectories(context_.get());
    reader_ = std::thread([stream = stream_.get(), inbox = inbox_.get()] {
      wire::LearnerMessage message;
      while (stream->Read(&message)) inbox->Push(message);
      inbox->Close();
    });
    if (!hello) return;
    wire::WorkerMessage message;
    message.mutable_hello()->set_worker_id(worker_id_);
    stream_->Write(message);
  }

  bool Send(const wire::WorkerMessage& message) { return stream_->Write(message); }
  bool SendChunk(const wire::Chunk& chunk) {
    wire::WorkerMessage message;
    *message.mutable_chunk() = chunk;
    return Send(message);
  }

  // The next message, or nothing when the stream has ended.
  std::optional<wire::LearnerMessage> Read(absl::Duration timeout = kPatience) { return inbox_->Pop(timeout); }
  std::vector<wire::LeaseGrant> ReadGrants(int count) {
    std::vector<wire::LeaseGrant> grants;
    while (static_cast<int>(grants.size()) < count) {
      const auto message = Read();
      if (!message.has_value()) break;
      if (message->has_lease_grant()) grants.push_back(message->lease_grant());
    }
    return grants;
  }
  // The next acknowledgement; other messages before it are passed over.
  std::optional<wire::Acknowledgement> ReadAcknowledgement() {
    while (const auto message = Read()) {
      if (message->has_acknowledgement()) return message->acknowledgement();
    }
    return std::nullopt;
  }
  size_t unread() const { return inbox_->size(); }

  // Half-closes and waits for the learner's answer.
  grpc::Status Leave() {
    stream_->WritesDone();
    return Finish();
  }
  // As a killed process or a cut cable would.
  void Break() {
    context_->TryCancel();
    Finish();
  }
  grpc::Status Finish() {
    reader_.join();
    const grpc::Status status = stream_->Finish();
    stream_ = nullptr;
    return status;
  }

  wire::TrainingService::Stub& stub() { return *stub_; }
  const std::string& worker_id() const { return worker_id_; }

 private:
  std::unique_ptr<wire::TrainingService::Stub> stub_;
  std::string worker_id_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<BoundedQueue<wire::LearnerMessage>> inbox_;
  std::unique_ptr<grpc::ClientReaderWriter<wire::WorkerMessage, wire::LearnerMessage>> stream_;
  std::thread reader_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_SUPPORT_FAKE_WORKER_H_
