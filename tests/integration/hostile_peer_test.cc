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
#include "tests/integration/secured_run.h"
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

  grpc::Status Register(const std::function<void(wire::RegisterRequest*)>& change = {}) {
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
    if (change) change(&registration);
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
  const auto learner = run.Learner(0, {"--metrics=127.0.0.1:0"});
  ASSERT_TRUE(learner->Prints("/metrics")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  const std::string metrics = learner->WordAfter("metrics      ");
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
  EXPECT_EQ(Rejected(metrics, "malformed_chunk"), attacks.size());
  EXPECT_THAT(ReadMetrics(metrics),
              HasSubstr(absl::StrCat("troupe_chunks_total{result=\"invalid\"} ", attacks.size())));
  Process worker("actor_worker", {absl::StrCat("--learner=", address)});
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << worker.output();
  EXPECT_EQ(run.RecordedUpdates().size(), 20);
}

TEST(HostilePeer, AnotherEnvironmentRunOrProtocolIsRefusedAtTheDoor) {
  SmallRun run("PIPELINED", 2);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  // A false one that comes first and says no more than that it is there.
  HostileWorker first(address);
  ASSERT_TRUE(first
                  .Register([](wire::RegisterRequest* request) {
                    request->mutable_environment_spec()->add_statistics("made_up");
                  })
                  .ok());
  Process worker("actor_worker", {absl::StrCat("--learner=", address)});
  ASSERT_TRUE(learner->Prints("environment grid_world")) << learner->output() << worker.output();
  const std::vector<std::pair<std::string, std::function<void(wire::RegisterRequest*)>>> others = {
      {"environment_spec: differs from the run's: environment_spec.statistics",
       [](auto* request) { request->mutable_environment_spec()->add_statistics("made_up"); }},
      {"run_id: came \"another\"", [](auto* request) { request->set_run_id("another"); }},
      {"protocol_version: came", [](auto* request) { request->set_protocol_version(kProtocolVersion + 1); }},
  };
  for (const auto& [named, change] : others) {
    const grpc::Status status = HostileWorker(address).Register(change);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(status.error_message(), HasSubstr(named));
  }
  EXPECT_EQ(learner->Wait(), 0) << "the honest worker trains on: " << learner->output() << worker.output();
}

// A run that goes on is not asked for its environment by whoever comes first.
TEST(HostilePeer, AFalseFirstRegistrantDoesNotKeepARunFromGoingOn) {
  SmallRun run("PIPELINED", 40);
  {
    const auto learner = run.Learner(1);
    ASSERT_TRUE(run.Reaches(3)) << learner->output();
    learner->Signal(SIGTERM);
    EXPECT_EQ(learner->Wait(), 0) << learner->output();
  }
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  const grpc::Status status = HostileWorker(address).Register(
      [](wire::RegisterRequest* request) { request->mutable_environment_spec()->add_statistics("made_up"); });
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
  Process worker("actor_worker", {absl::StrCat("--learner=", address)});
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << worker.output();
  EXPECT_EQ(run.RecordedUpdates().size(), 40);
}

// A few hundred bytes that ask for more memory than there is, or more time than somebody who stops the learner has.
TEST(HostilePeer, AnEnvironmentTooLargeForTheMachineIsRefusedInAnInstant) {
  SmallRun run("PIPELINED", 2);
  const auto learner = run.Learner(0);
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const std::string address = learner->WordAfter("they connect to ");
  const std::vector<std::function<void(wire::EnvironmentSpec*)>> sizes = {
      [](auto* spec) { spec->mutable_groups(0)->set_observation_size(1'000'000); },
      [](auto* spec) { spec->set_state_extras_size(1'000'000); },
      [](auto* spec) {
        spec->mutable_groups(0)->set_observation_size(1000);
        for (int i = 0; i < 50'000; ++i) spec->mutable_groups(0)->add_agents(absl::StrCat("more ", i));
      },
  };
  for (const auto& change : sizes) {
    const absl::Time begun = absl::Now();
    const grpc::Status status = HostileWorker(address).Register([&change](wire::RegisterRequest* request) {
      wire::EnvironmentSpec* const spec = request->mutable_environment_spec();
      // Without descriptions, which would have to be as many.
      spec->mutable_groups(0)->clear_observed();
      spec->mutable_groups(0)->clear_actions();
      spec->clear_observed_extras();
      change(spec);
    });
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("expected at most"));
    EXPECT_LT(absl::Now() - begun, absl::Seconds(10));
  }
  EXPECT_EQ(learner->output().find("environment grid_world"), std::string::npos);
  learner->Signal(SIGTERM);
  EXPECT_EQ(learner->Wait(absl::Seconds(20)), 0) << learner->output();
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
