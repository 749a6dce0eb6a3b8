// What one peer can take of the learner.
#include <atomic>
#include <chrono>
#include <thread>

#include "learner/service/peer_ledger.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using testing::FakeWorker;
using ::testing::HasSubstr;
using testing::kPatience;
using testing::kRunId;
using testing::ServiceTest;
using ::testing::SizeIs;

class LimitsTest : public ServiceTest {
 protected:
  double Rejected(const std::string& reason) { return Counter("troupe_rejected_requests_total", {{"reason", reason}}); }
  static wire::RegisterRequest Good() { return FakeWorker::Registration(Spec(), kRunId, 1); }
};

TEST_F(LimitsTest, WorkersOfOneAddressAreBounded) {
  StartServer({.max_workers = 8, .max_workers_per_peer = 2});
  FakeWorker a(server_->port()), b(server_->port()), c(server_->port());
  ASSERT_TRUE(a.Register(Good()).ok());
  ASSERT_TRUE(b.Register(Good()).ok());
  const grpc::Status status = c.Register(Good());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("2 are registered from this address"));
  EXPECT_EQ(Rejected("too_many_workers_of_peer"), 1);
}

TEST_F(LimitsTest, StreamsWithoutHelloOfOneAddressAreBounded) {
  StartServer({.max_workers = 8, .max_workers_per_peer = 1});
  FakeWorker a(server_->port()), b(server_->port());
  a.OpenStream(/*hello=*/false);
  while (Rejected("too_many_streams") == 0) {
    b.OpenStream(/*hello=*/false);
    if (b.Read(absl::Milliseconds(20)).has_value()) ADD_FAILURE() << "nothing was to come";
    b.Break();
  }
  EXPECT_EQ(Rejected("too_many_streams"), 1);
}

