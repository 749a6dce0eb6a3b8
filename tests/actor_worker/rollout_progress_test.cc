#include "actor_worker/rollout/progress.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Stage = RolloutProgress::Stage;

constexpr double kLeaseTimeout = 6;

class RolloutProgressTest : public testing::Test {
 protected:
  void SetUp() override { Pass(seconds(1)); }

  // The watchdog looks ten times a second.
  void Pass(std::chrono::nanoseconds time) {
    for (; time.count() > 0; time -= milliseconds(100)) progress_.Watch(now_ += milliseconds(100));
  }
  // The whole process stands still, watchdog and thread alike.
  void StandStill(std::chrono::nanoseconds time) { now_ += time; }
  bool Hangs() const { return progress_.SilentSeconds() > progress_.LimitSeconds(kLeaseTimeout); }

  RolloutProgress progress_;
  RolloutProgress::Clock::time_point now_ = RolloutProgress::Clock::now();
};

TEST_F(RolloutProgressTest, AStepLongerThanTheLimitIsAHang) {
  progress_.Tick(Stage::kStepping);
  Pass(milliseconds(5900));
  EXPECT_FALSE(Hangs());
  Pass(milliseconds(200));
  EXPECT_TRUE(Hangs());
  progress_.Tick(Stage::kStepping);
  EXPECT_FALSE(Hangs());
}

TEST_F(RolloutProgressTest, ARestingThreadNeverHangs) {
  progress_.Tick(Stage::kStepping);
  progress_.Rest();
  Pass(minutes(60));
  EXPECT_FALSE(Hangs());
}

TEST_F(RolloutProgressTest, FirstStepsMayTakeLong) {
  progress_.Tick(Stage::kStarting);
  Pass(minutes(14));
  EXPECT_FALSE(Hangs());
  Pass(minutes(2));
  EXPECT_TRUE(Hangs());
}

TEST_F(RolloutProgressTest, LongStepsRaiseTheLimit) {
  progress_.Tick(Stage::kStepping);
  Pass(seconds(3));
  progress_.Tick(Stage::kStepping);
  Pass(seconds(29));
  EXPECT_FALSE(Hangs());
  Pass(seconds(2));
  EXPECT_TRUE(Hangs());
}

TEST_F(RolloutProgressTest, TimeInWhichTheProcessStoodStillDoesNotCount) {
  progress_.Tick(Stage::kStepping);
  StandStill(minutes(60));
  Pass(seconds(4));
  EXPECT_FALSE(Hangs());
  // Nor did it make a long step that would let the thread hang for hours.
  progress_.Tick(Stage::kStepping);
  Pass(minutes(2));
  EXPECT_TRUE(Hangs());
}

}  // namespace
}  // namespace troupe
