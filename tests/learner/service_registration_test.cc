#include "absl/strings/str_cat.h"
#include "common/wire/protocol_version.h"
#include "grpcpp/create_channel.h"
#include "proto/health.grpc.pb.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using troupe::testing::FakeWorker;
using troupe::testing::kPatience;
using troupe::testing::kRunId;
using troupe::testing::ServiceTest;

class RegistrationTest : public ServiceTest {
 protected:
  void SetUp() override { StartServer({.max_workers = 2, .begin = false}); }

  void ExpectRefused(const wire::RegisterRequest& request, grpc::StatusCode code, const std::string& message,
                     const std::string& reason) {
    FakeWorker worker(server_->port());
    const double before = Counter("troupe_rejected_requests_total", {{"reason", reason}});
    const grpc::Status status = worker.Register(request);
    EXPECT_EQ(status.error_code(), code);
    EXPECT_THAT(status.error_message(), HasSubstr(message));
    EXPECT_EQ(Counter("troupe_rejected_requests_total", {{"reason", reason}}), before + 1);
  }
  static wire::RegisterRequest Good() { return FakeWorker::Registration(Spec(), kRunId, 4); }
};

TEST_F(RegistrationTest, DescribesTheRunToThoseOfItsProtocol) {
  FakeWorker worker(server_->port());
  wire::DescribeRunResponse response;
  EXPECT_EQ(worker.DescribeRun(&response, 0).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  ASSERT_TRUE(worker.DescribeRun(&response).ok());
  EXPECT_EQ(response.run_id(), kRunId);
  EXPECT_EQ(response.experiment().collection().rollout_length(), 4);
}

TEST_F(RegistrationTest, RefusesAnotherProtocolVersion) {
  wire::RegisterRequest request = Good();
  request.set_protocol_version(kProtocolVersion + 1);
  ExpectRefused(request, grpc::StatusCode::FAILED_PRECONDITION, "protocol_version: came 4, expected 3",
                "protocol_version");
}

TEST_F(RegistrationTest, RefusesAnotherRun) {
  wire::RegisterRequest request = Good();
  request.set_run_id("run-8");
  ExpectRefused(request, grpc::StatusCode::FAILED_PRECONDITION, "run_id: came \"run-8\", expected \"run-7\"", "run_id");
}

TEST_F(RegistrationTest, RefusesNoAndTooMuchCapacity) {
  wire::RegisterRequest request = Good();
  request.set_max_shards(0);
  ExpectRefused(request, grpc::StatusCode::INVALID_ARGUMENT, "max_shards: came 0", "max_shards");
  request.set_max_shards(5000);
  ExpectRefused(request, grpc::StatusCode::INVALID_ARGUMENT, "max_shards: came 5000", "max_shards");
}

TEST_F(RegistrationTest, RefusesNamesWithoutEnd) {
  wire::RegisterRequest request = Good();
  request.set_host(std::string(300, 'x'));
  ExpectRefused(request, grpc::StatusCode::INVALID_ARGUMENT, "host: came 300 bytes", "name_length");
}

TEST_F(RegistrationTest, RefusesASpecThatIsNone) {
  wire::RegisterRequest request = Good();
  request.mutable_environment_spec()->clear_groups();
  ExpectRefused(request, grpc::StatusCode::INVALID_ARGUMENT, "environment_spec", "environment_spec");
}

TEST_F(RegistrationTest, RefusesASpecThatDiffersFromTheChosen) {
  const auto first = Join();
  EXPECT_EQ(*server_->WaitForEnvironment(kPatience), Spec());
  EnvironmentSpec other = Spec();
  other.groups[0].observation_size += 1;
  ExpectRefused(FakeWorker::Registration(other, kRunId, 4), grpc::StatusCode::FAILED_PRECONDITION,
                "environment_spec: differs from the run's", "environment_spec");
}

TEST_F(RegistrationTest, ASpecIsForgottenWithItsLastWorkerWhileTheRunHasNotBegun) {
  FakeWorker first(server_->port());
  EnvironmentSpec other = Spec();
  other.name = "another";
  ASSERT_TRUE(first.Register(FakeWorker::Registration(other, kRunId, 4)).ok());
  first.OpenStream();
  EXPECT_TRUE(first.Leave().ok());
  while (!server_->workers().empty()) absl::SleepFor(absl::Milliseconds(1));
  const auto second = Join();
  EXPECT_EQ(server_->WaitForEnvironment(kPatience)->name, "two_groups");
}

TEST_F(RegistrationTest, RefusesMoreWorkersThanItsBound) {
  FakeWorker a(server_->port()), b(server_->port());
  ASSERT_TRUE(a.Register(Good()).ok());
  ASSERT_TRUE(b.Register(Good()).ok());
  EXPECT_NE(a.worker_id(), b.worker_id());
  ExpectRefused(Good(), grpc::StatusCode::RESOURCE_EXHAUSTED, "2 are registered", "too_many_workers");
  Advance(absl::Seconds(21));
  while (!server_->workers().empty()) absl::SleepFor(absl::Milliseconds(5));
  FakeWorker c(server_->port());
  EXPECT_TRUE(c.Register(Good()).ok()) << "those that never came are forgotten";
}

// The health of the server at the port, with its phase: "SERVING training"; or the error's words.
std::string Health(int port) {
  const auto stub = grpc::health::v1::Health::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, {}, &response);
  if (!status.ok()) return status.error_message();
  const auto phase = context.GetServerTrailingMetadata().find("troupe-phase");
  EXPECT_NE(phase, context.GetServerTrailingMetadata().end());
  return absl::StrCat(grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status()), " ",
                      std::string(phase->second.data(), phase->second.size()));
}

