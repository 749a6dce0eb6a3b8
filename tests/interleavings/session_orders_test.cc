// Every event of a learner's session before and after every other that can happen on another thread.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/interleavings/orders.h"
#include "tests/interleavings/session_world.h"

namespace troupe::testing {
namespace {

// Of which there is one thread each, but for peers.
enum class Role { kTraining, kMaintenance, kWeights, kPeer };

struct Traits {
  bool sends = false;       // a message on the worker's stream
  bool loses = false;       // a lease, or the run
  bool own_thread = false;  // the act only makes it happen
  bool comes_last = false;  // what leads there ends what others need
  bool is_alone = false;    // a release, and nothing else
  bool is_chunk = false;
  bool is_of_queue = false;  // ASYNCHRONOUS alone
  std::vector<Moment> moments = {std::begin(kMoments), std::end(kMoments)};
};

struct Row {
  const char* name;
  const char* event;
  Role role;
  std::function<void(SessionWorld&, int side)> act;
  Traits traits;
};

// An event of the session is in all pairs by having a row here; SyncPoints.EachIsInATable looks for missing ones.
const std::vector<Row>& Rows() {
  using World = SessionWorld;
  const auto train = [](World& world, int) { world.Train(); };
  const auto release = [](World& world, int) { world.Release(); };
  const auto chunk = [](World& world, int side) { world.SendChunk(side); };
  const auto result = [](World& world, int side) { world.SendResult(side); };
  const auto maintain = [](World& world, int) { world.Maintain(); };
  const auto end_run = [](World& world, int) { world.Drain(true); };
  const std::vector<Moment> has_room = {Moment::kBetweenUpdates, Moment::kReleased};
  static const auto* const rows = new std::vector<Row>{
      {"peek", "batch.peek", Role::kTraining, train},
      {"take", "batch.take", Role::kTraining, train},
      {"admit a version", "weights.admit", Role::kTraining, train},
      {"publish", "weights.publish", Role::kTraining, train},
      {"release", "batch.release", Role::kTraining, train},
      {"wake who waits", "batch.wake", Role::kTraining, train},
      {"release alone",
       "batch.release",
       Role::kTraining,
       release,
       {.is_alone = true, .moments = {Moment::kUnreleased}}},
      {"wake alone", "batch.wake", Role::kTraining, release, {.is_alone = true, .moments = {Moment::kUnreleased}}},
      {"look at leases", "snapshot.ingest", Role::kTraining, train},
      {"request an evaluation", "evaluation.request", Role::kTraining,
       [](World& world, int) { world.RequestEvaluation(); }},
      {"end collection",
       "collection.end",
       Role::kTraining,
       [](World& world, int) { world.EndCollection(); },
       {.loses = true}},
      {"drain", "drain.begin", Role::kTraining, end_run, {.loses = true}},
      {"drain to go on later",
       "drain.begin",
       Role::kTraining,
       [](World& world, int) { world.Drain(false); },
       {.loses = true}},
      {"wait for goodbyes", "drain.wait", Role::kTraining, end_run, {.loses = true, .comes_last = true}},
      {"cut weights", "drain.cut_weights", Role::kTraining, end_run, {.loses = true, .comes_last = true}},
      {"cut streams to go on later",
       "drain.cut_streams",
       Role::kTraining,
       [](World& world, int) { world.Drain(false); },
       {.loses = true, .comes_last = true}},
      {"cut streams", "drain.cut_streams", Role::kTraining, end_run, {.loses = true, .comes_last = true}},

      {"announce weights", "weights.announce", Role::kWeights, train, {.own_thread = true}},

      {"maintain", "maintain.look", Role::kMaintenance, maintain},
      {"lose the silent",
       "maintain.look",
       Role::kMaintenance,
       [](World& world, int) { world.LoseEverybody(); },
       {.loses = true}},
      {"resume the parked", "maintain.resume", Role::kMaintenance, maintain, {.moments = {Moment::kReleased}}},
      {"have resumed", "maintain.resumed", Role::kMaintenance, maintain, {.moments = {Moment::kReleased}}},
      {"tell by maintenance", "evaluation.tell", Role::kMaintenance, maintain},

      {"register", "worker.register", Role::kPeer, [](World& world, int) { world.Register(); }},
      {"leave", "worker.leave", Role::kPeer, [](World& world, int side) { world.Leave(side); }, {.loses = true}},
      {"say still here", "worker.still_here", Role::kPeer, [](World& world, int side) { world.SayStillHere(side); }},
      {"subscribe", "weights.subscribe", Role::kPeer, [](World& world, int side) { world.Subscribe(side); }},
      {"open a stream", "stream.open", Role::kPeer, [](World& world, int) { world.OpenStream(); }},
      {"reconnect", "stream.hello", Role::kPeer, [](World& world, int side) { world.Reconnect(side); }},
      {"lose the stream",
       "stream.close",
       Role::kPeer,
       [](World& world, int side) { world.CloseStream(side, false); },
       {.sends = true}},
      {"half-close",
       "stream.close",
       Role::kPeer,
       [](World& world, int side) { world.CloseStream(side, true); },
       {.sends = true, .loses = true}},
      {"beat", "stream.hear", Role::kPeer, [](World& world, int side) { world.Beat(side); }, {.sends = true}},
      {"queue a chunk", "chunk.queue", Role::kPeer, chunk, {.sends = true, .is_of_queue = true}},
      {"decide on a chunk", "chunk.decide", Role::kPeer, chunk, {.sends = true, .is_chunk = true, .moments = has_room}},
      {"decide to park",
       "chunk.decide",
       Role::kPeer,
       chunk,
       {.sends = true, .is_chunk = true, .moments = {Moment::kUnreleased}}},
      {"fill in a chunk", "chunk.fill", Role::kPeer, chunk, {.sends = true, .is_chunk = true, .moments = has_room}},
      {"acknowledge", "chunk.acknowledge", Role::kPeer, chunk, {.sends = true, .is_chunk = true, .moments = has_room}},
      {"use the newest weights",
       "test.use",
       Role::kPeer,
       [](World& world, int side) { world.UseNewestWeights(side); },
       {.sends = true, .is_chunk = true, .is_of_queue = true}},
      {"refuse a chunk",
       "chunk.refuse",
       Role::kPeer,
       [](World& world, int side) { world.SendMalformedChunk(side); },
       {.sends = true, .loses = true, .is_chunk = true}},
      {"give a shard up",
       "lease.fail",
       Role::kPeer,
       [](World& world, int side) { world.FailLease(side); },
       {.sends = true, .loses = true}},
      {"evaluation's result", "evaluation.result", Role::kPeer, result, {.sends = true}},
      {"tell of an evaluation", "evaluation.tell", Role::kPeer, result, {.sends = true}},
  };
  return *rows;
}

// `ctest -C full -L all_orders`: all pairs at all moments.
bool IsLong() { return std::getenv("TROUPE_ALL_ORDERS") != nullptr; }

Act ActOf(const Row& row, SessionWorld& world, int side) {
  return {.name = row.name,
          .event = row.event,
          .body = [&row, &world, side] { row.act(world, side); },
          .own_thread = row.traits.own_thread};
}

class SessionOrders : public ::testing::TestWithParam<std::tuple<CollectionMode, Moment>> {
 protected:
  static bool IsHere(const Row& row) {
    const auto [mode, moment] = GetParam();
    if (row.traits.is_of_queue && mode != ASYNCHRONOUS) return false;
    // There a chunk waits before it is looked at, as long as others do or nothing is free.
    if (mode == ASYNCHRONOUS && row.traits.is_chunk && moment != Moment::kBetweenUpdates) return false;
    return std::ranges::find(row.traits.moments, moment) != row.traits.moments.end();
  }

