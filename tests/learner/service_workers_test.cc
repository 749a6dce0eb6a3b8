#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using troupe::testing::FakeWorker;
using troupe::testing::kPatience;
using troupe::testing::ServiceTest;

class WorkerServiceTest : public ServiceTest {
 protected:
  static wire::EvaluationTask ReadTask(FakeWorker& worker) {
    while (const auto message = worker.Read()) {
      if (message->has_evaluation_task()) return message->evaluation_task();
    }
    ADD_FAILURE() << "no evaluation task came";
    return {};
  }
  static wire::WorkerMessage Answer(const wire::EvaluationTask& task) {
    wire::WorkerMessage message;
    wire::EvaluationResult* const result = message.mutable_evaluation_result();
    result->set_task_id(task.task_id());
    for (uint32_t i = 0; i < task.episodes(); ++i) {
      wire::EvaluationEpisode* const episode = result->add_episodes();
      episode->set_seed(task.first_seed() + i);
      episode->set_length(task.first_seed() + i);
      episode->add_group_returns(1);
      episode->add_group_returns(2);
      episode->add_statistics(3);
    }
    return message;
  }
  static wire::WorkerMessage Heartbeat() {
    wire::WorkerMessage message;
    message.mutable_heartbeat();
    return message;
  }
};

TEST_F(WorkerServiceTest, ALostWorkersShardsGoToAnotherAtTheUpdateThatMissesThem) {
  StartServer({.num_shards = 2, .expected_workers = 2});
  const auto lost = Join(), kept = Join();
  const auto lost_grants = lost->ReadGrants(1);
  ASSERT_THAT(lost_grants, SizeIs(1));
  const uint32_t shard = lost_grants[0].shard(), other = 1 - shard;
  kept->ReadGrants(1);
  ExpectResult(*lost, {shard, 1, 0, 0}, wire::ADMITTED);
  ExpectResult(*kept, {other, 1, 0, 0}, wire::ADMITTED);
  TrainAndPublish(0);
  ExpectResult(*kept, {other, 1, 1, 0}, wire::ADMITTED);
  lost->Break();
  while (server_->workers()[0].connected && server_->workers()[1].connected) absl::SleepFor(absl::Milliseconds(1));
  Advance(absl::Seconds(19));
  ASSERT_TRUE(kept->Send(Heartbeat()));
  ExpectResult(*kept, {other, 1, 1, 0}, wire::DUPLICATE);
  Advance(absl::Seconds(1));
  const auto grants = kept->ReadGrants(1);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].shard(), shard);
  EXPECT_EQ(grants[0].lease_epoch(), 2);
  EXPECT_EQ(grants[0].first_update(), 1);
  ExpectResult(*kept, {shard, 1, 1, 0}, wire::OLD_LEASE);
  ExpectResult(*kept, {shard, 2, 0, 0}, wire::ADMITTED);
  TrainAndPublish(1);
  ASSERT_THAT(server_->workers(), SizeIs(1));
  EXPECT_THAT(server_->workers()[0].shards, SizeIs(2));
}

TEST_F(WorkerServiceTest, AWorkerWhoseConnectionBrokeIsMissedForSecondsOnly) {
  StartServer({.num_shards = 2, .expected_workers = 2, .reconnect_timeout_seconds = 3});
  const auto lost = Join(), silent = Join();
  ASSERT_THAT(lost->ReadGrants(1), SizeIs(1));
  ASSERT_THAT(silent->ReadGrants(1), SizeIs(1));
  lost->Break();
  while (server_->num_connected() == 2) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE(Says("is disconnected, its leases stay for 3s"));
  Advance(absl::Seconds(3));
  const auto grants = silent->ReadGrants(1);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].lease_epoch(), 2);
  EXPECT_TRUE(Says("is lost: nothing heard for 3s"));
}

TEST_F(WorkerServiceTest, AWorkerThatSaysNothingIsToldToRegisterAgain) {
  StartServer({});
  const auto worker = Join();
  worker->ReadGrants(2);
  Advance(absl::Seconds(20));
  const grpc::Status status = worker->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("nothing heard for 20s"));
}

TEST_F(WorkerServiceTest, AWorkerThatLeavesFreesItsShardsAtOnce) {
  StartServer({.num_shards = 2, .expected_workers = 2});
  const auto leaving = Join(), staying = Join();
  leaving->ReadGrants(1);
  staying->ReadGrants(1);
  EXPECT_TRUE(leaving->Leave().ok());
  const auto grants = staying->ReadGrants(1);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].lease_epoch(), 2);
}

TEST_F(WorkerServiceTest, AFailedLeaseIsGivenAgain) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  wire::WorkerMessage message;
  message.mutable_lease_failure()->set_shard(0);
  message.mutable_lease_failure()->set_lease_epoch(1);
  message.mutable_lease_failure()->set_error("the simulator returned NaN");
  ASSERT_TRUE(worker->Send(message));
  ExpectResult(*worker, {0, 1, 0, 0}, wire::OLD_LEASE);
  Advance(absl::Seconds(1));
  const auto grants = worker->ReadGrants(1);
  ASSERT_THAT(grants, SizeIs(1));
  EXPECT_EQ(grants[0].lease_epoch(), 2);
  EXPECT_EQ(server_->ingest_state().lease_epochs, std::vector<uint32_t>({2}));
}

