// The real group: c10d and Gloo over loopback, ranks as threads.
#include "learner/ranks/rank_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "learner/ranks/nccl.h"
#include "learner/torch/torch_headers.h"
#include "tests/support/loopback.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::FreePort;
using ::testing::HasSubstr;

RankGroupOptions Options(int rank, int size, int port) {
  RankGroupOptions options;
  options.rank = rank;
  options.size = size;
  options.master_address = "127.0.0.1";
  options.master_port = port;
  options.timeout = absl::Seconds(20);
  return options;
}

void RunRanks(int size, const std::function<void(RankGroupOptions)>& body) {
  const int port = FreePort();
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) threads.emplace_back([&, rank] { body(Options(rank, size, port)); });
  for (std::thread& thread : threads) thread.join();
}

TEST(RankGroup, SumsNumbersAndTensorsAndSpreadsBytes) {
  RunRanks(3, [](const RankGroupOptions& options) {
    const auto ranks = JoinRankGroup(options);
    ASSERT_TRUE(ranks.ok()) << ranks.status();
    EXPECT_EQ((*ranks)->rank(), options.rank);
    EXPECT_EQ((*ranks)->size(), 3);
    std::vector<double> numbers = {1.0 + options.rank, 1e-300};
    (*ranks)->Sum(absl::MakeSpan(numbers));
    EXPECT_THAT(numbers, ElementsAre(6.0, 3e-300));
    at::Tensor tensor = at::full({100000}, static_cast<float>(options.rank));
    (*ranks)->Sum(&tensor);
    EXPECT_TRUE(at::equal(tensor, at::full({100000}, 3.0f)));
    std::string bytes = options.rank == 0 ? std::string("a\0b", 3) : "something longer";
    (*ranks)->Broadcast(&bytes);
    EXPECT_EQ(bytes, std::string("a\0b", 3));
    bytes = options.rank == 0 ? "" : "x";
    (*ranks)->Broadcast(&bytes);
    EXPECT_EQ(bytes, "");
    EXPECT_TRUE((*ranks)->status().ok());
  });
}

