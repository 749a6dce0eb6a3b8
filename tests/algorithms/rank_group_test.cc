// The real group: c10d and Gloo over loopback, ranks as threads.
#include "learner/networks/rank_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "learner/networks/nccl.h"
#include "learner/networks/torch_headers.h"
#include "tests/support/loopback.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::FreePort;

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

TEST(RankGroup, MeetsAtAStoreThatSomebodyElseServes) {
  c10d::TCPStoreOptions store_options;
  store_options.port = static_cast<uint16_t>(FreePort());
  store_options.isServer = true;
  store_options.waitWorkers = false;
  const auto store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", store_options);
  // Two attempts at the same store, as after a restart by torchrun.
  for (const char* attempt : {"0", "1"}) {
    RunRanks(2, [&](RankGroupOptions options) {
      options.master_port = store_options.port;
      options.serve_store = false;
      options.attempt = attempt;
      const auto ranks = JoinRankGroup(options);
      ASSERT_TRUE(ranks.ok()) << ranks.status();
      double one = 1;
      (*ranks)->Sum(absl::MakeSpan(&one, 1));
      EXPECT_EQ(one, 2);
    });
  }
}

TEST(RankGroup, ARankThatLeavesIsNoticedAndStaysNoticed) {
  RunRanks(2, [](const RankGroupOptions& options) {
    auto ranks = JoinRankGroup(options);
    ASSERT_TRUE(ranks.ok()) << ranks.status();
    if (options.rank == 1) return ranks->reset();
    const absl::Time began = absl::Now();
    double one = 1;
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
