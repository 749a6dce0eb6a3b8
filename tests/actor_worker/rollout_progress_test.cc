#include "actor_worker/rollout/progress.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using Stage = RolloutProgress::Stage;

constexpr double kLeaseTimeout = 6;

class RolloutProgressTest : public testing::Test {
 protected:
  void SetUp() override { Pass(absl::Seconds(1)); }

  // The watchdog looks ten times a second.
  void Pass(absl::Duration time) {
    for (; time > absl::ZeroDuration(); time -= absl::Milliseconds(100))
      progress_.Watch(now_ += absl::Milliseconds(100));
  }
  // The whole process stands still, watchdog and thread alike.
  void StandStill(absl::Duration time) { now_ += time; }
  bool Hangs() const { return progress_.SilentSeconds() > progress_.LimitSeconds(kLeaseTimeout); }

  RolloutProgress progress_;
  SteadyTime now_ = SteadyTime::Now();
};

TEST_F(RolloutProgressTest, AStepLongerThanTheLimitIsAHang) {
  progress_.Tick(Stage::kStepping);
  Pass(absl::Milliseconds(5900));
  EXPECT_FALSE(Hangs());
  Pass(absl::Milliseconds(200));
  EXPECT_TRUE(Hangs());
  progress_.Tick(Stage::kStepping);
  EXPECT_FALSE(Hangs());
}

TEST_F(RolloutProgressTest, ARestingThreadNeverHangs) {
  progress_.Tick(Stage::kStepping);
  progress_.Rest();
  Pass(absl::Minutes(60));
  EXPECT_FALSE(Hangs());
}

TEST_F(RolloutProgressTest, FirstStepsMayTakeLong) {
  progress_.Tick(Stage::kStarting);
  Pass(absl::Minutes(14));
  EXPECT_FALSE(Hangs());
  Pass(absl::Minutes(2));
  EXPECT_TRUE(Hangs());
}

TEST_F(RolloutProgressTest, LongStepsRaiseTheLimit) {
  progress_.Tick(Stage::kStepping);
  Pass(absl::Seconds(3));
  progress_.Tick(Stage::kStepping);
  Pass(absl::Seconds(29));
  EXPECT_FALSE(Hangs());
  Pass(absl::Seconds(2));
  EXPECT_TRUE(Hangs());
}

TEST_F(RolloutProgressTest, TimeInWhichTheProcessStoodStillDoesNotCount) {
  progress_.Tick(Stage::kStepping);
  StandStill(absl::Minutes(60));
  Pass(absl::Seconds(4));
  EXPECT_FALSE(Hangs());
  // Nor did it make a long step that would let the thread hang for hours.
  progress_.Tick(Stage::kStepping);
  Pass(absl::Minutes(2));
  EXPECT_TRUE(Hangs());
}

}  // namespace
}  // namespace troupe