  // Whether there are two threads for these, and streams enough for these workers.
  static bool CanMeet(const Row& one, const Row& other, std::pair<int, int> subjects) {
    if (one.role == other.role && one.role != Role::kPeer) return false;
    if (one.traits.comes_last && !other.traits.comes_last) return false;
    // To have another version announced, that batch is released.
    if (one.traits.is_alone ? other.role == Role::kWeights : other.traits.is_alone && one.role == Role::kWeights) {
      return false;
    }
    const bool both_peers = one.role == Role::kPeer && other.role == Role::kPeer;
    const bool of_parked = subjects.first == 2;
    if (of_parked && std::get<Moment>(GetParam()) == Moment::kBetweenUpdates) return false;
    // Nothing comes on a stream that waits, but for its end.
    if (of_parked && one.traits.sends && std::string(one.event) != "stream.close") return false;
    const bool a_peer = one.role == Role::kPeer || other.role == Role::kPeer;
    return both_peers || subjects.first == 0 ? subjects.first == subjects.second || both_peers : a_peer;
  }

  void Meet(const Row& one, const Row& other, std::pair<int, int> subjects, bool one_first) {
    const auto [mode, moment] = GetParam();
    SCOPED_TRACE(absl::StrCat(one_first ? one.name : other.name, ", then ", one_first ? other.name : one.name,
                              "; workers ", subjects.first, " and ", subjects.second));
    SessionWorld world(mode, moment, subjects);
    const bool of_one_worker = subjects.first == subjects.second;
    const bool on_parked = subjects.first == 2 && std::string(other.event) != "stream.close";
    if (other.traits.sends && of_one_worker && (one.traits.sends || on_parked)) world.UseAnotherStream();
    const auto are = [&](Role of_one, Role of_other) { return one.role == of_one && other.role == of_other; };
    const bool one_thread = are(Role::kTraining, Role::kWeights) || are(Role::kWeights, Role::kTraining);
    Act of_one = ActOf(one, world, 0), of_other = ActOf(other, world, 1);
    if (one_thread) (of_one.own_thread ? of_one : of_other).body = [&world] { world.TrainAndRefill(); };
    const Came came = RunInOrder(of_one, of_other, one_first, one_thread);
    EXPECT_EQ(static_cast<int>(came), static_cast<int>(Came::kInOrder));
    world.Finish(!one.traits.loses && !other.traits.loses);
    ++orders_;
  }

