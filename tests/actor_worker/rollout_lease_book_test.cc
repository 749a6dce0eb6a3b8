#include "actor_worker/rollout/lease_book.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

class LeaseBookTest : public testing::Test {
 protected:
  void Publish(uint64_t version) {
    auto weights = std::make_shared<PolicySnapshot>();
    weights->policy_version = version;
    store_.Publish(weights);
  }
  static void Grant(LeaseBook& book, uint32_t shard, uint32_t epoch = 1, uint64_t first_update = 0) {
    wire::LeaseGrant grant;
    grant.set_shard(shard);
    grant.set_lease_epoch(epoch);
    grant.set_first_update(first_update);
    grant.set_oldest_version(first_update);
    book.Grant(grant);
  }
  static void Acknowledge(LeaseBook& book, uint32_t shard, uint64_t sequence,
                          wire::ChunkResult result = wire::ADMITTED) {
    wire::Acknowledgement acknowledgement;
    acknowledgement.set_shard(shard);
    acknowledgement.set_lease_epoch(1);
    acknowledgement.set_sequence(sequence);
    acknowledgement.set_result(result);
    book.Acknowledge(acknowledgement);
  }
  static void Collect(LeaseBook& book, const RolloutWork& work) {
    auto message = std::make_shared<wire::WorkerMessage>();
    message->mutable_chunk()->set_shard(work.lease->shard);
    message->mutable_chunk()->set_lease_epoch(work.lease->lease_epoch);
    message->mutable_chunk()->set_sequence(work.sequence);
    book.Submit(*work.lease, std::move(message));
  }
  // Takes and collects one chunk; false: there was no work.
  bool CollectNext(LeaseBook& book, int thread = 0) {
    const auto work = book.TakeWork(thread, store_);
    if (work.has_value()) Collect(book, *work);
    return work.has_value();
  }

  PolicyStore store_;
};

LeaseBook::Options Asynchronous(int window = 2, int threads = 1) {
  return {.mode = ASYNCHRONOUS, .unacknowledged_window = window, .rollout_threads = threads};
}

TEST(RequiredVersionTest, FollowsTheLeaseGrantsRuleInEveryMode) {
  HeldLease lease{.first_update = 10, .oldest_version = 0};
  EXPECT_EQ(RequiredVersion(SYNCHRONOUS, lease, 0), 10);
  EXPECT_EQ(RequiredVersion(SYNCHRONOUS, lease, 3), 13);
  EXPECT_EQ(RequiredVersion(PIPELINED, lease, 0), 9);
  EXPECT_EQ(RequiredVersion(PIPELINED, lease, 3), 12);
  EXPECT_EQ(RequiredVersion(ASYNCHRONOUS, lease, 3), std::nullopt);
}

TEST(RequiredVersionTest, NeverAsksForAVersionFromBeforeTheRunBegan) {
  HeldLease resumed{.first_update = 10, .oldest_version = 10};
  EXPECT_EQ(RequiredVersion(PIPELINED, resumed, 0), 10);
  EXPECT_EQ(RequiredVersion(PIPELINED, resumed, 1), 10);
  EXPECT_EQ(RequiredVersion(PIPELINED, resumed, 2), 11);
  HeldLease fresh;
  EXPECT_EQ(RequiredVersion(PIPELINED, fresh, 0), 0);
}

TEST_F(LeaseBookTest, HoldsChunksUpToTheWindowUntilTheyAreAcknowledged) {
  LeaseBook book(Asynchronous(2));
  Publish(0);
  Grant(book, 3);
  EXPECT_TRUE(CollectNext(book));
  EXPECT_TRUE(CollectNext(book));
  EXPECT_FALSE(CollectNext(book));
  Acknowledge(book, 3, 0);
  EXPECT_TRUE(CollectNext(book));
  EXPECT_FALSE(CollectNext(book));
  EXPECT_EQ(book.num_unacknowledged(), 2);
}

TEST_F(LeaseBookTest, GivesNoSecondChunkOfAShardWhileOneIsBeingCollected) {
  LeaseBook book(Asynchronous(4));
  Publish(0);
  Grant(book, 3);
  const auto first = book.TakeWork(0, store_);
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(book.TakeWork(0, store_).has_value());
  Collect(book, *first);
  EXPECT_EQ(book.TakeWork(0, store_)->sequence, 1);
}

