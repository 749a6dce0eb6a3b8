#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/lease_table.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = LeaseChange::Kind;
using Standing = LeaseTable::Standing;

const SteadyTime kStart = SteadyTime();

class LeaseTableTest : public ::testing::Test {
 protected:
  static LeaseTableOptions Options(int num_shards, int expected_workers = 1) {
    return {num_shards, absl::Seconds(20), expected_workers, absl::Seconds(30)};
  }
  static void Join(LeaseTable& table, const std::string& worker_id, int max_shards = 100, SteadyTime now = kStart) {
    table.AddWorker(worker_id, max_shards, now);
    table.Connect(worker_id, now);
  }
};

TEST_F(LeaseTableTest, GivesNothingBeforeOpen) {
  LeaseTable table(Options(4));
  Join(table, "a");
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
}

TEST_F(LeaseTableTest, ClosingEndsEveryLeaseAndGivesNoMore) {
  LeaseTable table(Options(2));
  table.Open({}, 0, kStart);
  Join(table, "a");
  ASSERT_THAT(table.TakeChanges(kStart), SizeIs(2));
  table.Close();
  const auto changes = table.TakeChanges(kStart);
  ASSERT_THAT(changes, SizeIs(2));
  for (const LeaseChange& change : changes) EXPECT_EQ(change.kind, Kind::kRevoke);
  EXPECT_EQ(table.Find("a", 0, 1, 0), Standing::kOldLease) << "a chunk on its way is no fault of its worker's";
  Join(table, "b");
  table.Connect("a", kStart);
  EXPECT_THAT(table.TakeChanges(kStart + absl::Hours(1)), IsEmpty());
  EXPECT_EQ(table.num_leased(), 0);
  EXPECT_THAT(table.last_epochs(), ElementsAre(1, 1));
}

TEST_F(LeaseTableTest, SpreadsShardsEvenlyOverTheExpectedWorkers) {
  LeaseTable table(Options(5, 2));
  table.Open({}, 7, kStart);
  Join(table, "a");
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
  Join(table, "b");
  const auto changes = table.TakeChanges(kStart);
  ASSERT_THAT(changes, SizeIs(5));
  for (const LeaseChange& change : changes) {
    EXPECT_EQ(change.kind, Kind::kGrant);
    EXPECT_EQ(change.lease.epoch, 1);
    EXPECT_EQ(change.lease.first_update, 7);
  }
  EXPECT_THAT(table.shards_of("a"), ElementsAre(0, 2, 4));
  EXPECT_THAT(table.shards_of("b"), ElementsAre(1, 3));
}

TEST_F(LeaseTableTest, CountsWorkersWithoutALeaseWhileNoShardIsFree) {
  LeaseTable table(Options(2));
  table.Open({}, 0, kStart);
  Join(table, "a");
  EXPECT_EQ(table.num_idle(), 0) << "its shards are to come";
  table.TakeChanges(kStart);
  EXPECT_EQ(table.num_idle(), 0);
  Join(table, "b");
  Join(table, "c");
  EXPECT_EQ(table.num_idle(), 2);
  table.Disconnect("c", kStart);
  EXPECT_EQ(table.num_idle(), 1);
  table.Close();
  EXPECT_EQ(table.num_idle(), 0);
}

TEST_F(LeaseTableTest, LeavesOtherLearnersShardsAlone) {
  LeaseTableOptions options = Options(6);
  options.own_shards = {2, 3};
  LeaseTable table(options);
  table.Open({9, 9, 4, 4, 4, 9}, 7, kStart);
  Join(table, "a");
  EXPECT_THAT(table.TakeChanges(kStart), SizeIs(3));
  EXPECT_THAT(table.shards_of("a"), ElementsAre(2, 3, 4));
  EXPECT_THAT(table.last_epochs(), ElementsAre(9, 9, 5, 5, 5, 9));
  EXPECT_EQ(table.Find("a", 1, 9, 0), Standing::kUnknownShard);
  EXPECT_EQ(table.Find("a", 5, 9, 0), Standing::kUnknownShard);
  EXPECT_EQ(table.Find("a", 4, 5, 0), Standing::kNext);
}

TEST(ShardRange, PartsAreContiguousCompleteAndEven) {
  for (const int shards : {2, 4, 7, 64}) {
    for (int size = 1; size <= std::min(shards, 5); ++size) {
      int next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const ShardRange range = ShardRange::OfRank(shards, rank, size);
        EXPECT_EQ(range.first, next);
        EXPECT_GE(range.count, shards / size);
        EXPECT_LE(range.count, shards / size + 1);
        next += range.count;
      }
      EXPECT_EQ(next, shards);
    }
  }
}

