// How a world of a session ends, and what must hold of it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/interleavings/session_world.h"

namespace troupe::testing {
namespace {

constexpr char kLaterPeer[] = "192.0.2.2";
constexpr uint64_t kLaterUpdates = 3;
constexpr int kMostRounds = 50;
constexpr int64_t kRetryMs = 1000;  // longer than a shard that was given up once is left alone

bool IsIn(const std::vector<wire::ChunkResult>& results, wire::ChunkResult result) {
  return std::ranges::find(results, result) != results.end();
}

}  // namespace

void SessionWorld::Finish(bool keeps_leases) {
  Release();
  session_.Maintain();
  const PeerStream& waiting = *peers_[2].stream;
  EXPECT_TRUE(!waiting.is_parked() || waiting.ended().has_value()) << "there is room, and nobody resumes who waits";
  CollectAcknowledgements();
  if (!collection_ended_ && !drained_) {
    for (PeerWorker& worker : peers_) Resend(worker);
    for (const Identity& identity : sent_by_sides_) {
      const std::vector<wire::ChunkResult>& results = acknowledged_[identity];
      const bool admitted = IsIn(results, wire::ADMITTED) || IsIn(results, wire::DUPLICATE);
      EXPECT_TRUE(admitted || !keeps_leases) << "shard " << std::get<0>(identity) << " has its lease and lost a chunk";
    }
    const auto before = acknowledged_;
    GoOn();
    for (const auto& [identity, results] : before) {
      const auto& [shard, epoch, sequence] = identity;
      const std::string told = absl::StrCat("shard ", shard, ", epoch ", epoch, ", sequence ", sequence);
      EXPECT_LE(std::ranges::count(results, wire::ADMITTED), 1) << told;
      if (IsIn(results, wire::ADMITTED)) {
        EXPECT_TRUE(trained_on_.contains(identity)) << "acknowledged and lost: " << told;
      }
    }
  }
  if (!drained_) Drain(true);
  session_.Maintain();
  CheckEnds();
}

void SessionWorld::CollectAcknowledgements() {
  for (const auto& stream : streams_) {
    for (const wire::LearnerMessage& message : stream->Take()) {
      if (!message.has_acknowledgement()) continue;
      const wire::Acknowledgement& ack = message.acknowledgement();
      acknowledged_[{ack.shard(), ack.lease_epoch(), ack.sequence()}].push_back(ack.result());
    }
  }
}

void SessionWorld::Resend(PeerWorker& worker) {
  const wire::LeaseGrant& grant = worker.leases.begin()->second;
  const Identity newest{grant.shard(), grant.lease_epoch(), worker.sent.at(grant.shard()) - (worker.parked ? 1 : 0)};
  if (!worker.parked && !sent_by_sides_.contains(newest)) return;
  if (!acknowledged_[newest].empty()) return;
  const std::shared_ptr<PeerStream> stream = NewStream(worker.id);
  if (stream->ended().has_value()) {
    EXPECT_TRUE(absl::IsNotFound(*stream->ended())) << *stream->ended();
    return;
  }
  Send(*stream, grant, std::get<2>(newest));
  for (int round = 0; round < kMostRounds && stream->is_parked(); ++round) {
    session_.Maintain();
    TrainOne();
  }
  EXPECT_FALSE(stream->ended().has_value()) << *stream->ended();
  CollectAcknowledgements();
  EXPECT_FALSE(acknowledged_[newest].empty()) << "no answer to a chunk sent again";
}

void SessionWorld::GoOn() {
  for (const PeerWorker& worker : peers_) EXPECT_TRUE(session_.Leave(worker.id).ok());
  for (const std::string& id : late_) EXPECT_TRUE(session_.Leave(id).ok());
  clock_ms_ += kRetryMs;
  session_.Maintain();
  PeerWorker heir;
  heir.id = NewWorker(kLaterPeer);
  heir.stream = NewStream(heir.id);
  const uint64_t goal = trained_ + kLaterUpdates;
  for (int round = 0; round < kMostRounds && trained_ < goal; ++round) {
    session_.Maintain();
    Attend(heir);
    for (const auto& [shard, grant] : heir.leases) {
      const uint64_t update = grant.first_update() + heir.sent[shard];
      if (heir.stream->is_parked() || update > trained_ + 1 || VersionFor(update) > trained_) continue;
      SendNext(heir, shard);
    }
    TrainOne();
  }
  EXPECT_EQ(trained_, goal) << "the run stands still";
  EXPECT_FALSE(heir.stream->ended().has_value()) << *heir.stream->ended();
}

void SessionWorld::CheckEnds() {
  for (const auto& stream : streams_) {
    const std::optional<absl::Status> ended = stream->ended();
    // Such as have not said whose they are end with the server or when their time is over; who knows, goes.
    if (stream->worker_id().empty() || (!ended.has_value() && stream->told_to_go())) continue;
    ASSERT_TRUE(ended.has_value()) << stream->worker_id() << "'s stream is open still, and nobody told it to go";
    EXPECT_TRUE(ended->ok() || absl::IsAborted(*ended) || absl::IsNotFound(*ended) || absl::IsUnavailable(*ended) ||
                absl::IsCancelled(*ended) || absl::IsInvalidArgument(*ended))
        << *ended;
  }
  for (const auto& subscriber : subscribers_) {
    EXPECT_TRUE(subscriber->ended().has_value()) << "a subscription is open still";
    const std::vector<uint64_t> versions = subscriber->versions();
    for (size_t i = 1; i < versions.size(); ++i) {
      EXPECT_TRUE(mode_ == ASYNCHRONOUS ? versions[i] > versions[i - 1] : versions[i] == versions[i - 1] + 1)
          << versions[i - 1] << " then " << versions[i];
    }
  }
  EXPECT_EQ(told_, requested_) << "evaluations are told of once each";
  EXPECT_TRUE(absl::IsCancelled(session_.NextBatch(absl::ZeroDuration()).status()));
}

}  // namespace troupe::testing
