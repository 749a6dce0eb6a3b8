// Leases that are two workers' at once, and leases that all end together.
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/lease_table.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = LeaseChange::Kind;
using Standing = LeaseTable::Standing;

const SteadyTime kStart = SteadyTime();

class SecondLeasesTest : public ::testing::Test {
 protected:
  static LeaseTableOptions Options(int num_shards, int twice, uint64_t lease_updates = 0) {
    LeaseTableOptions options{num_shards, absl::Seconds(20), 2, absl::Seconds(30)};
    options.speculative_leases = twice;
    options.lease_updates = lease_updates;
    options.max_behind = 3;
    return options;
  }
  static void Join(LeaseTable& table, const std::string& worker_id, int max_shards = 100) {
    table.AddWorker(worker_id, max_shards, kStart);
    table.Connect(worker_id, kStart);
  }
  // A table of `a` and `b`, who have what they get at first.
  static LeaseTable OfTwo(const LeaseTableOptions& options) {
    LeaseTable table(options);
    table.Open({}, 0, kStart);
    Join(table, "a");
    Join(table, "b");
    table.TakeChanges(kStart);
    return table;
  }
  // The worker brings the shard's next chunk, if it is the first to. Returns what it is to the table.
  static Standing Bring(LeaseTable& table, const std::string& worker_id, uint32_t shard, uint64_t sequence) {
    const Standing standing = table.Find(worker_id, shard, table.last_epochs()[shard], sequence);
    if (standing == Standing::kNext) table.Advance(shard, kStart, worker_id);
    if (standing == Standing::kDuplicate) table.Repeat(shard, worker_id, sequence);
    return standing;
  }
};

TEST_F(SecondLeasesTest, BothWorkersAreGrantedTheSameLeaseAndTheFirstToBringAChunkIsHeard) {
  LeaseTable table(Options(2, 2));
  table.Open({}, 7, kStart);
  Join(table, "a");
  Join(table, "b");
  const std::vector<LeaseChange> changes = table.TakeChanges(kStart);
  ASSERT_THAT(changes, SizeIs(4));
  for (const LeaseChange& change : changes) {
    EXPECT_EQ(change.kind, Kind::kGrant);
    EXPECT_EQ(change.lease.epoch, 1);
    EXPECT_EQ(change.lease.first_update, 7);
  }
  EXPECT_THAT(table.shards_of("a"), ElementsAre(0, 1));
  EXPECT_THAT(table.shards_of("b"), ElementsAre(0, 1));
  EXPECT_EQ(table.num_leased(), 2);
  EXPECT_EQ(table.num_leased_twice(), 2);
  EXPECT_EQ(Bring(table, "b", 0, 0), Standing::kNext);
  EXPECT_EQ(Bring(table, "a", 0, 0), Standing::kDuplicate);
  EXPECT_EQ(Bring(table, "a", 0, 1), Standing::kNext);
  EXPECT_EQ(Bring(table, "b", 0, 1), Standing::kDuplicate);
  EXPECT_EQ(table.next_update(0), 9);
}

TEST_F(SecondLeasesTest, ALostWorkersSharesGoOnWithTheSameEpoch) {
  LeaseTable table = OfTwo(Options(2, 2));
  EXPECT_EQ(Bring(table, "a", 0, 0), Standing::kNext);
  table.RemoveWorker("a", kStart);
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty()) << "who is left has them already";
  EXPECT_EQ(Bring(table, "b", 0, 0), Standing::kDuplicate);
  EXPECT_EQ(Bring(table, "b", 0, 1), Standing::kNext);
  EXPECT_EQ(Bring(table, "b", 1, 0), Standing::kNext);
  EXPECT_THAT(table.last_epochs(), ElementsAre(1, 1));
  EXPECT_EQ(table.num_leased(), 2);
  EXPECT_EQ(table.num_leased_twice(), 0);
  table.RemoveWorker("b", kStart);
  EXPECT_EQ(table.num_leased(), 0);
}

TEST_F(SecondLeasesTest, AFailureOfOneCostsNothing) {
  LeaseTable table = OfTwo(Options(1, 1));
  EXPECT_TRUE(table.FailLease("a", 0, 1, kStart));
  EXPECT_FALSE(table.FailLease("a", 0, 1, kStart)) << "it has it no more";
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
  EXPECT_EQ(Bring(table, "b", 0, 0), Standing::kNext);
  EXPECT_TRUE(table.FailLease("b", 0, 1, kStart));
  EXPECT_EQ(table.num_leased(), 0);
  EXPECT_THAT(table.TakeChanges(kStart + absl::Seconds(1)), SizeIs(2)) << "leased again, and to the other as well";
}

TEST_F(SecondLeasesTest, WhoIsTooFarBehindLosesItsPart) {
  LeaseTable table = OfTwo(Options(1, 1));
  for (uint64_t sequence = 0; sequence < 3; ++sequence) EXPECT_EQ(Bring(table, "b", 0, sequence), Standing::kNext);
  EXPECT_EQ(Bring(table, "a", 0, 0), Standing::kDuplicate);
  EXPECT_EQ(Bring(table, "b", 0, 3), Standing::kNext) << "a is three behind";
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
  EXPECT_EQ(Bring(table, "b", 0, 4), Standing::kNext) << "and now four";
  const std::vector<LeaseChange> changes = table.TakeChanges(kStart);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].kind, Kind::kRevoke);
  EXPECT_EQ(changes[0].worker_id, "a");
  EXPECT_EQ(Bring(table, "a", 0, 1), Standing::kOldLease);
  EXPECT_EQ(Bring(table, "b", 0, 5), Standing::kNext);
  EXPECT_THAT(table.last_epochs(), ElementsAre(1));
}