TEST_F(LeaseBookTest, WaitsForExactlyTheVersionThatMustAct) {
  LeaseBook book({.mode = SYNCHRONOUS});
  Grant(book, 0, 1, 5);
  EXPECT_FALSE(CollectNext(book));
  Publish(5);
  EXPECT_TRUE(CollectNext(book));
  EXPECT_FALSE(CollectNext(book)) << "update 6 needs version 6";
  Publish(6);
  EXPECT_TRUE(CollectNext(book));
}

TEST_F(LeaseBookTest, PipelinedCollectsOneUpdateAhead) {
  LeaseBook book({.mode = PIPELINED});
  Grant(book, 0, 1, 5);
  Publish(5);
  EXPECT_TRUE(CollectNext(book));
  EXPECT_TRUE(CollectNext(book));
  Acknowledge(book, 0, 0);
  EXPECT_FALSE(CollectNext(book)) << "update 7 needs version 6";
}

TEST_F(LeaseBookTest, TheShardFurthestBehindComesFirst) {
  LeaseBook book(Asynchronous(8));
  Publish(0);
  Grant(book, 0, 1, 4);
  Grant(book, 1, 1, 2);
  EXPECT_EQ(book.TakeWork(0, store_)->lease->shard, 1);
}

TEST_F(LeaseBookTest, SpreadsShardsOverThreads) {
  LeaseBook book(Asynchronous(2, 2));
  Publish(0);
  for (uint32_t shard = 0; shard < 4; ++shard) Grant(book, shard);
  for (const int thread : {0, 1}) {
    EXPECT_TRUE(book.TakeWork(thread, store_).has_value());
    EXPECT_TRUE(book.TakeWork(thread, store_).has_value());
    EXPECT_FALSE(book.TakeWork(thread, store_).has_value());
  }
}

TEST_F(LeaseBookTest, ARepeatedGrantChangesNothing) {
  LeaseBook book(Asynchronous(4));
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(CollectNext(book));
  Grant(book, 0);
  EXPECT_EQ(book.TakeWork(0, store_)->sequence, 1);
}

TEST_F(LeaseBookTest, ANewEpochEndsTheOldLeaseAndBeginsAtSequenceZero) {
  LeaseBook book(Asynchronous(4));
  Publish(0);
  Grant(book, 0, 1);
  EXPECT_TRUE(CollectNext(book));
  const auto old = book.TakeWork(0, store_);
  Grant(book, 0, 2);
  EXPECT_TRUE(old->lease->gone);
  Collect(book, *old);
  EXPECT_EQ(book.num_unacknowledged(), 0);
  EXPECT_EQ(book.TakeWork(0, store_)->sequence, 0);
}

TEST_F(LeaseBookTest, ARevokedLeaseIsForgottenWithItsChunks) {
  LeaseBook book(Asynchronous(4));
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(CollectNext(book));
  const auto work = book.TakeWork(0, store_);
  wire::LeaseRevoke revoke;
  revoke.set_lease_epoch(1);
  book.Revoke(revoke);
  EXPECT_TRUE(work->lease->gone);
  EXPECT_EQ(book.num_leases(), 0);
  EXPECT_EQ(book.NextMessage(), nullptr);
}

TEST_F(LeaseBookTest, OldLeaseEndsTheLease) {
  LeaseBook book(Asynchronous(4));
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(CollectNext(book));
  Acknowledge(book, 0, 0, wire::OLD_LEASE);
  EXPECT_EQ(book.num_leases(), 0);
}

TEST_F(LeaseBookTest, SendsChunksOnceInTheOrderTheyWereCollected) {
  LeaseBook book(Asynchronous(2));
  Publish(0);
  Grant(book, 1);
  Grant(book, 0);
  while (CollectNext(book)) {
  }
  std::vector<std::pair<int, int>> sent;
  while (const auto message = book.NextMessage())
    sent.push_back({message->chunk().shard(), message->chunk().sequence()});
  EXPECT_EQ(sent, (std::vector<std::pair<int, int>>{{0, 0}, {1, 0}, {0, 1}, {1, 1}}));
}

TEST_F(LeaseBookTest, ANewStreamSendsTheUnacknowledgedAgainInOrder) {
  LeaseBook book(Asynchronous(3));
  Publish(0);
  Grant(book, 0);
  while (CollectNext(book)) {
  }
  EXPECT_EQ(book.BeginStream(), 0);
  book.NextMessage();
  book.NextMessage();
  Acknowledge(book, 0, 0);
  EXPECT_EQ(book.BeginStream(), 1);
  EXPECT_EQ(book.NextMessage()->chunk().sequence(), 1);
  EXPECT_EQ(book.NextMessage()->chunk().sequence(), 2);
  EXPECT_EQ(book.NextMessage(), nullptr);
}