TEST_F(LeaseTableTest, PatienceOpensTheGateForThoseThatCame) {
  LeaseTable table(Options(2, 3));
  table.Open({}, 0, kStart);
  Join(table, "a");
  EXPECT_THAT(table.TakeChanges(kStart + absl::Seconds(29)), IsEmpty());
  EXPECT_THAT(table.TakeChanges(kStart + absl::Seconds(30)), SizeIs(2));
}

TEST_F(LeaseTableTest, NobodyGetsMoreThanItTakes) {
  LeaseTable table(Options(4));
  table.Open({}, 0, kStart);
  Join(table, "a", 3);
  EXPECT_THAT(table.TakeChanges(kStart), SizeIs(3));
  EXPECT_EQ(table.num_leased(), 3);
  Join(table, "b", 1);
  EXPECT_THAT(table.TakeChanges(kStart), SizeIs(1));
  EXPECT_THAT(table.shards_of("b"), ElementsAre(3));
}

TEST_F(LeaseTableTest, EpochsGoOnAboveThoseOfARestart) {
  LeaseTable table(Options(2));
  table.Open({4, 9}, 0, kStart);
  Join(table, "a");
  const auto changes = table.TakeChanges(kStart);
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].lease.epoch, 5);
  EXPECT_EQ(changes[1].lease.epoch, 10);
  EXPECT_THAT(table.last_epochs(), ElementsAre(5, 10));
}

TEST_F(LeaseTableTest, ReconnectingKeepsLeasesAndEpochs) {
  LeaseTable table(Options(2));
  table.Open({}, 0, kStart);
  Join(table, "a");
  table.TakeChanges(kStart);
  table.Advance(0, kStart);
  table.Disconnect("a", kStart);
  EXPECT_THAT(table.Expire(kStart + absl::Seconds(19)), IsEmpty());
  table.Connect("a", kStart + absl::Seconds(19));
  const auto changes = table.TakeChanges(kStart + absl::Seconds(19));
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].lease.epoch, 1);
  EXPECT_EQ(changes[0].lease.first_update, 0);
  EXPECT_EQ(table.next_update(0), 1);
}

TEST_F(LeaseTableTest, ASilentWorkersShardsGoOnElsewhereWhereTheyStopped) {
  LeaseTable table(Options(2));
  table.Open({}, 5, kStart);
  Join(table, "a", 1);
  Join(table, "b", 2);
  table.TakeChanges(kStart);
  table.Advance(0, kStart);
  table.Advance(0, kStart);
  const SteadyTime later = kStart + absl::Seconds(20);
  table.Heard("b", later);
  EXPECT_THAT(table.Expire(later), ElementsAre("a"));
  const auto changes = table.TakeChanges(later);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].worker_id, "b");
  EXPECT_EQ(changes[0].lease.shard, 0);
  EXPECT_EQ(changes[0].lease.epoch, 2);
  EXPECT_EQ(changes[0].lease.first_update, 7);
  EXPECT_FALSE(table.HasWorker("a"));
}

TEST_F(LeaseTableTest, StandingsOfChunks) {
  LeaseTable table(Options(2));
  table.Open({}, 0, kStart);
  Join(table, "a", 1);
  Join(table, "b", 2);
  table.TakeChanges(kStart);
  table.Advance(0, kStart);
  EXPECT_EQ(table.Find("a", 0, 1, 1), Standing::kNext);
  EXPECT_EQ(table.Find("a", 0, 1, 0), Standing::kDuplicate);
  EXPECT_EQ(table.Find("a", 0, 1, 2), Standing::kGap);
  EXPECT_EQ(table.Find("a", 0, 0, 0), Standing::kUnknownLease);
  EXPECT_EQ(table.Find("a", 0, 2, 0), Standing::kUnknownLease);
  EXPECT_EQ(table.Find("a", 2, 1, 0), Standing::kUnknownShard);
  EXPECT_EQ(table.Find("b", 0, 1, 1), Standing::kOldLease);
  table.RemoveWorker("a", kStart);
  EXPECT_EQ(table.Find("a", 0, 1, 1), Standing::kOldLease);
  table.TakeChanges(kStart);
  EXPECT_EQ(table.Find("b", 0, 1, 1), Standing::kOldLease);
  EXPECT_EQ(table.Find("b", 0, 2, 0), Standing::kNext);
}

