#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using troupe::testing::FakeWorker;
using troupe::testing::kPatience;
using troupe::testing::ServiceTest;

class ChunkServiceTest : public ServiceTest {};

TEST_F(ChunkServiceTest, TwoWorkersFillBatchesInShardOrder) {
  StartServer({.num_shards = 4, .expected_workers = 2});
  const auto a = Join(), b = Join();
  ASSERT_THAT(a->ReadGrants(2), SizeIs(2));
  ASSERT_THAT(b->ReadGrants(2), SizeIs(2));
  for (uint64_t update = 0; update < 3; ++update) {
    const uint64_t version = update == 0 ? 0 : update - 1;
    for (const uint32_t shard : {3u, 1u}) ExpectResult(*b, {shard, 1, update, version}, wire::ADMITTED);
    for (const uint32_t shard : {0u, 2u}) ExpectResult(*a, {shard, 1, update, version}, wire::ADMITTED);
    const auto batch = server_->NextBatch(kPatience);
    ASSERT_TRUE(batch.ok());
    EXPECT_EQ(batch->update, update);
    EXPECT_EQ(batch->mean_policy_lag, update == 0 ? 0 : 1);
    for (uint32_t shard = 0; shard < 4; ++shard) {
      const wire::Chunk chunk = Chunk({shard, 1, update, version});
      const ChunkView view = *ViewChunk(Spec(), testing::kServiceShape, chunk);
      EXPECT_EQ(batch->batch->groups[0].rewards[shard * 6], view.groups[0].rewards[0]);
    }
    server_->Publish(Weights(update + 1));
    server_->ReleaseBatch(*batch);
  }
  EXPECT_THAT(server_->TakeFinishedEpisodes(), SizeIs(24));
  EXPECT_EQ(Counter("troupe_chunks_total", {{"result", "admitted"}}), 12);
  EXPECT_EQ(Counter("troupe_env_steps_total", {}), 12 * 12);
  EXPECT_EQ(Counter("troupe_agent_steps_total", {}), 12 * 12 * 3);
  EXPECT_EQ(server_->ingest_state().chunks_trained, 12);
}

TEST_F(ChunkServiceTest, AMalformedChunkEndsItsStreamOnlyAndTheShardsGoOn) {
  StartServer({.expected_workers = 2});
  auto bad = Join();
  ASSERT_THAT(bad->ReadGrants(0), SizeIs(0));
  const auto good = Join();
  ASSERT_THAT(bad->ReadGrants(1), SizeIs(1));
  ASSERT_THAT(good->ReadGrants(1), SizeIs(1));
  wire::Chunk chunk = Chunk({0, 1, 0, 0});
  chunk.mutable_groups(0)->mutable_rewards()->set_shape(1, 7);
  ASSERT_TRUE(bad->SendChunk(chunk));
  const grpc::Status status = bad->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("groups[0].rewards.shape: came [4, 7, 2], expected [4, 3, 2]"));
  EXPECT_EQ(Counter("troupe_chunks_total", {{"result", "invalid"}}), 1);
  EXPECT_EQ(Counter("troupe_rejected_requests_total", {{"reason", "malformed_chunk"}}), 1);

  const auto grants = good->ReadGrants(1);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].shard(), 0);
  EXPECT_EQ(grants[0].lease_epoch(), 2);
  EXPECT_EQ(grants[0].first_update(), 0);
  ExpectResult(*good, {0, 2, 0, 0}, wire::ADMITTED);
  ExpectResult(*good, {1, 1, 0, 0}, wire::ADMITTED);
  TrainAndPublish(0);

  bad->OpenStream();
  EXPECT_EQ(bad->Finish().error_code(), grpc::StatusCode::NOT_FOUND) << "it has to register again";
}