TEST_F(SecondLeasesTest, NobodyJoinsALeaseOfWhichThereAreChunks) {
  LeaseTable table = OfTwo(Options(1, 1));
  table.RemoveWorker("a", kStart);
  Bring(table, "b", 0, 0);
  Join(table, "c");
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty());
  EXPECT_EQ(table.num_idle(), 1);
}

TEST_F(SecondLeasesTest, NoMoreThanSoManyAreLeasedTwiceAndNeverToOneWorkerAlone) {
  LeaseTable table = OfTwo(Options(4, 3));
  EXPECT_EQ(table.num_leased_twice(), 3);
  LeaseTable alone(Options(4, 4));
  alone.Open({}, 0, kStart);
  Join(alone, "a");
  EXPECT_THAT(alone.TakeChanges(kStart + absl::Minutes(1)), SizeIs(4));
  EXPECT_EQ(alone.num_leased_twice(), 0);
  LeaseTable full(Options(2, 2));
  full.Open({}, 0, kStart);
  Join(full, "a", 1);
  Join(full, "b", 1);
  EXPECT_THAT(full.TakeChanges(kStart), SizeIs(2)) << "there is no room for more";
}

TEST_F(SecondLeasesTest, AllLeasesEndWithTheSameUpdateAndGoToWhoIsThereByThen) {
  LeaseTable table(Options(4, 0, 5));
  table.Open({}, 3, kStart);
  Join(table, "a");
  Join(table, "b");
  EXPECT_THAT(table.TakeChanges(kStart), SizeIs(4));
  for (uint32_t shard = 0; shard < 4; ++shard) Bring(table, shard % 2 == 0 ? "a" : "b", shard, 0);
  Join(table, "c");
  Join(table, "d");
  EXPECT_THAT(table.TakeChanges(kStart), IsEmpty()) << "none moves between";
  std::set<std::string> granted;
  for (uint32_t shard = 0; shard < 4; ++shard) {
    const std::string holder = shard % 2 == 0 ? "a" : "b";
    Bring(table, holder, shard, 1);  // of update 4: the next is 5
    const std::vector<LeaseChange> changes = table.TakeChanges(kStart);
    ASSERT_THAT(changes, SizeIs(2));
    EXPECT_EQ(changes[0].kind, Kind::kRevoke);
    EXPECT_EQ(changes[0].worker_id, holder);
    EXPECT_EQ(changes[1].kind, Kind::kGrant);
    EXPECT_EQ(changes[1].lease.epoch, 2);
    EXPECT_EQ(changes[1].lease.first_update, 5);
    granted.insert(changes[1].worker_id);
  }
  EXPECT_EQ(granted.size(), 4) << "one each";
}

TEST_F(SecondLeasesTest, WhoWasLostIsReplacedWhenLeasesEnd) {
  LeaseTable table = OfTwo(Options(2, 2, 4));
  table.RemoveWorker("a", kStart);
  Join(table, "c");
  for (uint64_t sequence = 0; sequence < 4; ++sequence) {
    EXPECT_EQ(table.num_leased_twice(), 0);
    for (uint32_t shard = 0; shard < 2; ++shard) EXPECT_EQ(Bring(table, "b", shard, sequence), Standing::kNext);
    table.TakeChanges(kStart);
  }
  EXPECT_EQ(table.num_leased_twice(), 2);
  EXPECT_THAT(table.shards_of("b"), ElementsAre(0, 1));
  EXPECT_THAT(table.shards_of("c"), ElementsAre(0, 1));
  EXPECT_THAT(table.last_epochs(), ElementsAre(2, 2));
}

TEST_F(SecondLeasesTest, TheShardThatTheOthersWaitForIsTheOneThatIsLeasedTwice) {
  LeaseTable table = OfTwo(Options(3, 1, 8));
  const uint32_t slow = 2;
  const auto bring_all = [&](uint64_t sequence) {
    for (uint32_t shard = 0; shard < 3; ++shard) {  // the slow one last
      for (const std::string worker_id : {"a", "b"}) {
        if (table.Find(worker_id, shard, table.last_epochs()[shard], sequence) == Standing::kNext) {
          Bring(table, worker_id, shard, sequence);
          break;
        }
      }
    }
  };
  for (uint64_t sequence = 0; sequence < 8; ++sequence) bring_all(sequence);
  table.TakeChanges(kStart);
  EXPECT_EQ(table.num_leased_twice(), 1);
  const auto has = [&](const std::string& worker_id) {
    const std::vector<uint32_t> shards = table.shards_of(worker_id);
    return std::set<uint32_t>(shards.begin(), shards.end()).contains(slow);
  };
  EXPECT_TRUE(has("a") && has("b"));
}

}  // namespace
}  // namespace troupe