TEST_F(LeaseTableTest, AJoiningWorkerGetsShardsBetweenChunksUntilEven) {
  LeaseTable table(Options(4));
  table.Open({}, 0, kStart);
  Join(table, "a");
  table.TakeChanges(kStart);
  Join(table, "b");
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
  table.Advance(2, kStart);
  const auto changes = table.TakeChanges(kStart);
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].kind, Kind::kRevoke);
  EXPECT_EQ(changes[0].worker_id, "a");
  EXPECT_EQ(changes[0].lease.epoch, 1);
  EXPECT_EQ(changes[1].kind, Kind::kGrant);
  EXPECT_EQ(changes[1].worker_id, "b");
  EXPECT_EQ(changes[1].lease.epoch, 2);
  EXPECT_EQ(changes[1].lease.first_update, 1);
  table.Advance(0, kStart);
  EXPECT_THAT(table.TakeChanges(kStart), SizeIs(2));
  table.Advance(1, kStart);
  table.Advance(3, kStart);
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
  EXPECT_THAT(table.shards_of("b"), ElementsAre(0, 2));
}

TEST_F(LeaseTableTest, WithAConstantSetOfWorkersNoLeaseEverMoves) {
  for (int num_shards = 1; num_shards <= 9; ++num_shards) {
    for (int num_workers = 1; num_workers <= 4; ++num_workers) {
      LeaseTable table(Options(num_shards, num_workers));
      table.Open({}, 0, kStart);
      for (int w = 0; w < num_workers; ++w) Join(table, std::string(1, static_cast<char>('a' + w)));
      table.TakeChanges(kStart);
      for (int update = 0; update < 3; ++update) {
        for (int shard = 0; shard < num_shards; ++shard) table.Advance(shard, kStart);
      }
      EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
      EXPECT_EQ(table.last_epochs(), std::vector<uint32_t>(num_shards, 1));
    }
  }
}

TEST_F(LeaseTableTest, AFailedLeaseIsGivenAgainAfterADelayThatDoubles) {
  LeaseTable table(Options(1));
  table.Open({}, 0, kStart);
  Join(table, "a");
  table.TakeChanges(kStart);
  SteadyTime now = kStart;
  EXPECT_FALSE(table.FailLease("b", 0, 1, now));
  EXPECT_FALSE(table.FailLease("a", 0, 2, now));
  EXPECT_FALSE(table.FailLease("a", 1, 1, now));
  for (uint32_t epoch = 1; epoch < 12; ++epoch) {
    ASSERT_TRUE(table.FailLease("a", 0, epoch, now));
    const absl::Duration delay = std::min(absl::Milliseconds(100) * (1 << (epoch - 1)), absl::Seconds(20));
    EXPECT_THAT(table.TakeChanges(now + delay - absl::Milliseconds(1)), IsEmpty());
    now += delay;
    const auto changes = table.TakeChanges(now);
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_EQ(changes[0].lease.epoch, epoch + 1);
    EXPECT_EQ(changes[0].lease.first_update, 0);
  }
  table.Advance(0, now);
  ASSERT_TRUE(table.FailLease("a", 0, 12, now));
  EXPECT_THAT(table.TakeChanges(now + absl::Milliseconds(100)), SizeIs(1)) << "a chunk ends the doubling";
}

TEST_F(LeaseTableTest, AFailedLeasePrefersAnotherWorker) {
  LeaseTable table(Options(1, 2));
  table.Open({}, 0, kStart);
  Join(table, "a");
  Join(table, "b");
  table.TakeChanges(kStart);
  ASSERT_TRUE(table.FailLease("a", 0, 1, kStart));
  const auto changes = table.TakeChanges(kStart + absl::Seconds(1));
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].worker_id, "b");
}

TEST_F(LeaseTableTest, AFailedLeaseGoesRoundAllWorkersBeforeOneGetsItAgain) {
  LeaseTable table(Options(1, 4));
  table.Open({}, 0, kStart);
  for (const char* id : {"a", "b", "c", "d"}) Join(table, id);
  std::set<std::string> tried;
  SteadyTime now = kStart;
  for (uint32_t epoch = 1; epoch <= 4; ++epoch, now += absl::Seconds(1)) {
    const auto changes = table.TakeChanges(now);
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_TRUE(tried.insert(changes[0].worker_id).second) << changes[0].worker_id;
    ASSERT_TRUE(table.FailLease(changes[0].worker_id, 0, epoch, now));
  }
}

