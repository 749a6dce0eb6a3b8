#include <thread>
#include <vector>

#include "common/clock/awake_clock.h"
#include "common/clock/steady_time.h"
#include "common/threads/timed_wait.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(SteadyTime, IsOrderedAndHasEnds) {
  const SteadyTime now = SteadyTime::Now();
  EXPECT_LE(now, SteadyTime::Now());
  EXPECT_EQ((now + absl::Seconds(3)) - now, absl::Seconds(3));
  EXPECT_LT(now - absl::Seconds(1), now);
  EXPECT_LT(SteadyTime::InfinitePast(), now);
  EXPECT_GT(SteadyTime::InfiniteFuture(), now + absl::Hours(1000000));
  EXPECT_EQ(now - SteadyTime::InfinitePast(), absl::InfiniteDuration());
  EXPECT_EQ(SteadyTime::InfiniteFuture() + absl::Seconds(1), SteadyTime::InfiniteFuture());
}

TEST(AwakeClock, CountsWhatItSawPassAndNotWhatItSleptThrough) {
  AwakeClock clock(absl::Seconds(1));
  SteadyTime now = SteadyTime::Now();
  clock.Watch(now);
  EXPECT_EQ(clock.awake(), absl::ZeroDuration());
  for (int i = 0; i < 10; ++i) clock.Watch(now += absl::Milliseconds(200));
  EXPECT_EQ(clock.awake(), absl::Seconds(2));
  const SteadyTime before = clock.Now();
  clock.Watch(now += absl::Hours(8));
  EXPECT_EQ(clock.Now() - before, absl::Seconds(1));
}

class TimedWaitTest : public ::testing::Test {
 protected:
  static constexpr absl::Duration kLong = absl::Seconds(60);

  bool Await(absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    return AwaitFor(mutex_, absl::Condition(&ready_), timeout);
  }
  void SetReady() {
    absl::MutexLock lock(&mutex_);
    ready_ = true;
  }

  absl::Mutex mutex_;
  bool ready_ = false;
};

TEST_F(TimedWaitTest, EndsWithTheConditionOrTheTime) {
  EXPECT_FALSE(Await(absl::ZeroDuration()));
  EXPECT_FALSE(Await(-absl::Seconds(1)));
  const SteadyTime start = SteadyTime::Now();
  EXPECT_FALSE(Await(absl::Milliseconds(30)));
  EXPECT_GE(SteadyTime::Now() - start, absl::Milliseconds(30));
  std::thread setter([this] { SetReady(); });
  EXPECT_TRUE(Await(kLong));
  setter.join();
  EXPECT_TRUE(Await(absl::ZeroDuration()));
  EXPECT_TRUE(Await(absl::InfiniteDuration()));
  EXPECT_LT(SteadyTime::Now() - start, kLong / 2);
}

TEST_F(TimedWaitTest, AWaitWithoutEndEndsWithTheCondition) {
  std::thread setter([this] { SetReady(); });
  EXPECT_TRUE(Await(absl::InfiniteDuration()));
  setter.join();
}

TEST_F(TimedWaitTest, ManyWaitTogetherTheShortestFirst) {
  std::vector<std::thread> waiting;
  std::vector<absl::Duration> took(8);
  for (int i = 0; i < 8; ++i) {
    waiting.emplace_back([this, i, &took] {
      const SteadyTime start = SteadyTime::Now();
      EXPECT_FALSE(Await(absl::Milliseconds(10 * (8 - i))));
      took[i] = SteadyTime::Now() - start;
    });
  }
  for (std::thread& thread : waiting) thread.join();
  for (int i = 0; i < 8; ++i) EXPECT_GE(took[i], absl::Milliseconds(10 * (8 - i)));
}

// The thread that wakes the others must not be stopped by one that has its mutex.
TEST_F(TimedWaitTest, AMutexThatIsHeldDelaysNobodyElse) {
  absl::Mutex other;
  std::thread late;
  {
    absl::MutexLock held(&mutex_);
    late = std::thread([this] { EXPECT_TRUE(Await(absl::Milliseconds(1))); });
    absl::MutexLock lock(&other);
    const bool never = false;
    EXPECT_FALSE(AwaitFor(other, absl::Condition(&never), absl::Milliseconds(20)));
    ready_ = true;
  }
  late.join();
}

}  // namespace
}  // namespace troupe
