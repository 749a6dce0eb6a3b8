// Every event of a worker before and after every other that can happen on another of its threads: a real worker, and a
// learner that does what a test says.
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/fake_learner.h"
#include "tests/actor_worker/running_worker.h"
#include "tests/interleavings/orders.h"

namespace troupe::testing {
namespace {

constexpr size_t kLaterChunks = 4;
constexpr int kVersionsBefore = 10;

// Asynchronous, one shard: what the worker does next it does because the learner answered something.
class WorkerWorld {
 public:
  WorkerWorld() : experiment_(TinyExperiment(ASYNCHRONOUS, 1)), learner_(experiment_) {
    TinyFaults::Get().Reset();
    learner_.on_hello = [this](const std::string& worker_id) { OnHello(worker_id); };
    learner_.on_chunk = [this](const wire::Chunk& chunk) {
      if (goes_on_) learner_.Acknowledge(chunk);
      return grpc::Status::OK;
    };
    for (int i = 0; i < kVersionsBefore; ++i) PublishNext();
    worker_ = std::make_unique<RunningWorker>(learner_.address());
    // Then it waits for acknowledgements.
    const size_t window = experiment_.collection().unacknowledged_window();
    EXPECT_TRUE(learner_.AwaitChunks(window));
  }

  // --- what a learner, its network and a user do
  void PublishNext() { learner_.Publish(WeightsOf(TinyPlan(experiment_), version_++)); }
  void AcknowledgeOldest() { EXPECT_TRUE(learner_.Acknowledge(learner_.chunks().front())); }
  void GrantAgain() { learner_.Grant(0, epoch_); }
  void Cut() { learner_.CutStreams(); }
  // A learner that was started anew: its versions begin lower.
  void ForgetWorkers() {
    learner_.ForgetWorkers();
    version_ = 0;
    forgot_ = true;
    learner_.CutStreams();
  }
  void Stop() {
    ending_ = true;
    worker_->Stop();
  }
  void Drain() {
    ending_ = true;
    EXPECT_TRUE(learner_.Drain());
  }

  // Collection goes on, each lease's chunks come one after the other with their right contents, and the worker goes
  // when it is told to.
  void Finish() {
    if (!ending_) {
      goes_on_ = true;
      PublishNext();
      const size_t before = learner_.chunks().size();
      for (const wire::Chunk& chunk : learner_.chunks()) learner_.Acknowledge(chunk);
      EXPECT_TRUE(learner_.AwaitChunks(before + kLaterChunks)) << "collection stands still";
      Drain();
    }
    EXPECT_EQ(worker_->Wait(), kWorkerDone);
    std::map<uint32_t, uint64_t> next;  // sequence, by lease epoch
    std::map<std::tuple<uint32_t, uint64_t>, std::string> contents;
    for (const wire::Chunk& chunk : learner_.chunks()) {
      const auto [sent, is_new] = contents.emplace(std::tuple(chunk.lease_epoch(), chunk.sequence()), Contents(chunk));
      EXPECT_EQ(sent->second, Contents(chunk)) << "sent again with other contents";
      if (is_new) {
        EXPECT_EQ(chunk.sequence(), next[chunk.lease_epoch()]++) << "of epoch " << chunk.lease_epoch();
      }
      const bool of_this_run = !forgot_ || chunk.lease_epoch() > 1;
      EXPECT_LT(chunk.policy_version(), of_this_run ? version_.load() : kVersionsBefore + 1)
          << "weights of a learner that is gone";
    }
  }

 private:
  // A worker that came back has its lease still, a new one gets another.
  void OnHello(const std::string& worker_id) {
    if (worker_id != known_) ++epoch_;
    known_ = worker_id;
    learner_.Grant(0, epoch_);
    if (forgot_) PublishNext();
  }

  const Experiment experiment_;
  std::atomic<bool> goes_on_ = false, ending_ = false, forgot_ = false;
  std::atomic<uint64_t> version_ = 0;
  std::atomic<uint32_t> epoch_ = 0;
  std::string known_;  // of one stream after the other
  FakeLearner learner_;
  std::unique_ptr<RunningWorker> worker_;
};

enum class Role { kMain, kReads, kWeights, kRollout };

struct Row {
  const char* name;
  const char* event;
  Role role;
  void (WorkerWorld::*act)();
};

// An event is in all pairs by having a row here. Of two, the earlier one is begun first: what cuts a stream comes after
// what needs it.
const Row kRows[] = {
    {"collect", "worker.collect", Role::kRollout, &WorkerWorld::AcknowledgeOldest},
    {"submit", "worker.submit", Role::kRollout, &WorkerWorld::AcknowledgeOldest},
    {"take weights", "worker.weights", Role::kWeights, &WorkerWorld::PublishNext},
    {"take a grant", "worker.receive", Role::kReads, &WorkerWorld::GrantAgain},
    {"lose the stream", "worker.stream_done", Role::kReads, &WorkerWorld::Cut},
    {"drain", "worker.abandon", Role::kMain, &WorkerWorld::Drain},
    {"stop", "worker.finish_chunks", Role::kMain, &WorkerWorld::Stop},
    {"end the session", "worker.session_end", Role::kMain, &WorkerWorld::Cut},
    {"begin a stream", "worker.begin_stream", Role::kMain, &WorkerWorld::Cut},
    {"forget", "worker.forget", Role::kMain, &WorkerWorld::ForgetWorkers},
};

// Why two cannot be under way at once; empty: they can.
std::string WhyNever(const Row& one, const Row& other) {
  const std::string name = other.name;
  if (one.role == other.role) return "one thread, or reactions of one stream";
  const bool a_reaction = one.role == Role::kReads || one.role == Role::kWeights;
  if (a_reaction && (name == "begin a stream" || name == "forget")) return "a session ends after all that it feeds";
  if (one.role == Role::kReads && name == "drain") return "it is read on the same stream";
  return "";
}

// The end of a session waits for what it feeds.
bool WaitsFor(const Row& waiting, const Row& reaction) {
  return std::string(waiting.name) == "end the session" &&
         (reaction.role == Role::kReads || reaction.role == Role::kWeights);
}

Act ActOf(const Row& row, WorkerWorld& world, int skipped = 0) {
  return {.name = row.name,
          .event = row.event,
          .body = [&row, &world] { (world.*row.act)(); },
          .own_thread = true,
          .skipped = skipped};
}

TEST(WorkerOrders, EveryPairBothWays) {
  int orders = 0;
  for (const Row& one : kRows) {
    for (const Row& other : kRows) {
      if (&one >= &other || !WhyNever(one, other).empty()) continue;
      for (const bool one_first : {true, false}) {
        SCOPED_TRACE(absl::StrCat(one_first ? one.name : other.name, ", then ", one_first ? other.name : one.name));
        WorkerWorld world;
        // What makes the rollout thread go on is received as well.
        const bool after_another = one.role == Role::kRollout && other.role == Role::kReads;
        Act of_other = ActOf(other, world, after_another && std::string(other.name) == "take a grant" ? 1 : 0);
        of_other.waits = WaitsFor(other, one);
        if (!one_first && WaitsFor(other, one)) {
          EXPECT_FALSE(EndsWithout(of_other, ActOf(one, world)));
        } else {
          EXPECT_EQ(RunInOrder(ActOf(one, world), of_other, one_first), Came::kInOrder);
        }
        world.Finish();
        if (HasFailure()) return;
        ++orders;
      }
    }
  }
  std::printf("%d orders\n", orders);
}

}  // namespace
}  // namespace troupe::testing