// Fails what is leased until a shard is hopeless; returns how often, and how long it took.
std::pair<int, absl::Duration> FailUntilHopeless(LeaseTable& table, bool only_if_all = false) {
  SteadyTime now = kStart;
  for (int failures = 0; failures < 200; now += absl::Milliseconds(100)) {
    for (const LeaseChange& change : table.TakeChanges(now)) {
      if (change.kind != Kind::kGrant) continue;
      EXPECT_TRUE(table.FailLease(change.worker_id, change.lease.shard, change.lease.epoch, now));
      ++failures;
      if (table.FindHopeless(only_if_all).has_value()) return {failures, now - kStart};
    }
  }
  return {0, absl::ZeroDuration()};
}

TEST_F(LeaseTableTest, AShardThatFailsOnEveryWorkerBecomesHopeless) {
  LeaseTable table(Options(1, 2));
  table.Open({}, 0, kStart);
  Join(table, "a");
  Join(table, "b");
  EXPECT_FALSE(table.FindHopeless(false).has_value());
  EXPECT_EQ(FailUntilHopeless(table), std::pair(8, absl::Milliseconds(12700)));
  const auto found = table.FindHopeless(false);
  EXPECT_EQ(found->failures, 8);
  EXPECT_EQ(found->workers, 2);

  table.TakeChanges(kStart + absl::Hours(1));
  table.Advance(0, kStart);
  EXPECT_FALSE(table.FindHopeless(false).has_value()) << "a chunk came";
}

TEST_F(LeaseTableTest, AfterAChunkFailuresAreWaitedOutLonger) {
  LeaseTable table(Options(1));
  table.Open({}, 0, kStart);
  Join(table, "a");
  table.TakeChanges(kStart);
  table.Advance(0, kStart);
  ASSERT_TRUE(table.FailLease("a", 0, 1, kStart));
  const auto [failures, duration] = FailUntilHopeless(table);
  EXPECT_EQ(failures + 1, 16);
  EXPECT_GT(duration, absl::Seconds(160));
}

TEST_F(LeaseTableTest, OneWorkerThatAlwaysFailsDoesNotMakeAShardHopeless) {
  LeaseTable table(Options(2, 2));
  table.Open({}, 0, kStart);
  Join(table, "bad");
  Join(table, "good");
  SteadyTime now = kStart;
  for (int round = 0; round < 100; ++round, now += absl::Seconds(20)) {
    for (const LeaseChange& change : table.TakeChanges(now)) {
      if (change.kind != Kind::kGrant) continue;
      if (change.worker_id == "bad") {
        table.FailLease("bad", change.lease.shard, change.lease.epoch, now);
      } else {
        table.Advance(change.lease.shard, now);
      }
    }
    ASSERT_FALSE(table.FindHopeless(false).has_value()) << round;
  }
}

TEST_F(LeaseTableTest, WhereOthersHaveNoRoomTwiceAsManyFailuresAreNeeded) {
  LeaseTable table(Options(3, 3));
  table.Open({}, 0, kStart);
  Join(table, "a", 1);
  Join(table, "b", 1);
  Join(table, "c", 1);
  table.TakeChanges(kStart);
  ASSERT_TRUE(table.FailLease("a", 0, 1, kStart));
  EXPECT_EQ(FailUntilHopeless(table).first + 1, 16);
}

TEST_F(LeaseTableTest, FirstComeFirstTrainedGoesOnWhileOneShardIsLeft) {
  LeaseTable table(Options(2));
  table.Open({}, 0, kStart);
  Join(table, "a");
  EXPECT_GE(FailUntilHopeless(table, /*only_if_all=*/true).first, 16);
  table.TakeChanges(kStart + absl::Hours(1));
  table.Advance(1, kStart);
  EXPECT_FALSE(table.FindHopeless(true).has_value());
}