// A store that outlives groups, as torchrun's does.
class OtherStore {
 public:
  OtherStore() {
    options_.port = static_cast<uint16_t>(FreePort());
    options_.isServer = true;
    options_.waitWorkers = false;
    store_ = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options_);
  }

  RankGroupOptions Options(int rank, int size) const {
    RankGroupOptions options = troupe::Options(rank, size, options_.port);
    options.serve_store = false;
    return options;
  }
  // The name that a process has left as that rank of that attempt; "": none.
  std::string NameOf(int attempt, int rank) {
    const std::string key = absl::StrCat("troupe/", attempt, "/rank/", rank);
    return store_->check({key}) ? store_->get_to_str(key) : "";
  }
  // Waits until it is another than `name`.
  void AwaitOtherName(int attempt, int rank, const std::string& name = "") {
    const absl::Time patience = absl::Now() + absl::Seconds(60);
    while (NameOf(attempt, rank) == name) {
      ASSERT_LT(absl::Now(), patience) << "nobody came as rank " << rank << " to attempt " << attempt;
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

 private:
  c10d::TCPStoreOptions options_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
};

void ExpectTheyAdd(const absl::StatusOr<std::unique_ptr<Collective>>& ranks, int size) {
  ASSERT_TRUE(ranks.ok()) << ranks.status();
  double one = 1;
  (*ranks)->Sum(absl::MakeSpan(&one, 1));
  EXPECT_EQ(one, size) << (*ranks)->status();
}

// As after restarts by torchrun's agents, each of which counts its own.
TEST(RankGroup, MeetsAgainAtAStoreThatRemembersTheGroupBefore) {
  OtherStore store;
  const auto join = [&store](int rank) { ExpectTheyAdd(JoinRankGroup(store.Options(rank, 2)), 2); };
  for (int attempt = 1; attempt <= 3; ++attempt) {
    std::thread first, second;
    if (attempt == 2) {
      // Rank 1 is back first and finds all keys of the group before.
      const std::string before = store.NameOf(1, 1);
      second = std::thread(join, 1);
      store.AwaitOtherName(1, 1, before);
      first = std::thread(join, 0);
    } else {
      first = std::thread(join, 0);
      store.AwaitOtherName(attempt, 0);
      second = std::thread(join, 1);
    }
    first.join();
    second.join();
  }
}

TEST(RankGroup, WhoIsStartedAgainWhileTheGroupGathersTakesItsOwnPlace) {
  OtherStore store;
  const auto join = [&store](int rank) { ExpectTheyAdd(JoinRankGroup(store.Options(rank, 3)), 3); };
  std::atomic<bool> stop = false;
  const auto lost = [&](int rank) {
    RankGroupOptions options = store.Options(rank, 3);
    options.stop_requested = [&stop] { return stop.load(); };
    EXPECT_TRUE(absl::IsCancelled(JoinRankGroup(options).status()));
  };
  std::thread first(lost, 0), second(lost, 1);
  store.AwaitOtherName(1, 0);
  store.AwaitOtherName(1, 1);
  stop = true;
  first.join();
  second.join();
  const std::string before = store.NameOf(1, 1);
  second = std::thread(join, 1);
  store.AwaitOtherName(1, 1, before);
  first = std::thread(join, 0);
  join(2);
  first.join();
  second.join();
}

TEST(RankGroup, WaitsAtAStoreThatNoRankZeroHasComeToYet) {
  OtherStore store;
  RankGroupOptions options = store.Options(1, 2);
  options.join_timeout = absl::Milliseconds(300);
  const auto early = JoinRankGroup(options);
  EXPECT_EQ(early.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(early.status().message()), HasSubstr("for rank 0 at 127.0.0.1:"));
}

TEST(RankGroup, SaysThatRankZeroWasToldAnotherSize) {
  OtherStore store;
  RankGroupOptions options = store.Options(0, 3);
  options.join_timeout = absl::Seconds(2);
  std::thread first([options] { EXPECT_FALSE(JoinRankGroup(options).ok()); });
  store.AwaitOtherName(1, 0);
  options = store.Options(1, 2);
  options.join_timeout = absl::Milliseconds(300);
  EXPECT_THAT(std::string(JoinRankGroup(options).status().message()),
              HasSubstr("a group of WORLD_SIZE=2 at 127.0.0.1:"));
  first.join();
}

TEST(RankGroup, ARankThatLeavesIsNoticedAndStaysNoticed) {
  RunRanks(2, [](const RankGroupOptions& options) {
    auto ranks = JoinRankGroup(options);
    ASSERT_TRUE(ranks.ok()) << ranks.status();
    // Once both have answered, both are connected.
    double one = 1;
    (*ranks)->Sum(absl::MakeSpan(&one, 1));
    ASSERT_TRUE((*ranks)->status().ok()) << (*ranks)->status();
    if (options.rank == 1) return ranks->reset();
    const absl::Time began = absl::Now();
    (*ranks)->Sum(absl::MakeSpan(&one, 1));
    EXPECT_EQ((*ranks)->status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string((*ranks)->status().message()), HasSubstr("rank 0 has lost the other learners"));
    EXPECT_LT(absl::Now() - began, absl::Seconds(10));
    std::vector<double> numbers = {3, 3};
    (*ranks)->Sum(absl::MakeSpan(numbers));
    EXPECT_THAT(numbers, Each(3));
  });
}

TEST(RankGroup, SaysWhoDidNotCome) {
  RankGroupOptions options = Options(0, 3, FreePort());
  options.join_timeout = absl::Milliseconds(300);
  const auto alone = JoinRankGroup(options);
  EXPECT_EQ(alone.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(alone.status().message()), HasSubstr("ranks 1, 2 of 3"));
  options.rank = 1;
  const auto nowhere = JoinRankGroup(options);
  EXPECT_EQ(nowhere.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(nowhere.status().message()), HasSubstr("where rank 0 should be"));
}

TEST(RankGroup, JoiningEndsWhenTheRunIsToStop) {
  RankGroupOptions options = Options(0, 2, FreePort());
  options.stop_requested = [] { return true; };
  EXPECT_EQ(JoinRankGroup(options).status().code(), absl::StatusCode::kCancelled);
}

TEST(Nccl, WithoutItsLibraryIsRefusedByName) {
  const auto library = LoadNccl();
  if (library.ok()) GTEST_SKIP() << "this machine has NCCL";
  EXPECT_THAT(std::string(library.status().message()), HasSubstr("libnccl.so.2"));
}

}  // namespace
}  // namespace troupe
