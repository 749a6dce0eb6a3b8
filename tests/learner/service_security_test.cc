#include <fstream>

#include "common/security/client_credentials.h"
#include "learner/service/call_guard.h"
#include "learner/service/handshake_failures.h"
#include "proto/health.grpc.pb.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using testing::ServiceTest;

constexpr char kToken[] = "the-token-of-a-test";
constexpr char kLocalToken[] = "the-local-workers-own";

class CallGuardTest : public ServiceTest {
 protected:
  CallGuardTest() { std::ofstream(folder_ / "token") << kToken; }

  std::unique_ptr<CallGuard> Guard(bool tls, bool token, const std::string& local) {
    ServerSecurity security;
    if (tls) security.tls_certificate = "a certificate";
    if (token) security.token_file = folder_ / "token";
    return CallGuard::Create(security, local, &learner_metrics_).value();
  }
  static bool Lets(const CallGuard& guard, bool over_tls, const std::string& token) {
    return guard.CheckCall(over_tls, token.empty() ? "" : absl::StrCat("Bearer ", token)).ok();
  }

  const TemporaryFolder folder_;
  LearnerMetrics learner_metrics_{&metrics_};
};

TEST_F(CallGuardTest, EveryCombinationAsksForWhatItShould) {
  const auto open = Guard(false, false, "");
  EXPECT_TRUE(Lets(*open, false, ""));
  const auto token = Guard(false, true, "");
  EXPECT_TRUE(Lets(*token, false, kToken));
  EXPECT_FALSE(Lets(*token, false, ""));
  EXPECT_FALSE(Lets(*token, false, kLocalToken));
  const auto tls = Guard(true, false, kLocalToken);
  EXPECT_TRUE(Lets(*tls, true, "")) << "the handshake has checked it";
  EXPECT_TRUE(Lets(*tls, false, kLocalToken));
  EXPECT_FALSE(Lets(*tls, false, ""));
  const auto both = Guard(true, true, kLocalToken);
  EXPECT_TRUE(Lets(*both, true, kToken));
  EXPECT_FALSE(Lets(*both, true, ""));
  EXPECT_FALSE(Lets(*both, true, kLocalToken)) << "good on this machine only";
  EXPECT_FALSE(Lets(*both, false, kToken)) << "good over TLS only";
  EXPECT_TRUE(Lets(*both, false, kLocalToken));
  const auto no_locals = Guard(true, true, "");
  EXPECT_FALSE(Lets(*no_locals, false, ""));
  EXPECT_FALSE(no_locals->CheckCall(false, "Bearer ").ok());
}

TEST_F(CallGuardTest, ALearnersOwnWorkersAreKnownByTheirToken) {
  LearnerServerOptions options = Options({});
  options.local_token = kLocalToken;
  server_ = LearnerServerImpl::Start(options, &metrics_, nullptr).value();
  server_->Open("run", std::nullopt);
  const auto stub = wire::TrainingService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()), grpc::InsecureChannelCredentials()));
  const auto join = [&](const std::string& name, const std::string& token) {
    EnvironmentSpec spec = Spec();
    spec.name = name;
    grpc::ClientContext context, stream_context;
    if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    wire::RegisterResponse response;
    EXPECT_TRUE(stub->Register(&context, testing::FakeWorker::Registration(spec, "run", 1), &response).ok()) << name;
    const auto stream = stub->StreamTrajectories(&stream_context);
    wire::WorkerMessage hello;
    hello.mutable_hello()->set_worker_id(response.worker_id());
    stream->Write(hello);
    while (server_->workers().empty() || !server_->workers().back().connected) absl::SleepFor(absl::Milliseconds(1));
    const auto chosen = server_->WaitForEnvironment(absl::ZeroDuration());
    stream_context.TryCancel();
    stream->Finish();
    return chosen.ok() ? chosen->name : "none";
  };
  EXPECT_EQ(join("of_a_stranger", ""), "none");
  EXPECT_EQ(join("of_a_liar", "another token of as many letters"), "none");
  EXPECT_EQ(join("its_own", kLocalToken), "its_own");
}

TEST_F(CallGuardTest, RefusalsAreCountedByReason) {
  const auto guard = Guard(false, true, "");
  EXPECT_EQ(guard->CheckCall(false, "").code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(guard->CheckCall(false, "Basic eDp5").code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(guard->CheckCall(false, "Bearer another").code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Counter("troupe_rejected_requests_total", {{"reason", "unauthenticated"}}), 2);
  EXPECT_EQ(Counter("troupe_rejected_requests_total", {{"reason", "token"}}), 1);
}

TEST_F(CallGuardTest, HealthIsToldToWhoKnowsTheToken) {
  LearnerServerOptions options = Options({});
  options.security.token_file = folder_ / "token";
  auto server = LearnerServerImpl::Start(options, &metrics_, nullptr);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = absl::StrCat("127.0.0.1:", (*server)->port());
  for (const bool knows : {false, true}) {
    ClientSecurity security;
    if (knows) security.token_file = folder_ / "token";
    const auto health =
        grpc::health::v1::Health::NewStub(ClientCredentials::Load(security, address).value()->OpenChannel(address, {}));
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    EXPECT_EQ(health->Check(&context, {}, &response).ok(), knows);
  }
}

TEST(HandshakeFailures, AreToldApartByWhatGrpcSays) {
  const auto reason = [](const std::string& error) {
    return HandshakeFailureOf("Handshake failed with fatal error SSL_ERROR_SSL: error:0A000000:SSL routines::" + error)
        .value_or("none");
  };
  EXPECT_EQ(reason("wrong version number."), "tls_plaintext");
  EXPECT_EQ(reason("http request."), "tls_plaintext");
  EXPECT_EQ(reason("peer did not return a certificate."), "tls_no_certificate");
  EXPECT_EQ(reason("certificate verify failed."), "tls_certificate");
  EXPECT_EQ(reason("no shared cipher."), "tls_handshake");
  EXPECT_EQ(HandshakeFailureOf("Failed to bind to port"), std::nullopt);
}

}  // namespace
}  // namespace troupe