TEST_F(LimitsTest, AnAddressThatGoesOnSendingMalformedChunksMustWaitEverLonger) {
  StartServer({.num_shards = 1});
  for (int i = 0; i < PeerLedger::kForgiven + 1; ++i) {
    const auto hostile = Join();
    const auto grants = hostile->ReadGrants(1);
    ASSERT_THAT(grants, SizeIs(1));
    wire::Chunk chunk = Chunk({grants[0].shard(), grants[0].lease_epoch(), 0, 0});
    chunk.clear_groups();
    ASSERT_TRUE(hostile->SendChunk(chunk));
    EXPECT_EQ(hostile->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  FakeWorker again(server_->port());
  const grpc::Status status = again.Register(Good());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("9 malformed chunks came from this address"));
  EXPECT_EQ(Rejected("malformed_peer"), 1);
  Advance(PeerLedger::kFirstRefusal);
  EXPECT_TRUE(again.Register(Good()).ok());
}

TEST_F(LimitsTest, SixteenMalformedChunksFromLoopbackLockNobodyOut) {
  StartServer({.num_shards = 1});
  for (int i = 0; i < 16; ++i) {
    const auto hostile = Join();
    const auto grants = hostile->ReadGrants(1);
    ASSERT_THAT(grants, SizeIs(1));
    wire::Chunk chunk = Chunk({grants[0].shard(), grants[0].lease_epoch(), 0, 0});
    chunk.clear_groups();
    ASSERT_TRUE(hostile->SendChunk(chunk));
    EXPECT_EQ(hostile->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    Advance(PeerLedger::kFirstRefusal);
  }
  EXPECT_TRUE(FakeWorker(server_->port()).Register(Good()).ok());
}

TEST_F(LimitsTest, MessagesThatAreNoChunksAreSmall) {
  StartServer({});
  FakeWorker stranger(server_->port());
  wire::RegisterRequest request = Good();
  request.set_build(std::string(kMaxControlBytes, 'x'));
  EXPECT_THAT(stranger.Register(request).error_message(), HasSubstr("expected at most 1048576"));
  const auto worker = Join();
  worker->ReadGrants(1);
  wire::WorkerMessage message;
  message.mutable_evaluation_result()->set_error(std::string(kMaxControlBytes, 'x'));
  ASSERT_TRUE(worker->Send(message));
  const grpc::Status status = worker->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Rejected("message_size"), 2);
}

TEST_F(LimitsTest, WhatComesBeforeTheRunBeginsCannotKeepOthersOut) {
  StartServer({.begin = false});
  // Together far more than the quota, each less than gRPC's bound on one message.
  constexpr int kPeers = 4;
  std::vector<std::thread> peers;
  std::atomic<int> refused = 0;
  for (int i = 0; i < kPeers; ++i) {
    peers.emplace_back([this, &refused] {
      FakeWorker peer(server_->port());
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
      const auto stream = peer.stub().StreamTrajectories(&context);
      wire::WorkerMessage message;
      message.mutable_evaluation_result()->set_error(std::string(size_t{100} << 20, 'x'));
      stream->Write(message);
      refused += !stream->Finish().ok();
    });
  }
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(FakeWorker(server_->port()).Register(Good()).ok());
  for (std::thread& peer : peers) peer.join();
  EXPECT_EQ(refused, kPeers);
  EXPECT_TRUE(FakeWorker(server_->port()).Register(Good()).ok());
}

TEST_F(LimitsTest, AWorkerThatLeavesBehindAWaitingChunkFreesItsLeasesAtOnce) {
  StartServer({.mode = ASYNCHRONOUS, .num_shards = 1, .max_policy_lag = 8});
  const auto leaving = Join();
  ASSERT_THAT(leaving->ReadGrants(1), SizeIs(1));
  for (uint64_t sequence = 0; sequence < 3; ++sequence) ASSERT_TRUE(leaving->SendChunk(Chunk({0, 1, sequence, 0})));
  while (metrics_.Gauge("troupe_queue_depth", "", {{"queue", "chunks"}}).Value() == 0) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  const auto staying = Join();
  wire::LeaveRequest request;
  request.set_worker_id(leaving->worker_id());
  for (int i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    wire::LeaveResponse response;
    EXPECT_TRUE(leaving->stub().Leave(&context, request, &response).ok()) << "again is no mistake";
  }
  const auto grants = staying->ReadGrants(1);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].lease_epoch(), 2);
  EXPECT_THAT(server_->workers(), SizeIs(1));
}

TEST_F(LimitsTest, ACutStreamsEvaluationTaskIsGivenAgain) {
  StartServer({});
  const auto worker = Join();
  const auto read_task = [&worker] {
    while (const auto message = worker->Read()) {
      if (message->has_evaluation_task()) return message->evaluation_task();
    }
    return wire::EvaluationTask();
  };
  ASSERT_TRUE(server_->RequestEvaluation({Weights(0), 5, 2, false}, [](const auto&) {}).ok());
  const wire::EvaluationTask first = read_task();
  EXPECT_EQ(first.first_seed(), 5);
  worker->Break();
  worker->OpenStream();
  wire::EvaluationTask second = read_task();
  *second.mutable_weights() = first.weights();  // which come with it from the second time on
  EXPECT_EQ(second.SerializeAsString(), first.SerializeAsString());
}

TEST(PeerAddress, IsThePeerWithoutItsPort) {
  EXPECT_EQ(PeerAddress("ipv4:192.0.2.1:4711", ""), "ipv4:192.0.2.1");
  EXPECT_EQ(PeerAddress("ipv6:%5B::1%5D:4711", ""), "ipv6:[::1]");
  EXPECT_EQ(PeerAddress("unix:/tmp/a:b", ""), "unix:/tmp/a:b");
}

TEST(PeerAddress, OverAUnixSocketIsTheOneThatTheGatewaySays) {
  EXPECT_EQ(PeerAddress("unix:", "192.0.2.7"), "ipv4:192.0.2.7");
  EXPECT_EQ(PeerAddress("unix:", "2001:db8::7"), "ipv6:[2001:db8::7]");
  EXPECT_EQ(PeerAddress("unix:", "192.0.2.7, 192.0.2.8"), "unix:") << "no address";
  EXPECT_EQ(PeerAddress("ipv4:192.0.2.1:4711", "192.0.2.7"), "ipv4:192.0.2.1") << "anybody could say so";
}

