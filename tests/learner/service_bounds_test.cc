// What is looked at before anything of a message is unpacked: who sends it, its length, what it would grow to.
#include <fstream>

#include "common/security/credential_files.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/generic/generic_stub.h"
#include "proto/health.grpc.pb.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using testing::FakeWorker;
using ::testing::HasSubstr;
using testing::kRunId;
using testing::ServiceTest;

constexpr char kToken[] = "the-token-of-a-test";

class BoundsTest : public ServiceTest {
 protected:
  // A learner that asks for a token, and every method of every service it has.
  void StartWithToken() {
    std::ofstream(folder_ / "token") << kToken;
    LearnerServerOptions options = Options({});
    options.security.token_file = folder_ / "token";
    server_ = LearnerServerImpl::Start(options, &metrics_, nullptr).value();
    server_->Open(kRunId, std::nullopt);
    channel_ = grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()), grpc::InsecureChannelCredentials());
  }
  static std::vector<const google::protobuf::MethodDescriptor*> Methods() {
    std::vector<const google::protobuf::MethodDescriptor*> methods;
    for (const char* name :
         {wire::TrainingService::service_full_name(), grpc::health::v1::Health::service_full_name()}) {
      const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
      for (int i = 0; i < service->method_count(); ++i) methods.push_back(service->method(i));
    }
    return methods;
  }
  // How a call with these bytes for a request ends, whatever kind of call it is.
  grpc::Status Call(const google::protobuf::MethodDescriptor& method, const std::string& bytes, bool token) {
    grpc::ClientContext context;
    if (token) context.AddMetadata("authorization", absl::StrCat("Bearer ", kToken));
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(channel_);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareCall(
        &context, absl::StrCat("/", std::string(method.service()->full_name()), "/", std::string(method.name())),
        &queue);
    const auto wait = [&queue] {
      void* tag;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    call->StartCall(nullptr);
    wait();
    const grpc::Slice slice(bytes);
    call->WriteLast({&slice, 1}, {}, nullptr);
    wait();
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    wait();
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    return status;
  }

  double Rejected(const std::string& reason) { return Counter("troupe_rejected_requests_total", {{"reason", reason}}); }

  const TemporaryFolder folder_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(BoundsTest, EveryCallLooksAtItsCallerBeforeItLooksAtWhatCame) {
  StartWithToken();
  const auto methods = Methods();
  EXPECT_GE(methods.size(), 8);
  // Bytes that are no message of any kind: to say so they would have to be looked at.
  for (const auto* method : methods) {
    const grpc::Status status = Call(*method, std::string(1000, '\xff'), /*token=*/false);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << method->full_name() << status.error_message();
  }
  EXPECT_EQ(Rejected("unauthenticated"), methods.size());
  for (const auto* method : methods) {
    EXPECT_EQ(Call(*method, std::string(1000, '\xff'), /*token=*/true).error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << method->full_name();
  }
}

TEST_F(BoundsTest, EveryCallLooksAtTheLengthBeforeItUnpacks) {
  StartWithToken();
  for (const auto* method : Methods()) {
    const size_t most = method->name() == "Register" ? kMaxControlBytes : 1024;
    const std::string bytes(most + 1, '\xff');
    const grpc::Status status = Call(*method, bytes, /*token=*/true);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method->full_name();
    EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat("came ", most + 1, " bytes, expected at most ", most)))
        << method->full_name();
  }
  EXPECT_EQ(Rejected("message_size"), Methods().size());
}

TEST_F(BoundsTest, AStreamTakesAsMuchAsIsKnownOfIt) {
  StartServer({.begin = false});
  const auto ends = [this](FakeWorker& worker, size_t bytes) {
    wire::WorkerMessage message;
    message.mutable_evaluation_result()->set_error(std::string(bytes, 'x'));
    worker.Send(message);
    return worker.Finish().error_message();
  };
  FakeWorker stranger(server_->port());
  stranger.OpenStream(/*hello=*/false);
  EXPECT_THAT(ends(stranger, kMaxNamelessBytes), HasSubstr("expected at most 1024"));
  const auto named = Join();
  EXPECT_THAT(ends(*named, kMaxControlBytes), HasSubstr("expected at most 1048576"));
  EXPECT_EQ(Rejected("message_size"), 2);
  while (server_->workers()[0].connected) absl::SleepFor(absl::Milliseconds(1));  // it gets no leases any more
  ASSERT_TRUE(server_->Begin(Spec(), {}, Weights(0), {}).ok());
  const auto busy = Join();
  const auto grants = busy->ReadGrants(1);
  ASSERT_EQ(grants.size(), 1);
  wire::Chunk chunk = Chunk({grants[0].shard(), grants[0].lease_epoch(), 0, 0});
  for (int i = 0; i < 20; ++i) chunk.add_episodes();
  ASSERT_TRUE(busy->SendChunk(chunk));
  EXPECT_THAT(busy->Finish().error_message(), HasSubstr("chunk.episodes: came more than 12"));
  EXPECT_EQ(Rejected("malformed_chunk"), 1);
}

TEST_F(BoundsTest, WhatWouldGrowIsRefusedUnread) {
  StartServer({.begin = false});
  FakeWorker stranger(server_->port());
  wire::RegisterRequest request = FakeWorker::Registration(Spec(), kRunId, 1);
  for (int i = 0; i < 400'000; ++i) request.mutable_environment_spec()->add_groups();
  ASSERT_LT(request.ByteSizeLong(), kMaxControlBytes);
  const grpc::Status status = stranger.Register(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("unpacked, expected at most 16777216"));
}

// What cannot be had, memory for instance, costs the call that asked for it.
TEST_F(BoundsTest, WhatIsThrownEndsItsCallAlone) {
  LearnerServerOptions options = Options({});
  std::atomic<bool> throws = true;
  options.log = [&throws](const std::string&) {
    if (throws) throw std::bad_alloc();
  };
  server_ = LearnerServerImpl::Start(options, &metrics_, nullptr).value();
  server_->Open(kRunId, std::nullopt);
  ASSERT_TRUE(server_->Begin(Spec(), {}, Weights(0), {}).ok());
  FakeWorker unlucky(server_->port());
  const grpc::Status status = unlucky.Register(FakeWorker::Registration(Spec(), kRunId, 1));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("no memory"));
  throws = false;
  const auto worker = Join();
  const auto grants = worker->ReadGrants(1);
  ASSERT_EQ(grants.size(), 1);
  throws = true;
  wire::WorkerMessage failure;
  failure.mutable_lease_failure()->set_shard(grants[0].shard());
  failure.mutable_lease_failure()->set_lease_epoch(grants[0].lease_epoch());
  ASSERT_TRUE(worker->Send(failure));
  EXPECT_EQ(worker->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  throws = false;
  EXPECT_EQ(Join()->ReadGrants(1).size(), 1) << "the learner goes on";
}

}  // namespace
}  // namespace troupe
