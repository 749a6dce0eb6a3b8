// A learner on a Unix socket behind deploy/gateway: who gets in, what a killed or renewed gateway costs.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/threads/named_thread.h"
#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "proto/training_service.grpc.pb.h"
#include "tests/integration/gateway_process.h"
#include "tests/integration/secured_run.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!GatewayProcess::Installed()) GTEST_SKIP() << "no nginx with its stream module (deploy/setup.sh --tests)";
  }

  std::vector<std::string> Mutual() const { return Joined(own_.LearnerTls(), {own_.LearnerClientCa()}); }
  std::vector<std::string> Known() const { return Joined(own_.WorkerTls(), own_.WorkerIdentity()); }
  std::unique_ptr<Process> Worker(const std::string& address, const std::vector<std::string>& flags) const {
    return std::make_unique<Process>("actor_worker", Joined({absl::StrCat("--learner=", address)}, flags));
  }

  // The weights' hash after so many updates, trained with one worker, which connects to the learner itself.
  static std::string PlainWeights(int updates) {
    SmallRun run("PIPELINED", updates);
    const auto learner = run.Learner(0);
    EXPECT_TRUE(learner->Prints("they connect to ")) << learner->output();
    Process worker("actor_worker", {absl::StrCat("--learner=", learner->WordAfter("they connect to "))});
    EXPECT_EQ(learner->Wait(), 0) << learner->output();
    return learner->WordAfter("weights sha256 ");
  }

  const Credentials own_;
  const TemporaryFolder sockets_;
  const std::string learner_address_ = absl::StrCat("unix:", sockets_ / "learner.sock");
};

TEST_F(GatewayTest, TrainsTheSameWeightsByCertificatesAndByToken) {
  const std::string plain = PlainWeights(12);
  ASSERT_EQ(plain.size(), 64);
  struct Kind {
    std::vector<std::string> learner, gateway, worker;
  };
  const std::vector<Kind> kinds = {
      {{}, Mutual(), Known()},
      {{own_.TokenFlag()}, Joined(own_.LearnerTls(), {own_.TokenFlag()}), Joined(own_.WorkerTls(), {own_.TokenFlag()})},
      {{own_.TokenFlag()}, Mutual(), Joined(Known(), {own_.TokenFlag()})},
  };
  for (const Kind& kind : kinds) {
    SmallRun run("PIPELINED", 12);
    const auto learner = run.Learner(0, Joined({absl::StrCat("--listen=", learner_address_)}, kind.learner));
    ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
    const GatewayProcess gateway(learner_address_, kind.gateway);
    const auto worker = Worker(gateway.address(), kind.worker);
    EXPECT_EQ(learner->Wait(), 0) << learner->output() << worker->output() << gateway.output();
    EXPECT_EQ(worker->Wait(absl::Seconds(30)), 0) << worker->output();
    EXPECT_EQ(learner->WordAfter("weights sha256 "), plain);
  }
}

TEST_F(GatewayTest, StrangersAreRefusedBeforeTheLearnerHearsOfThem) {
  const Credentials foreign("a-token-of-somebody-else");
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", learner_address_), own_.TokenFlag()});
  ASSERT_TRUE(learner->Prints("/metrics")) << learner->output();
  const std::string metrics = absl::StrCat("http://", learner->WordAfter("http://"));
  const GatewayProcess gateway(learner_address_, Joined(Mutual(), {own_.TokenFlag()}));
  const auto ask = [&](const ClientSecurity& security) { return AskOnce(gateway.address(), security).error_code(); };
  EXPECT_TRUE(Eventually([&] { return ask(own_.Client()) == grpc::StatusCode::OK; })) << gateway.output();

  ClientSecurity stranger = own_.Client();
  stranger.tls_certificate = stranger.tls_key = "";
  EXPECT_EQ(ask(stranger), grpc::StatusCode::UNAVAILABLE) << "no certificate";
  stranger.tls_certificate = foreign.folder / "worker.pem";
  stranger.tls_key = foreign.folder / "worker.key";
  EXPECT_EQ(ask(stranger), grpc::StatusCode::UNAVAILABLE) << "a certificate of another authority";
  EXPECT_EQ(ask({}), grpc::StatusCode::UNAVAILABLE) << "plain text";
  stranger = own_.Client();
  stranger.token_file = foreign.folder / "token";
  EXPECT_EQ(ask(stranger), grpc::StatusCode::UNAUTHENTICATED) << "another token";
  stranger.token_file = "";
  const grpc::Status refused = AskOnce(gateway.address(), stranger);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAUTHENTICATED) << "no token";
  EXPECT_THAT(refused.error_message(), HasSubstr("--token_file"));
  for (const char* reason : {"token", "unauthenticated", "tls_no_certificate", "tls_certificate", "tls_plaintext"}) {
    EXPECT_EQ(Rejected(metrics, reason), 0) << reason;
  }
  EXPECT_EQ(ask(own_.Client()), grpc::StatusCode::OK);
}