TEST_F(LeaseBookTest, AFailureFollowsTheChunksBeforeItAndIsRepeatedUntilTheShardIsLeasedAnew) {
  LeaseBook book(Asynchronous(4));
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(CollectNext(book));
  book.Fail(*book.TakeWork(0, store_)->lease, "fell over");
  EXPECT_EQ(book.num_leases(), 0);
  EXPECT_TRUE(book.NextMessage()->has_chunk());
  const auto failure = book.NextMessage();
  ASSERT_TRUE(failure->has_lease_failure());
  EXPECT_EQ(failure->lease_failure().lease_epoch(), 1);
  EXPECT_EQ(failure->lease_failure().error(), "fell over");

  Acknowledge(book, 0, 0);
  book.BeginStream();
  Grant(book, 0, 1);
  EXPECT_FALSE(book.TakeWork(0, store_).has_value()) << "the learner has not heard of the failure";
  EXPECT_TRUE(book.NextMessage()->has_lease_failure());
  Grant(book, 0, 2);
  book.BeginStream();
  EXPECT_EQ(book.NextMessage(), nullptr);
  EXPECT_TRUE(book.TakeWork(0, store_).has_value());
}

TEST_F(LeaseBookTest, AnInvalidChunkCostsTheLeaseOfTheOldestSent) {
  LeaseBook book(Asynchronous(2));
  Publish(0);
  Grant(book, 0);
  Grant(book, 1);
  EXPECT_EQ(book.FailOldestSent("bad"), "");
  while (CollectNext(book)) {
  }
  book.NextMessage();
  EXPECT_NE(book.FailOldestSent("bad").find("shard 0"), std::string::npos);
  EXPECT_EQ(book.num_leases(), 1);
  EXPECT_EQ(book.num_unacknowledged(), 2);
}

TEST_F(LeaseBookTest, ARetiredThreadLosesItsLeasesAndGetsNoMore) {
  LeaseBook book(Asynchronous(2, 2));
  Publish(0);
  Grant(book, 0);
  Grant(book, 1);
  EXPECT_TRUE(book.RetireThread(0, "hangs"));
  EXPECT_EQ(book.num_leases(), 1);
  EXPECT_EQ(book.NextMessage()->lease_failure().error(), "hangs");
  Grant(book, 2);
  EXPECT_FALSE(book.TakeWork(0, store_).has_value());
  EXPECT_TRUE(CollectNext(book, 1));
  EXPECT_FALSE(book.RetireThread(1, "hangs"));
  Grant(book, 3);
  EXPECT_EQ(book.num_leases(), 0);
}

TEST_F(LeaseBookTest, AGrantBeyondMaxLeasesIsGivenBack) {
  LeaseBook book({.mode = ASYNCHRONOUS, .max_leases = 1});
  Grant(book, 0);
  Grant(book, 1);
  EXPECT_EQ(book.num_leases(), 1);
  EXPECT_EQ(book.NextMessage()->lease_failure().shard(), 1);
}

TEST_F(LeaseBookTest, EvaluationResultsGoFirst) {
  LeaseBook book(Asynchronous());
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(CollectNext(book));
  wire::EvaluationResult result;
  result.set_task_id(4);
  book.AddEvaluationResult(result);
  EXPECT_EQ(book.NextMessage()->evaluation_result().task_id(), 4);
  EXPECT_TRUE(book.NextMessage()->has_chunk());
}

TEST_F(LeaseBookTest, IsIdleOnlyWhenNothingIsUnderWay) {
  LeaseBook book(Asynchronous());
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(book.Idle());
  const auto work = book.TakeWork(0, store_);
  EXPECT_FALSE(book.Idle());
  Collect(book, *work);
  EXPECT_FALSE(book.Idle());
  book.NextMessage();
  EXPECT_FALSE(book.Idle());
  Acknowledge(book, 0, 0);
  EXPECT_TRUE(book.Idle());
}

TEST_F(LeaseBookTest, StopWorkEndsTheWorkButNotTheSending) {
  LeaseBook book(Asynchronous());
  Publish(0);
  Grant(book, 0);
  EXPECT_TRUE(CollectNext(book));
  book.StopWork();
  EXPECT_FALSE(CollectNext(book));
  EXPECT_TRUE(book.NextMessage()->has_chunk());
}

}  // namespace
}  // namespace troupe