TEST_F(LimitsTest, WorkersThatCameThroughAGatewayAreBoundedByTheirOwnAddress) {
  const TemporaryFolder folder;
  LearnerServerOptions options = Options({.max_workers = 8, .max_workers_per_peer = 1});
  options.listen_address = absl::StrCat("unix:", folder / "learner.sock");
  server_ = LearnerServerImpl::Start(options, &metrics_, nullptr).value();
  server_->Open(kRunId, std::nullopt);
  const auto stub =
      wire::TrainingService::NewStub(grpc::CreateChannel(options.listen_address, grpc::InsecureChannelCredentials()));
  const auto registers = [&](const std::string& forwarded) {
    grpc::ClientContext context;
    context.AddMetadata("x-forwarded-for", forwarded);
    wire::RegisterResponse response;
    return stub->Register(&context, Good(), &response).error_code();
  };
  EXPECT_EQ(registers("192.0.2.1"), grpc::StatusCode::OK);
  EXPECT_EQ(registers("192.0.2.1"), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(registers("192.0.2.2"), grpc::StatusCode::OK);
  Metrics others;
  EXPECT_THAT(LearnerServerImpl::Start(options, &others, nullptr).status().message(),
              HasSubstr("somebody does already"));
  EXPECT_EQ(registers("192.0.2.3"), grpc::StatusCode::OK) << "the socket is still the first one's";
}

TEST(PeerLedger, WhoSharesAnAddressWaitsASecondAtMost) {
  PeerLedger ledger;
  const SteadyTime start;
  for (int i = 0; i < 16; ++i) ledger.SentMalformedChunk("a", start);
  EXPECT_FALSE(ledger.MayRegister("a", /*shared=*/false, start + absl::Seconds(127)).ok());
  EXPECT_FALSE(ledger.MayRegister("a", /*shared=*/true, start).ok());
  EXPECT_TRUE(ledger.MayRegister("a", /*shared=*/true, start + PeerLedger::kFirstRefusal).ok());
  EXPECT_TRUE(IsLoopbackPeer(PeerAddress("ipv4:127.0.0.1:4711", "")));
  EXPECT_TRUE(IsLoopbackPeer(PeerAddress("ipv6:%5B::1%5D:4711", "")));
  EXPECT_FALSE(IsLoopbackPeer(PeerAddress("ipv4:192.0.2.1:4711", "")));
}

TEST(PeerLedger, ForgivesDoublesAndForgets) {
  PeerLedger ledger;
  const SteadyTime start;
  for (int i = 0; i < PeerLedger::kForgiven; ++i) ledger.SentMalformedChunk("a", start);
  EXPECT_TRUE(ledger.MayRegister("a", false, start).ok());
  const auto refused_for = [&ledger](SteadyTime from) {
    int seconds = 0;
    while (!ledger.MayRegister("a", false, from + absl::Seconds(seconds)).ok()) ++seconds;
    return seconds;
  };
  for (const int expected : {1, 2, 4, 8}) {
    ledger.SentMalformedChunk("a", start);
    EXPECT_EQ(refused_for(start), expected);
  }
  EXPECT_TRUE(ledger.MayRegister("b", false, start).ok());
  for (int i = 0; i < 40; ++i) ledger.SentMalformedChunk("a", start);
  EXPECT_EQ(refused_for(start), 300);
  const SteadyTime later = start + PeerLedger::kForgetAfter + absl::Seconds(1);
  ledger.SentMalformedChunk("a", later);
  EXPECT_EQ(refused_for(later), 0);
  for (int i = 0; i < 5000; ++i) ledger.SentMalformedChunk(absl::StrCat("x", i), later);
  EXPECT_EQ(ledger.size(), PeerLedger::kMaxAddresses);
}

}  // namespace
}  // namespace troupe
