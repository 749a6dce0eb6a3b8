// A learner's session in the midst of a run, what can happen to it next, and what must hold whatever happens.
//
// Three shards, three workers, each with one. What waits for memory is a chunk of worker 2.
#ifndef TROUPE_TESTS_INTERLEAVINGS_SESSION_WORLD_H_
#define TROUPE_TESTS_INTERLEAVINGS_SESSION_WORLD_H_

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/metrics/metrics.h"
#include "learner/service/training_session.h"
#include "tests/interleavings/session_peers.h"
#include "tests/support/chunk_maker.h"

namespace troupe::testing {

enum class Moment {
  kBetweenUpdates,  // the batch of update 0 is full, that of update 1 lacks the chunks of workers 0 and 1
  kUnreleased,  // update 0 is trained and published, its memory not free; batch 1 is full; worker 2's chunk is parked
  kReleased,    // the same, and the memory is free: maintenance is to resume worker 2
};
inline constexpr Moment kMoments[] = {Moment::kBetweenUpdates, Moment::kUnreleased, Moment::kReleased};

class SessionWorld {
 public:
  // `subjects`: the worker that what happens on a side happens to.
  SessionWorld(CollectionMode mode, Moment moment, std::pair<int, int> subjects);
  ~SessionWorld();

  // --- what can happen, on side 0 or 1
  void Register();
  void Leave(int side);
  void SayStillHere(int side);
  void OpenStream();
  void Reconnect(int side);  // another stream, with hello
  void Beat(int side);
  void SendChunk(int side);
  void UseNewestWeights(int side);  // for a chunk, the moment that they are out; ASYNCHRONOUS
  void SendMalformedChunk(int side);
  void FailLease(int side);
  void SendResult(int side);
  void CloseStream(int side, bool left);
  void Subscribe(int side);
  // Looks at a batch, trains it, publishes, releases it and looks at the leases for a checkpoint.
  void Train();
  void Release();         // no more than the batch that is trained already
  void TrainAndRefill();  // and the next batch is full again
  void RequestEvaluation();
  void EndCollection();
  void Drain(bool run_ended);
  void Maintain();
  void LoseEverybody();  // nobody was heard for longer than leases last

  // From now on what side 1 sends goes on another stream, opened before the first message: a stream has but one at a
  // time, and none while one is parked.
  void UseAnotherStream() { on_another_stream_ = true; }

  // Lets the run go on with new workers until three more batches are trained, ends it, and looks at all that was said.
  // `keeps_leases`: nothing that happened takes a lease or the run away.
  void Finish(bool keeps_leases);

 private:
  using Identity = std::tuple<uint32_t, uint32_t, uint64_t>;  // shard, lease epoch, sequence
  struct PeerWorker {
    std::string id;
    std::shared_ptr<PeerStream> stream;
    std::shared_ptr<PeerSubscriber> subscriber;
    std::optional<wire::EvaluationTask> task;
    std::map<uint32_t, wire::LeaseGrant> leases;
    std::map<uint32_t, uint64_t> sent;  // chunks, by shard
    bool parked = false;                // the last of them
  };

  PeerWorker& WorkerOf(int side) { return peers_[side == 0 ? subjects_.first : subjects_.second]; }
  std::shared_ptr<PeerStream> StreamOf(int side);
  std::shared_ptr<PeerStream> NewStream(const std::string& worker_id);
  std::string NewWorker(const char* peer);
  void Attend(PeerWorker& worker);  // to what it was told
  void Send(PeerStream& stream, const wire::LeaseGrant& grant, uint64_t sequence);
  void SendNext(PeerWorker& worker, uint32_t shard);
  uint64_t VersionFor(uint64_t update) const;
  bool TrainOne();
  void Look(const AssembledBatch& batch);
  void CollectAcknowledgements();
  // The worker comes back, if the learner knows it still, with the newest chunk if that was not acknowledged.
  void Resend(PeerWorker& worker);
  void GoOn();
  void CheckEnds();

  const CollectionMode mode_;
  const std::pair<int, int> subjects_;
  std::atomic<int64_t> clock_ms_ = 0;
  Metrics metrics_;
  TrainingSession session_;
  PeerWorker peers_[3];
  absl::Mutex mutex_;  // of what both sides may add to
  std::vector<std::shared_ptr<PeerStream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<PeerSubscriber>> subscribers_ ABSL_GUARDED_BY(mutex_);
  bool on_another_stream_ = false;
  std::vector<std::string> late_;  // ids of workers that registered meanwhile
  std::set<Identity> sent_by_sides_;
  std::map<Identity, uint64_t> trained_on_;  // the update that was
  std::map<uint32_t, Identity> newest_;      // by shard, of those
  std::map<Identity, std::vector<wire::ChunkResult>> acknowledged_;
  std::atomic<int> requested_ = 0, told_ = 0;  // evaluations
  std::optional<AssembledBatch> unreleased_;
  uint64_t trained_ = 0;
  std::atomic<bool> collection_ended_ = false, drained_ = false;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTERLEAVINGS_SESSION_WORLD_H_
