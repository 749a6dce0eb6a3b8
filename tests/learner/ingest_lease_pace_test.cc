// Shards that move to where their chunks come sooner.
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/lease_table.h"

namespace troupe {
namespace {

using Kind = LeaseChange::Kind;

// Workers that collect one chunk after the other, each at its own speed, for the shard of theirs that has waited
// longest.
class Asynchronous {
 public:
  explicit Asynchronous(int shards, bool by_pace, const std::map<std::string, absl::Duration>& seconds_per_chunk)
      : table_([&] {
          LeaseTableOptions options{shards, absl::Seconds(20), static_cast<int>(seconds_per_chunk.size()),
                                    absl::Seconds(30)};
          options.by_pace = by_pace;
          return options;
        }()) {
    table_.Open({}, 0, now_);
    for (const auto& [worker_id, seconds] : seconds_per_chunk) Join(worker_id, seconds);
    Settle();
  }

  void Join(const std::string& worker_id, absl::Duration per_chunk) {
    table_.AddWorker(worker_id, 100, now_);
    table_.Connect(worker_id, now_);
    workers_[worker_id] = {per_chunk, now_ + per_chunk, 0};
  }

  void RunFor(absl::Duration time) {
    const SteadyTime end = now_ + time;
    while (true) {
      auto next = workers_.begin();
      for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
        if (worker->second.ready < next->second.ready) next = worker;
      }
      if (next->second.ready > end) break;
      now_ = next->second.ready;
      next->second.ready = now_ + next->second.per_chunk;
      const auto shards = table_.shards_of(next->first);
      if (shards.empty()) continue;
      table_.Advance(shards[next->second.turn++ % shards.size()], now_, next->first);
      Settle();
    }
    now_ = end;
  }

  size_t shards_of(const std::string& worker_id) const { return table_.shards_of(worker_id).size(); }
  int moves() const { return moves_; }

 private:
  struct Worker {
    absl::Duration per_chunk;
    SteadyTime ready;
    size_t turn = 0;
  };
  void Settle() {
    for (const LeaseChange& change : table_.TakeChanges(now_)) moves_ += change.kind == Kind::kRevoke ? 1 : 0;
  }

  SteadyTime now_ = SteadyTime();
  LeaseTable table_;
  std::map<std::string, Worker> workers_;
  int moves_ = 0;
};

TEST(LeasePaceTest, ShardsMoveFromTheSlowToTheFastUntilTheirChunksComeAboutAsOften) {
  // Four times as fast: of ten shards eight would be the fast one's, and within a factor of 1.5 seven to nine are.
  Asynchronous run(10, true, {{"fast", absl::Seconds(1)}, {"slow", absl::Seconds(4)}});
  EXPECT_EQ(run.shards_of("fast"), 5);
  run.RunFor(absl::Minutes(20));
  EXPECT_GE(run.shards_of("fast"), 7);
  EXPECT_LE(run.shards_of("fast"), 9);
  const int moves = run.moves();
  EXPECT_LE(moves, 4);
  run.RunFor(absl::Hours(2));
  EXPECT_EQ(run.moves(), moves) << "and there they stay";
}

TEST(LeasePaceTest, WhoIsSlowKeepsItsLastShard) {
  Asynchronous run(4, true, {{"fast", absl::Seconds(1)}, {"slow", absl::Seconds(100)}});
  run.RunFor(absl::Hours(10));
  EXPECT_EQ(run.shards_of("fast"), 3);
  EXPECT_EQ(run.shards_of("slow"), 1);
}

TEST(LeasePaceTest, ThoseWhoAreAsFastKeepWhatTheyHave) {
  Asynchronous run(9, true, {{"a", absl::Seconds(1)}, {"b", absl::Milliseconds(1100)}, {"c", absl::Milliseconds(900)}});
  run.RunFor(absl::Hours(1));
  EXPECT_EQ(run.moves(), 0);
}

TEST(LeasePaceTest, WhoJoinsGetsItsShareBeforeItsPaceIsKnownAndMoreByItsPace) {
  Asynchronous run(12, true, {{"a", absl::Seconds(2)}});
  run.RunFor(absl::Minutes(2));
  run.Join("b", absl::Milliseconds(500));
  run.RunFor(absl::Minutes(1));
  EXPECT_GE(run.shards_of("b"), 5);
  run.RunFor(absl::Minutes(20));
  EXPECT_GE(run.shards_of("b"), 8);
}

TEST(LeasePaceTest, WithoutItTheyAreSpreadByTheirNumberAlone) {
  Asynchronous run(10, false, {{"fast", absl::Seconds(1)}, {"slow", absl::Seconds(4)}});
  run.RunFor(absl::Minutes(20));
  EXPECT_EQ(run.moves(), 0);
  EXPECT_EQ(run.shards_of("slow"), 5);
}

}  // namespace
}  // namespace troupe