  int orders_ = 0;
};

TEST_P(SessionOrders, EveryPairBothWays) {
  const auto [mode, moment] = GetParam();
  int pairs = 0;
  const std::vector<Row>& rows = Rows();
  for (size_t i = 0; i < rows.size() && !HasFailure(); ++i) {
    // Also that which of the two goes as far as its event first.
    for (size_t j = IsLong() ? 0 : i; j < rows.size() && !HasFailure(); ++j) {
      if (!IsHere(rows[i]) || !IsHere(rows[j])) continue;
      for (const auto& subjects : {std::pair(0, 0), std::pair(0, 1), std::pair(2, 2)}) {
        const bool swapped = rows[i].traits.comes_last && j > i;
        const Row &one = rows[swapped ? j : i], &other = rows[swapped ? i : j];
        if (!CanMeet(one, other, subjects)) continue;
        pairs += 1;
        // The short form takes a sixth of the pairs of each moment and mode, others in each.
        const size_t turn = static_cast<size_t>(moment) + (mode == ASYNCHRONOUS ? std::size(kMoments) : 0);
        if (!IsLong() && (i + j + subjects.second) % (2 * std::size(kMoments)) != turn) continue;
        for (const bool first : {true, false}) Meet(one, other, subjects, first);
      }
    }
  }
  RecordProperty("pairs", pairs);
  std::printf("%d pairs, %d orders\n", pairs, orders_);
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<CollectionMode, Moment>>& info) {
  const auto [mode, moment] = info.param;
  const char* const moments[] = {"BetweenUpdates", "Unreleased", "Released"};
  return absl::StrCat(mode == PIPELINED ? "Pipelined" : "Asynchronous", moments[static_cast<int>(moment)]);
}

INSTANTIATE_TEST_SUITE_P(All, SessionOrders,
                         ::testing::Combine(::testing::Values(PIPELINED, ASYNCHRONOUS), ::testing::ValuesIn(kMoments)),
                         NameOf);

}  // namespace
}  // namespace troupe::testing