TEST_F(WorkerServiceTest, LeasesThatFailAgainAndAgainAreTheRunsEndWithTheWorkersWords) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  for (uint32_t epoch = 1; epoch <= 8; ++epoch) {
    ASSERT_THAT(worker->ReadGrants(1), SizeIs(1));
    EXPECT_TRUE(server_->health().ok()) << server_->health();
    wire::WorkerMessage message;
    message.mutable_lease_failure()->set_lease_epoch(epoch);
    message.mutable_lease_failure()->set_error("Error: no route file. " + std::string(5000, 'x'));
    ASSERT_TRUE(worker->Send(message));
    ExpectResult(*worker, {0, epoch, 0, 0}, wire::OLD_LEASE);
    Advance(absl::Seconds(10));
  }
  const absl::Status health = server_->health();
  EXPECT_EQ(health.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(health.message()),
              ::testing::StartsWith("no worker can collect shard 0: 8 failures in a row, on 1 worker"));
  EXPECT_THAT(std::string(health.message()), ::testing::HasSubstr("Error: no route file."));
  EXPECT_LT(health.message().size(), 1500);
}

TEST_F(WorkerServiceTest, EveryVersionComesInOrderInTheDeterministicModes) {
  StartServer({.num_shards = 1, .first_version = 5});
  const auto worker = Join();
  grpc::ClientContext context;
  wire::SubscribeWeightsRequest request;
  request.set_worker_id(worker->worker_id());
  const auto reader = worker->stub().SubscribeWeights(&context, request);
  wire::Weights weights;
  for (uint64_t version = 5; version < 9; ++version) {
    ASSERT_TRUE(reader->Read(&weights));
    EXPECT_EQ(weights.policy_version(), version);
    ASSERT_EQ(weights.tensors_size(), 1);
    EXPECT_EQ(weights.tensors(0).name(), "walkers/output.bias");
    server_->Publish(Weights(version + 1));
  }
  server_->Drain("done", /*run_ended=*/true, absl::ZeroDuration());
  while (reader->Read(&weights)) EXPECT_EQ(weights.policy_version(), 9);
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(WorkerServiceTest, WeightsAreForRegisteredWorkersOnly) {
  StartServer({});
  FakeWorker worker(server_->port());
  grpc::ClientContext context;
  const auto reader = worker.stub().SubscribeWeights(&context, {});
  wire::Weights weights;
  EXPECT_FALSE(reader->Read(&weights));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(WorkerServiceTest, EvaluationsAreSpreadAndReassigned) {
  StartServer({.num_shards = 2, .expected_workers = 2});
  const auto a = Join(), b = Join();
  a->ReadGrants(1);
  b->ReadGrants(1);
  std::optional<absl::StatusOr<EvaluationOutcome>> outcome;
  absl::Notification done;
  ASSERT_TRUE(server_
                  ->RequestEvaluation({Weights(3), 500, 4, false},
                                      [&](absl::StatusOr<EvaluationOutcome> result) {
                                        outcome = std::move(result);
                                        done.Notify();
                                      })
                  .ok());
  ReadTask(*a);
  const wire::EvaluationTask first = ReadTask(*b);
  a->Break();
  ASSERT_TRUE(b->Send(Answer(first)));
  const wire::EvaluationTask second = ReadTask(*b);
  EXPECT_EQ(second.weights().policy_version(), 3);
  ASSERT_TRUE(b->Send(Answer(second)));
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
  ASSERT_TRUE(outcome->ok()) << outcome->status();
  ASSERT_THAT((*outcome)->episodes, SizeIs(4));
  for (int i = 0; i < 4; ++i) EXPECT_EQ((*outcome)->episodes[i].length, 500 + i);
}

// In every mode: a worker's chunk that nobody trains on any more is in front of what the learner waits for.
TEST_F(WorkerServiceTest, AtTheEndOfTrainingEvaluationsComePastChunksThatWaited) {
  StartServer({.mode = ASYNCHRONOUS, .num_shards = 2, .expected_workers = 2, .max_policy_lag = 10});
  const auto a = Join(), b = Join();
  const auto of_a = a->ReadGrants(1), of_b = b->ReadGrants(1);
  ASSERT_THAT(of_a, SizeIs(1));
  ASSERT_THAT(of_b, SizeIs(1));
  absl::BlockingCounter missing(2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(server_
                    ->RequestEvaluation({Weights(3), 500, 2, false},
                                        [&](absl::StatusOr<EvaluationOutcome> outcome) {
                                          EXPECT_TRUE(outcome.ok()) << outcome.status();
                                          missing.DecrementCount();
                                        })
                    .ok());
  }
  wire::EvaluationTask task_of_a = ReadTask(*a);
  const wire::EvaluationTask task_of_b = ReadTask(*b);
  // Both batches are full, so that a chunk of each stream waits, with a result behind it.
  for (uint64_t sequence = 0; sequence < 4; ++sequence) {
    ExpectResult(*a, {of_a[0].shard(), 1, sequence, 0}, wire::ADMITTED);
  }
  ASSERT_TRUE(a->SendChunk(Chunk({of_a[0].shard(), 1, 4, 0})));
  ASSERT_TRUE(b->SendChunk(Chunk({of_b[0].shard(), 1, 0, 0})));
  prometheus::Gauge& waiting = metrics_.Gauge("troupe_queue_depth", "", {{"queue", "chunks"}});
  const absl::Time patience = absl::Now() + kPatience;
  while (waiting.Value() != 2 && absl::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
  ASSERT_EQ(waiting.Value(), 2);
  ASSERT_TRUE(a->Send(Answer(task_of_a)));
  ASSERT_TRUE(b->Send(Answer(task_of_b)));

  server_->EndCollection();
  for (const auto& worker : {a.get(), b.get()}) {
    const auto acknowledgement = worker->ReadAcknowledgement();
    ASSERT_TRUE(acknowledgement.has_value());
    EXPECT_EQ(acknowledgement->result(), wire::OLD_LEASE);
  }
  // One is lost while its second evaluation is awaited.
  task_of_a = ReadTask(*a);
  ReadTask(*b);
  b->Break();
  ASSERT_TRUE(a->Send(Answer(task_of_a)));
  ASSERT_TRUE(a->Send(Answer(ReadTask(*a))));
  missing.Wait();
  EXPECT_THAT(server_->workers()[0].shards, SizeIs(0));
  server_->Drain("trained enough", /*run_ended=*/true, absl::ZeroDuration());
}

TEST_F(WorkerServiceTest, WorkersBeyondTheShardsAreCountedAndSpokenOf) {
  StartServer({.num_shards = 2, .expected_workers = 2});
  const auto a = Join(), b = Join();
  a->ReadGrants(1);
  b->ReadGrants(1);
  const auto c = Join();
  prometheus::Gauge& idle = metrics_.Gauge("troupe_workers_without_shard", "");
  const SteadyTime patience = SteadyTime::Now() + kPatience;
  while (idle.Value() != 1 && SteadyTime::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(idle.Value(), 1);
  Advance(WorkerWatch::kIdleFor);
  EXPECT_TRUE(Says("1 of 3 workers has nothing to collect: the run has 2 shards"));
  EXPECT_TRUE(a->Leave().ok());
  c->ReadGrants(1);
  while (idle.Value() != 0 && SteadyTime::Now() < patience) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(idle.Value(), 0);
}

TEST_F(WorkerServiceTest, DrainTellsWorkersWakesTheLoopAndWaitsForThemToLeave) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  absl::Status evaluation;
  ASSERT_TRUE(
      server_->RequestEvaluation({Weights(0), 1, 1, false}, [&](auto outcome) { evaluation = outcome.status(); }).ok());
  std::thread drain([&] { server_->Drain("trained enough", /*run_ended=*/true, kPatience); });
  bool told = false;
  while (!told) {
    const auto message = worker->Read();
    ASSERT_TRUE(message.has_value());
    told = message->has_drain();
    if (told) {
      EXPECT_EQ(message->drain().reason(), "trained enough");
    }
  }
  EXPECT_EQ(server_->NextBatch(kPatience).status().code(), absl::StatusCode::kCancelled);
  ExpectResult(*worker, {0, 1, 0, 0}, wire::OLD_LEASE);
  const absl::Time start = absl::Now();
  EXPECT_TRUE(worker->Leave().ok());
  drain.join();
  EXPECT_LT(absl::Now() - start, kPatience / 2);
  EXPECT_EQ(evaluation.code(), absl::StatusCode::kCancelled);
}

TEST_F(WorkerServiceTest, TheEndWaitsForWorkersThatWereCutOff) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  worker->Break();
  while (server_->num_connected() == 1) absl::SleepFor(absl::Milliseconds(1));
  std::atomic<bool> ended = false;
  std::thread drain([&] {
    server_->Drain("trained enough", /*run_ended=*/true, kPatience);
    ended = true;
  });
  FakeWorker newcomer(server_->port());
  const auto told = [&newcomer] {
    wire::DescribeRunResponse response;
    EXPECT_TRUE(newcomer.DescribeRun(&response).ok());
    return response.drain().reason() == "trained enough";
  };
  const SteadyTime start = SteadyTime::Now();
  while (!told() && SteadyTime::Now() - start < kPatience) absl::SleepFor(absl::Milliseconds(1));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(told());
  EXPECT_FALSE(ended);
  Advance(absl::Seconds(20));
  drain.join();
  EXPECT_LT(SteadyTime::Now() - start, kPatience / 2);
}

TEST_F(WorkerServiceTest, ALearnerThatStopsTellsNobodyToGo) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  worker->ReadGrants(1);
  const absl::Time start = absl::Now();
  server_->Drain("the learner stops", /*run_ended=*/false, kPatience);
  EXPECT_LT(absl::Now() - start, kPatience / 2);
  while (const auto message = worker->Read()) EXPECT_FALSE(message->has_drain());
  EXPECT_EQ(worker->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace troupe