TEST_F(LeaseTableTest, OneThatLostItsStreamIsGoneSoonerThanOneThatIsSilent) {
  LeaseTableOptions options = Options(3, 3);
  options.reconnect_timeout = absl::Seconds(3);
  LeaseTable table(options);
  table.Open({}, 0, kStart);
  for (const char* worker : {"cut", "silent", "back"}) Join(table, worker);
  table.TakeChanges(kStart);
  table.Disconnect("cut", kStart);
  table.Disconnect("back", kStart);
  table.Connect("back", kStart + absl::Seconds(2));
  table.TakeChanges(kStart);
  EXPECT_THAT(table.Expire(kStart + absl::Milliseconds(2999)), IsEmpty());
  EXPECT_THAT(table.Expire(kStart + absl::Seconds(3)), ElementsAre("cut"));
  const auto changes = table.TakeChanges(kStart + absl::Seconds(3));
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].worker_id, "silent");
  EXPECT_EQ(changes[0].lease.epoch, 2);
  EXPECT_THAT(table.Expire(kStart + absl::Seconds(19)), IsEmpty());
  EXPECT_THAT(table.Expire(kStart + absl::Seconds(20)), ElementsAre("silent"));
}

TEST_F(LeaseTableTest, AWaitForTheStreamIsNeverLongerThanForWords) {
  LeaseTableOptions options = Options(1);
  options.reconnect_timeout = absl::Seconds(60);
  LeaseTable table(options);
  Join(table, "a");
  table.Disconnect("a", kStart);
  EXPECT_THAT(table.Expire(kStart + absl::Seconds(20)), ElementsAre("a"));
}

// Workers that come, go and come back in any order: whoever gets a lease had the fewest of those with room, the first
// registered of equals, by a count of its own.
TEST_F(LeaseTableTest, EveryLeaseGoesToTheLeastLoadedHoweverWorkersComeAndGo) {
  struct Known {
    int order = 0, room = 0;
    bool connected = false;
    std::set<uint32_t> shards;
  };
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](int below) { return static_cast<int>(random() % below); };
    constexpr int kShards = 23;
    LeaseTable table(Options(kShards));
    table.Open({}, 0, kStart);
    std::map<std::string, Known> known;
    int joined = 0, grants = 0;
    for (int step = 0; step < 2000; ++step) {
      const std::string some = known.empty() ? "" : std::next(known.begin(), pick(known.size()))->first;
      std::string advanced;
      uint32_t shard = 0;
      switch (pick(6)) {
        case 0:
          if (known.size() < 9) {
            const std::string id = "w" + std::to_string(joined);
            known[id] = {joined++, 1 + pick(8), true, {}};
            Join(table, id, known[id].room);
          }
          break;
        case 1:
          table.RemoveWorker(some, kStart);
          known.erase(some);
          break;
        case 2:
          table.Disconnect(some, kStart);
          if (!some.empty()) known[some].connected = false;
          break;
        case 3:
          // Its leases are granted to it again, which is none of the choices looked at here.
          if (some.empty()) break;
          table.Connect(some, kStart);
          known[some].connected = true;
          ASSERT_THAT(table.TakeChanges(kStart), Each(Field(&LeaseChange::kind, Kind::kGrant)));
          for (auto& [id, worker] : known) {
            const std::vector<uint32_t> held = table.shards_of(id);
            worker.shards = {held.begin(), held.end()};
          }
          break;
        default:
          if (some.empty() || known[some].shards.empty()) break;
          shard = *known[some].shards.begin();
          table.Advance(shard, kStart);
      }
      for (const LeaseChange& change : table.TakeChanges(kStart)) {
        Known& worker = known.at(change.worker_id);
        if (change.kind == Kind::kRevoke) {
          ASSERT_EQ(worker.shards.erase(change.lease.shard), 1);
          continue;
        }
        ++grants;
        for (const auto& [id, other] : known) {
          if (!other.connected || static_cast<int>(other.shards.size()) >= other.room || id == change.worker_id)
            continue;
          ASSERT_LE(std::pair(worker.shards.size(), worker.order), std::pair(other.shards.size(), other.order))
              << "seed " << seed << ", step " << step << ": " << change.worker_id << ", not " << id;
        }
        ASSERT_TRUE(worker.shards.insert(change.lease.shard).second);
      }
      int leased = 0, connected = 0;
      for (const auto& [id, worker] : known) {
        ASSERT_THAT(table.shards_of(id), ElementsAreArray(worker.shards));
        leased += static_cast<int>(worker.shards.size());
        connected += worker.connected ? 1 : 0;
      }
      ASSERT_EQ(table.num_leased(), leased);
      ASSERT_EQ(table.num_connected(), connected);
    }
    EXPECT_GT(grants, 500);
  }
}

}  // namespace
}  // namespace troupe