TEST_F(ChunkServiceTest, AChunkOfTheWrongVersionIsMalformed) {
  StartServer({.mode = SYNCHRONOUS, .num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  ExpectResult(*worker, {0, 1, 0, 0}, wire::ADMITTED);
  TrainAndPublish(0);
  ASSERT_TRUE(worker->SendChunk(Chunk({0, 1, 1, 0})));
  const grpc::Status status = worker->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("policy_version: came 0, expected 1 for update 1"));
}

TEST_F(ChunkServiceTest, AResentChunkIsAcknowledgedAndNotTrainedOnTwice) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  ExpectResult(*worker, {0, 1, 0, 0}, wire::ADMITTED);
  ExpectResult(*worker, {0, 1, 0, 0}, wire::DUPLICATE);
  TrainAndPublish(0);
  EXPECT_EQ(server_->NextBatch(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ChunkServiceTest, AfterABrokenStreamLeasesStayAndEverythingIsAdmittedExactlyOnce) {
  StartServer({.num_shards = 2});
  const auto worker = Join();
  worker->ReadGrants(2);
  ASSERT_TRUE(worker->SendChunk(Chunk({0, 1, 0, 0})));
  ASSERT_TRUE(worker->ReadAcknowledgement().has_value());
  worker->Break();
  worker->OpenStream();
  const auto grants = worker->ReadGrants(2);
  ASSERT_THAT(grants, SizeIs(2));
  for (const auto& grant : grants) {
    EXPECT_EQ(grant.lease_epoch(), 1);
    EXPECT_EQ(grant.first_update(), 0);
  }
  ExpectResult(*worker, {0, 1, 0, 0}, wire::DUPLICATE);
  ExpectResult(*worker, {1, 1, 0, 0}, wire::ADMITTED);
  TrainAndPublish(0);
  EXPECT_EQ(server_->NextBatch(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ChunkServiceTest, ASecondStreamOfAWorkerReplacesTheFirst) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  FakeWorker& first = *worker;
  grpc::ClientContext context;
  const auto second = first.stub().StreamTrajectories(&context);
  wire::WorkerMessage hello;
  hello.mutable_hello()->set_worker_id(first.worker_id());
  ASSERT_TRUE(second->Write(hello));
  const grpc::Status status = first.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  wire::LearnerMessage message;
  ASSERT_TRUE(second->Read(&message));
  EXPECT_EQ(message.lease_grant().lease_epoch(), 1);
  second->WritesDone();
  EXPECT_TRUE(second->Finish().ok());
}

TEST_F(ChunkServiceTest, StreamsThatBreakTheProtocolAreEndedWithAReason) {
  StartServer({});
  FakeWorker worker(server_->port());
  worker.OpenStream(false);
  ASSERT_TRUE(worker.SendChunk(Chunk({})));
  grpc::Status status = worker.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("expected hello first"));
  worker.OpenStream();
  EXPECT_EQ(worker.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  const auto joined = Join();
  wire::WorkerMessage hello;
  hello.mutable_hello()->set_worker_id(joined->worker_id());
  ASSERT_TRUE(joined->Send(hello));
  status = joined->Finish();
  EXPECT_THAT(status.error_message(), HasSubstr("second hello"));
  const auto empty = Join();
  ASSERT_TRUE(empty->Send({}));
  EXPECT_EQ(empty->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ChunkServiceTest, AStreamThatSaysNothingIsClosed) {
  StartServer({.max_workers = 2});
  FakeWorker a(server_->port()), b(server_->port()), c(server_->port());
  a.OpenStream(false);
  b.OpenStream(false);
  const std::string too_many = "too_many_streams";
  // Which of the three comes last is the network's choice.
  c.OpenStream(false);
  const absl::Time patience = absl::Now() + kPatience;
  while (Counter("troupe_rejected_requests_total", {{"reason", too_many}}) != 1 && absl::Now() < patience) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(Counter("troupe_rejected_requests_total", {{"reason", too_many}}), 1);
  Advance(absl::Seconds(20));
  int closed_late = 0;
  for (FakeWorker* worker : {&a, &b, &c}) {
    closed_late += worker->Finish().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  }
  EXPECT_EQ(closed_late, 2);
}

TEST_F(ChunkServiceTest, AsynchronousTakesFirstComeAndDropsTheStale) {
  StartServer({.mode = ASYNCHRONOUS, .num_shards = 2, .max_policy_lag = 1});
  const auto worker = Join();
  worker->ReadGrants(2);
  ExpectResult(*worker, {0, 1, 0, 0}, wire::ADMITTED);
  ExpectResult(*worker, {0, 1, 1, 0}, wire::ADMITTED);
  TrainAndPublish(0);
  ExpectResult(*worker, {1, 1, 0, 0}, wire::ADMITTED);
  ExpectResult(*worker, {1, 1, 1, 1}, wire::ADMITTED);
  TrainAndPublish(1);
  ExpectResult(*worker, {1, 1, 2, 0}, wire::STALE);
  ExpectResult(*worker, {1, 1, 3, 1}, wire::ADMITTED);
  ExpectResult(*worker, {1, 1, 2, 0}, wire::DUPLICATE);
  EXPECT_EQ(Counter("troupe_chunks_total", {{"result", "stale"}}), 1);
}

TEST_F(ChunkServiceTest, WhileBothBatchesAreFullNothingIsReadUntilOneIsReleased) {
  StartServer({.mode = ASYNCHRONOUS, .num_shards = 1, .max_policy_lag = 10});
  const auto worker = Join();
  worker->ReadGrants(1);
  for (uint64_t sequence = 0; sequence < 6; ++sequence) ASSERT_TRUE(worker->SendChunk(Chunk({0, 1, sequence, 0})));
  ASSERT_TRUE(worker->ReadAcknowledgement().has_value());
  ASSERT_TRUE(worker->ReadAcknowledgement().has_value());
  prometheus::Gauge& waiting = metrics_.Gauge("troupe_queue_depth", "", {{"queue", "chunks"}});
  const absl::Time patience = absl::Now() + kPatience;
  while (waiting.Value() != 1 && absl::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(waiting.Value(), 1) << "one chunk waits, the rest stays with gRPC's flow control";
  Advance(absl::Seconds(60));
  EXPECT_EQ(worker->unread(), 0);
  for (uint64_t update = 0; update < 4; ++update) {
    TrainAndPublish(update);
    const auto acknowledgement = worker->ReadAcknowledgement();
    ASSERT_TRUE(acknowledgement.has_value()) << "a worker that waits for us is not lost";
    EXPECT_EQ(acknowledgement->sequence(), update + 2);
    EXPECT_EQ(acknowledgement->result(), wire::ADMITTED);
  }
}

}  // namespace
}  // namespace troupe
