// Peers that send what no worker of ours would. The learner answers with a Status or hangs up, counts it, and trains
// on.
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "common/wire/chunk_layout.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/training_service.grpc.pb.h"
#include "tests/integration/run_processes.h"
#include "tests/support/loopback.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<wire::TrainingService::Stub> StubAt(const std::string& address) {
  return wire::TrainingService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

// Registers as a worker does.
class HostileWorker {
 public:
  explicit HostileWorker(const std::string& address) : stub_(StubAt(address)) {}

  grpc::Status Register() {
    grpc::ClientContext context;
    wire::DescribeRunRequest request;
    request.set_protocol_version(kProtocolVersion);
    wire::DescribeRunResponse run;
    if (grpc::Status status = stub_->DescribeRun(&context, request, &run); !status.ok()) return status;
    wire::RegisterRequest registration;
    registration.set_protocol_version(kProtocolVersion);
    registration.set_run_id(run.run_id());
    registration.set_host("hostile");
    registration.set_max_shards(4);
    const auto& settings = run.experiment().environment().settings();
    const auto environment = (*FindEnvironment("grid_world"))->create({settings.begin(), settings.end()}).value();
    spec_ = environment->spec();
    EncodeEnvironmentSpec(spec_, registration.mutable_environment_spec());
    grpc::ClientContext register_context;
    wire::RegisterResponse response;
    const grpc::Status status = stub_->Register(&register_context, registration, &response);
    worker_id_ = response.worker_id();
    return status;
  }

  // Says hello, waits for a lease, sends one chunk for it, right but for `corrupt`, and returns how the stream ended.
  grpc::Status SendChunk(const std::function<void(wire::Chunk*)>& corrupt) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    const auto stream = stub_->StreamTrajectories(&context);
    wire::WorkerMessage message;
    message.mutable_hello()->set_worker_id(worker_id_);
    stream->Write(message);
    for (wire::LearnerMessage answer; stream->Read(&answer);) {
      if (!answer.has_lease_grant()) continue;
      wire::WorkerMessage bad;
      MutableChunkView view = AllocateChunk(spec_, {16, 4}, bad.mutable_chunk());
      AllocateTruncated(spec_, {16, 4}, 0, bad.mutable_chunk(), &view);
      bad.mutable_chunk()->set_shard(answer.lease_grant().shard());
      bad.mutable_chunk()->set_lease_epoch(answer.lease_grant().lease_epoch());
      corrupt(bad.mutable_chunk());
      stream->Write(bad);
      break;
    }
    for (wire::LearnerMessage answer; stream->Read(&answer);) {
    }
    return stream->Finish();
  }

 private:
  const std::unique_ptr<wire::TrainingService::Stub> stub_;
  std::string worker_id_;
  EnvironmentSpec spec_;
};

// Sends bytes that are no HTTP/2 and hangs up.
void SendNoise(const std::string& address, const std::string& noise) {
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  const int connection = Connect(port);
  send(connection, noise.data(), noise.size(), MSG_NOSIGNAL);
  close(connection);
}

TEST(HostilePeer, IsAnsweredCountedAndTheRunFinishesWithHonestWorkers) {
  SmallRun run("PIPELINED", 20);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  SendNoise(address, std::string(10000, '\x7f'));
  SendNoise(address, "GET / HTTP/1.1\r\n\r\n");

  using Corruption = std::function<void(wire::Chunk*)>;
  const std::vector<std::pair<std::string, Corruption>> attacks = {
      {"groups", [](wire::Chunk* chunk) { chunk->clear_groups(); }},
      {"groups[0].observations",
       [](wire::Chunk* chunk) { chunk->mutable_groups(0)->mutable_observations()->set_shape(0, 0xffffffff); }},
      {"groups[0].rewards",
       [](wire::Chunk* chunk) { chunk->mutable_groups(0)->mutable_rewards()->mutable_data()->assign(4, '\xff'); }},
      {"truncated_at", [](wire::Chunk* chunk) { chunk->mutable_truncated_at()->clear_shape(); }},
      {"chunk: came", [](wire::Chunk* chunk) { chunk->mutable_terminated()->set_data(std::string(3 << 20, '\1')); }},
  };
  for (const auto& [named, corrupt] : attacks) {
    HostileWorker hostile(address);
    const grpc::Status registered = hostile.Register();
    ASSERT_TRUE(registered.ok()) << registered.error_message();
    const grpc::Status status = hostile.SendChunk(corrupt);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(named));
  }
  Process worker("actor_worker", {absl::StrCat("--learner=", address)});
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << worker.output();
  EXPECT_EQ(run.RecordedUpdates().size(), 20);
}

TEST(HostilePeer, AnotherEnvironmentOrRunIsRefusedAtTheDoor) {
  SmallRun run("PIPELINED", 2);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const auto stub = StubAt(learner->WordAfter("they connect to "));
  wire::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_run_id("another");
  request.set_max_shards(1);
  wire::RegisterResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub->Register(&context, request, &response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  request.set_protocol_version(kProtocolVersion + 1);
  grpc::ClientContext second;
  EXPECT_EQ(stub->Register(&second, request, &response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST(HostilePeer, ACompressedMessageIsRefusedBeforeItGrows) {
  SmallRun run("PIPELINED", 2);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const auto stub = StubAt(learner->WordAfter("they connect to "));
  wire::RegisterRequest request;
  request.set_protocol_version(kProtocolVersion);
  request.set_host(std::string(64 << 20, 'x'));
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    wire::RegisterResponse response;
    const grpc::Status status = stub->Register(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
  }
}

}  // namespace
}  // namespace troupe::testing
