#include "common/base/bounded_queue.h"

#include <memory>
#include <numeric>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/threads/named_thread.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(BoundedQueueTest, GivesBackInTheOrderOfComing) {
  BoundedQueue<int> queue(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.Push(i));
  EXPECT_EQ(queue.size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.Pop(), i);
}

TEST(BoundedQueueTest, TryPushLeavesTheItemToTheCallerWhenFull) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
  EXPECT_TRUE(queue.TryPush(first));
  EXPECT_EQ(first, nullptr);
  EXPECT_FALSE(queue.TryPush(second));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
}

TEST(BoundedQueueTest, PopGivesUpWhenTheTimeoutPasses) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.Pop(absl::Milliseconds(1)), std::nullopt);
}

TEST(BoundedQueueTest, CloseRefusesPushesAndLetsPopsDrain) {
  BoundedQueue<int> queue(2);
  queue.Push(7);
  queue.Close();
  int item = 8;
  EXPECT_FALSE(queue.Push(8));
  EXPECT_FALSE(queue.TryPush(item));
  EXPECT_EQ(queue.Pop(), 7);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueueTest, CloseWakesAWaitingPush) {
  BoundedQueue<int> queue(1);
  queue.Push(1);
  absl::Notification started;
  bool taken = true;
  NamedThread pusher("pusher", [&] {
    started.Notify();
    taken = queue.Push(2);
  });
  started.WaitForNotification();
  queue.Close();
  pusher.Join();
  EXPECT_FALSE(taken);
}

TEST(BoundedQueueTest, CloseWakesAWaitingPop) {
  BoundedQueue<int> queue(1);
  absl::Notification started;
  std::optional<int> got = 1;
  NamedThread popper("popper", [&] {
    started.Notify();
    got = queue.Pop();
  });
  started.WaitForNotification();
  queue.Close();
  popper.Join();
  EXPECT_EQ(got, std::nullopt);
}

TEST(BoundedQueueTest, NeitherLosesNorDoublesAnItemBetweenManyThreads) {
  constexpr int kPushers = 4, kPoppers = 3, kEach = 2000;
  BoundedQueue<int> queue(5);
  std::vector<std::vector<int>> taken(kPoppers);
  {
    std::vector<NamedThread> poppers;
    for (int p = 0; p < kPoppers; ++p) {
      poppers.emplace_back("popper", [&queue, &mine = taken[p]] {
        while (const std::optional<int> item = queue.Pop()) mine.push_back(*item);
      });
    }
    {
      std::vector<NamedThread> pushers;
      for (int p = 0; p < kPushers; ++p) {
        pushers.emplace_back("pusher", [&queue, p] {
          for (int i = 0; i < kEach; ++i) queue.Push(p * kEach + i);
        });
      }
    }
    queue.Close();
  }
  std::vector<int> counts(kPushers * kEach, 0);
  for (const auto& items : taken) {
    for (const int item : items) ++counts[item];
  }
  EXPECT_EQ(counts, std::vector<int>(kPushers * kEach, 1));
}

}  // namespace
}  // namespace troupe