TEST_F(RegistrationTest, BeforeTheRunIsOpenWorkersAreToldToComeAgainAndHealthIsAnswered) {
  Metrics metrics;
  const auto server = LearnerServer::Start(Options({}), &metrics).value();
  FakeWorker worker(server->port());
  wire::DescribeRunResponse response;
  EXPECT_EQ(worker.DescribeRun(&response).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(worker.Register(Good()).error_message(), "the learner is starting");
  EXPECT_EQ(Health(server->port()), "SERVING starting");
  server->Open(kRunId, std::nullopt);
  EXPECT_TRUE(worker.Register(Good()).ok());
  ASSERT_TRUE(server->Begin(Spec(), {}, Weights(0), {}).ok());
  EXPECT_EQ(Health(server->port()), "SERVING training");
}

TEST_F(RegistrationTest, HealthIsAnsweredAfterTheEndOfTheRunButNotOfAnInterruption) {
  server_->Drain("done", /*run_ended=*/true, absl::ZeroDuration());
  EXPECT_EQ(Health(server_->port()), "SERVING finishing");
  Metrics metrics;
  const auto interrupted = LearnerServer::Start(Options({}), &metrics).value();
  interrupted->Drain("stop", /*run_ended=*/false, absl::ZeroDuration());
  EXPECT_THAT(Health(interrupted->port()), ::testing::HasSubstr("onnect"));
}

TEST_F(RegistrationTest, WhoComesAfterTheEndOfTheRunIsToldOfIt) {
  FakeWorker worker(server_->port());
  const auto describe = [&worker] {
    wire::DescribeRunResponse response;
    EXPECT_TRUE(worker.DescribeRun(&response).ok());
    return response;
  };
  EXPECT_FALSE(describe().has_drain());
  server_->Drain("done", /*run_ended=*/true, absl::ZeroDuration());
  EXPECT_EQ(describe().drain().reason(), "done");
}

TEST_F(RegistrationTest, RefusesEverybodyWhileDraining) {
  server_->Drain("done", /*run_ended=*/true, absl::ZeroDuration());
  FakeWorker worker(server_->port());
  const grpc::Status refused = worker.Register(Good());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refused.error_message(), "draining: done");
  EXPECT_EQ(server_->WaitForEnvironment(kPatience).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(RegistrationTest, WaitForEnvironmentTimesOut) {
  EXPECT_EQ(server_->WaitForEnvironment(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(RegistrationTest, StatusTellsOfWorkersAndProgress) {
  FakeWorker worker(server_->port());
  ASSERT_TRUE(worker.Register(Good()).ok());
  server_->ReportProgress(123, 4.5);
  grpc::ClientContext context;
  wire::GetStatusResponse response;
  ASSERT_TRUE(worker.stub().GetStatus(&context, {}, &response).ok());
  EXPECT_EQ(response.run_name(), "test");
  EXPECT_EQ(response.env_steps(), 123);
  EXPECT_EQ(response.total_env_steps(), 1000);
  ASSERT_EQ(response.workers_size(), 1);
  EXPECT_EQ(response.workers(0).worker_id(), worker.worker_id());
  EXPECT_EQ(response.workers(0).host(), "testhost");
  EXPECT_FALSE(response.workers(0).connected());
  EXPECT_EQ(response.chunks_by_result().at("admitted"), 0);
}

TEST_F(RegistrationTest, ASecondLearnerCannotShareThePort) {
  LearnerServerOptions options = Options({});
  options.listen_address = absl::StrCat("127.0.0.1:", server_->port());
  Metrics metrics;
  EXPECT_EQ(LearnerServer::Start(options, &metrics).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RegistrationTest, BeginRefusesChunksTooLargeAndForgetsWorkersOfOtherEnvironments) {
  EnvironmentSpec other = Spec();
  other.statistics.push_back("more");
  FakeWorker worker(server_->port());
  ASSERT_TRUE(worker.Register(FakeWorker::Registration(other, kRunId, 4)).ok());
  EnvironmentSpec huge = Spec();
  huge.groups[0].observation_size = 1000000;
  huge.groups[0].agents.resize(100, "x");
  EXPECT_EQ(server_->Begin(huge, {}, Weights(0), {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server_->Begin(Spec(), {}, Weights(0), {{1, 2, 3}, 0}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server_->NextBatch(absl::ZeroDuration()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(server_->workers().size(), 1);
  EXPECT_TRUE(server_->Begin(Spec(), {}, Weights(0), {}).ok());
  EXPECT_TRUE(server_->workers().empty());
  EXPECT_EQ(server_->Begin(Spec(), {}, Weights(0), {}).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace troupe