TEST_F(GatewayTest, SaysInGrpcsWordsWhatItDoesNotHandOn) {
  const GatewayProcess gateway(learner_address_, Mutual());
  EXPECT_TRUE(Eventually([&] {
    const grpc::Status status = AskOnce(gateway.address(), own_.Client());
    return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
           status.error_message() == "the learner does not answer its gateway";
  })) << gateway.output();
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", learner_address_)});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const auto channel =
      ClientCredentials::Load(own_.Client(), gateway.address()).value()->OpenChannel(gateway.address(), {});
  grpc::ClientContext context;
  wire::RegisterRequest large;
  large.set_build(std::string(size_t{2} << 20, 'x'));
  wire::RegisterResponse response;
  const grpc::Status too_large = wire::TrainingService::NewStub(channel)->Register(&context, large, &response);
  EXPECT_EQ(too_large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << too_large.error_message();
}

TEST_F(GatewayTest, AKilledGatewayCostsSecondsAndNoWeights) {
  constexpr int kUpdates = 300;
  const std::string plain = PlainWeights(kUpdates);
  SmallRun run("PIPELINED", kUpdates);
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", learner_address_)});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  auto gateway = std::make_unique<GatewayProcess>(learner_address_, Mutual());
  const std::string address = gateway->address();
  const auto worker = Worker(address, Known());
  for (const size_t updates : {20, 60}) {
    ASSERT_TRUE(run.Reaches(updates)) << learner->output() << worker->output() << gateway->output();
    gateway->Kill();
    gateway = std::make_unique<GatewayProcess>(learner_address_, Mutual(), address);
    const size_t reached = run.RecordedUpdates().size();
    const absl::Time back = absl::Now();
    ASSERT_TRUE(run.Reaches(reached + 5)) << learner->output() << worker->output() << gateway->output();
    EXPECT_LT(absl::Now() - back, absl::Seconds(15));
  }
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << worker->output();
  EXPECT_EQ(learner->WordAfter("weights sha256 "), plain);
}

TEST_F(GatewayTest, RenewedCertificatesAreTakenWhileItTrains) {
  const Credentials old, renewed;
  own_.ReplaceBy(old);
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", learner_address_)});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const GatewayProcess gateway(learner_address_, Mutual());
  const auto worker = Worker(gateway.address(), Known());
  ASSERT_TRUE(run.Reaches(5)) << learner->output() << worker->output() << gateway.output();
  EXPECT_TRUE(AskOnce(gateway.address(), old.Client()).ok());
  EXPECT_FALSE(AskOnce(gateway.address(), renewed.Client()).ok());
  ASSERT_TRUE(worker->Prints(" at localhost:")) << "registered: " << worker->output();
  const size_t said = worker->output().size();
  own_.ReplaceBy(renewed);
  EXPECT_TRUE(Eventually([&] { return AskOnce(gateway.address(), renewed.Client()).ok(); })) << gateway.output();
  EXPECT_FALSE(AskOnce(gateway.address(), old.Client()).ok());
  EXPECT_TRUE(run.Reaches(run.RecordedUpdates().size() + 20)) << learner->output() << worker->output();
  worker->Signal(SIGTERM);
  EXPECT_EQ(worker->Wait(absl::Seconds(30)), 0) << worker->output();
  EXPECT_THAT(worker->output().substr(said), ::testing::Not(HasSubstr("trying again"))) << "its connection stands";
}

TEST_F(GatewayTest, FilesThatDoNotFitEachOtherChangeNothing) {
  const Credentials other;
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", learner_address_)});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  GatewayProcess gateway(learner_address_, Mutual());
  EXPECT_TRUE(Eventually([&] { return AskOnce(gateway.address(), own_.Client()).ok(); })) << gateway.output();
  std::filesystem::copy_file(other.folder / "learner.key", own_.folder / "other.key");
  std::filesystem::rename(own_.folder / "other.key", own_.folder / "learner.key");
  EXPECT_TRUE(gateway.Prints("does not fit")) << gateway.output();
  EXPECT_TRUE(AskOnce(gateway.address(), own_.Client()).ok());
}

TEST_F(GatewayTest, OneSourceHoldsSoManyConnectionsAtMost) {
  SmallRun run("PIPELINED", 100000);
  const auto learner = run.Learner(0, {absl::StrCat("--listen=", learner_address_)});
  ASSERT_TRUE(learner->Prints("they connect to ")) << learner->output();
  const GatewayProcess gateway(learner_address_, Joined(Mutual(), {"--connections_per_source=3"}));
  EXPECT_TRUE(Eventually([&] { return AskOnce(gateway.address(), own_.Client()).ok(); })) << gateway.output();
  std::vector<int> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(Connect(gateway.port()));
  EXPECT_TRUE(Eventually([&] { return !AskOnce(gateway.address(), own_.Client()).ok(); })) << "a fourth got in";
  for (const int connection : silent) close(connection);
  EXPECT_TRUE(Eventually([&] { return AskOnce(gateway.address(), own_.Client()).ok(); })) << gateway.output();
}

// Takes trajectories and reads none of them, as a learner does during an update; has many weights for who asks.
class BusyLearner final : public wire::TrainingService::Service {
 public:
  static constexpr int kVersions = 100;
  static constexpr size_t kVersionBytes = size_t{200} << 10;

  explicit BusyLearner(const std::string& address) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~BusyLearner() override {
    updated_.Notify();
    server_->Shutdown();
  }

 private:
  grpc::Status StreamTrajectories(grpc::ServerContext*,
                                  grpc::ServerReaderWriter<wire::LearnerMessage, wire::WorkerMessage>*) override {
    updated_.WaitForNotification();
    return grpc::Status::OK;
  }
  grpc::Status SubscribeWeights(grpc::ServerContext*, const wire::SubscribeWeightsRequest*,
                                grpc::ServerWriter<wire::Weights>* writer) override {
    wire::Weights weights;
    weights.add_tensors()->set_name(std::string(kVersionBytes, 'w'));
    for (int version = 0; version < kVersions && writer->Write(weights); ++version) {
    }
    return grpc::Status::OK;
  }

  absl::Notification updated_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GatewayTest, TrajectoriesThatWaitToBeReadHoldUpNothingElseOfTheirConnection) {
  const auto learner = std::make_unique<BusyLearner>(learner_address_);
  const GatewayProcess gateway(learner_address_, Mutual());
  grpc::ChannelArguments pings;
  pings.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 500);
  pings.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 2000);
  pings.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  const auto channel =
      ClientCredentials::Load(own_.Client(), gateway.address()).value()->OpenChannel(gateway.address(), pings);
  ASSERT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(60)))
      << gateway.output();
  const auto stub = wire::TrainingService::NewStub(channel);
  grpc::ClientContext streaming, subscribing;
  const auto stream = stub->StreamTrajectories(&streaming);
  std::atomic<int> written = 0;
  std::atomic<bool> ended = false;
  NamedThread writer("writer", [&] {
    wire::WorkerMessage message;
    message.mutable_evaluation_result()->set_error(std::string(size_t{1} << 20, 't'));
    while (stream->Write(message)) ++written;
    ended = true;
  });
  // Until nothing more fits anywhere on the way, and pings had the time to be answered or not.
  int before = -1;
  absl::Time since = absl::Now();
  EXPECT_TRUE(Eventually([&] {
    if (std::exchange(before, written) != written) since = absl::Now();
    return absl::Now() - since > absl::Seconds(4);
  })) << "all of "
      << written << " MiB went somewhere";
  EXPECT_EQ(channel->GetState(false), GRPC_CHANNEL_READY) << "a ping was not answered";
  subscribing.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  wire::Weights weights;
  const auto subscription = stub->SubscribeWeights(&subscribing, {});
  int versions = 0;
  while (subscription->Read(&weights)) ++versions;
  EXPECT_EQ(versions, BusyLearner::kVersions) << subscription->Finish().error_message();
  EXPECT_FALSE(ended) << "the connection was given up";
  streaming.TryCancel();
  writer.Join();
}

TEST_F(GatewayTest, CommandLinesThatAreNotSafeAreRefusedByName) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> lines = {
      {own_.LearnerTls(), "TLS alone lets everybody in"},
      {{own_.LearnerClientCa()}, "--tls_certificate and --tls_key are needed"},
      {Joined(Mutual(), {"--connections_per_source=many"}), "expected a number, came 'many'"},
      {Joined(Mutual(), {"--bogus=1"}), "unknown --bogus=1"},
      {Joined(own_.LearnerTls(), {"--tls_client_ca=/nonexistent;x"}), "expected a name without spaces and signs"},
      {Joined(own_.LearnerTls(), {"--tls_client_ca=/nonexistent/ca.pem"}), "/nonexistent/ca.pem"},
  };
  for (const auto& [flags, message] : lines) {
    GatewayProcess gateway(learner_address_, flags);
    EXPECT_NE(gateway.Wait(), 0) << message;
    EXPECT_THAT(gateway.output(), HasSubstr(message));
  }
}

}  // namespace
}  // namespace troupe::testing
