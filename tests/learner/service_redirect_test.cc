// Workers that a learner sends on to another of the run.
#include "learner/service/rank_directory.h"
#include "tests/learner/service_fixture.h"

namespace troupe::testing {
namespace {

class RedirectTest : public ServiceTest {
 protected:
  // Rank 0 of two; each leases two of four shards.
  void Start(std::vector<std::string> addresses = {"127.0.0.1:1", "127.0.0.1:2"}) {
    directory_ = std::make_shared<RankDirectory>(0, 2, 4);
    LearnerServerOptions options = Options({.num_shards = 4, .expected_workers = 2});
    options.own_shards = {0, 2};
    options.local_token = "a-token-of-this-learner";
    options.directory = directory_;
    server_ = LearnerServerImpl::Start(options, &metrics_, [this] {
                return SteadyTime() + absl::Milliseconds(clock_ms_.load());
              }).value();
    server_->Open(kRunId, std::nullopt);
    ASSERT_TRUE(server_->Begin(Spec(), {}, Weights(0), {}).ok());
    directory_->SetAddresses(std::move(addresses));
    stub_ = wire::TrainingService::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()), grpc::InsecureChannelCredentials()));
  }

  wire::RegisterResponse Register(std::optional<uint32_t> redirects, const std::string& token = "") {
    wire::RegisterRequest request = FakeWorker::Registration(Spec(), kRunId, 100);
    if (redirects.has_value()) request.set_redirects(*redirects);
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    wire::RegisterResponse response;
    const grpc::Status status = stub_->Register(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::shared_ptr<RankDirectory> directory_;
  std::unique_ptr<wire::TrainingService::Stub> stub_;
};

TEST_F(RedirectTest, EverySecondWorkerGoesToTheOtherOfTwoLearners) {
  Start();
  for (int pair = 0; pair < 3; ++pair) {
    const wire::RegisterResponse stays = Register(0), goes = Register(0);
    EXPECT_EQ(stays.serve_at(), "");
    EXPECT_NE(stays.worker_id(), "");
    EXPECT_EQ(goes.serve_at(), "127.0.0.1:2");
    EXPECT_EQ(goes.worker_id(), "");
  }
  EXPECT_EQ(server_->workers().size(), 3);
  EXPECT_EQ(directory_->Report().capacity, 6);
  EXPECT_EQ(directory_->Report().arrivals, 0);
}

TEST_F(RedirectTest, WhoCannotFollowIsServedWhereItAsked) {
  Start();
  Register(0);
  EXPECT_NE(Register(std::nullopt).worker_id(), "");  // as of an earlier version
  EXPECT_NE(Register(std::nullopt).worker_id(), "");
}

TEST_F(RedirectTest, TheLearnersOwnWorkersStay) {
  Start();
  for (int worker = 0; worker < 3; ++worker) EXPECT_NE(Register(0, "a-token-of-this-learner").worker_id(), "");
}

TEST_F(RedirectTest, WhoWasSentHereStaysAndIsCounted) {
  Start();
  Register(0);
  EXPECT_NE(Register(2).worker_id(), "");
  EXPECT_EQ(directory_->Report().arrivals, 1);
  EXPECT_EQ(directory_->Report().capacity, 4);
}

TEST_F(RedirectTest, NobodyIsSentToARankWithoutAnAddress) {
  Start({"127.0.0.1:1", ""});
  for (int worker = 0; worker < 3; ++worker) EXPECT_NE(Register(0).worker_id(), "");
}

TEST_F(RedirectTest, ALearnerWithTooManyGivesTheNewestBack) {
  Start({"127.0.0.1:1", ""});
  FakeWorker older(server_->port()), newer(server_->port());
  wire::RegisterRequest request = FakeWorker::Registration(Spec(), kRunId, 100);
  request.set_redirects(0);
  for (FakeWorker* const worker : {&older, &newer}) {
    ASSERT_TRUE(worker->Register(request).ok());
    worker->OpenStream();
  }
  ASSERT_TRUE(older.Read().has_value());
  ASSERT_TRUE(newer.Read().has_value());
  directory_->SetAddresses({"127.0.0.1:1", "127.0.0.1:2"});
  const RankLoad loads[] = {{4, 0}, {0, 0}};
  directory_->Take(loads, SteadyTime());
  directory_->Take(loads, SteadyTime() + RankDirectory::kReleasePatience);
  EXPECT_TRUE(Says("is given back"));
  while (newer.Read().has_value()) {
  }
  EXPECT_EQ(newer.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(server_->workers().size(), 1);
  EXPECT_EQ(directory_->Report().capacity, 2);
}

}  // namespace
}  // namespace troupe::testing
