// When a learner that lost the others waits for them.
#include "gtest/gtest.h"
#include "learner/run/rank_rejoin.h"

namespace troupe {
namespace {

SteadyTime At(double seconds) { return SteadyTime() + absl::Seconds(seconds); }

TimeTogether LostAfter(uint64_t update) {
  return {.status = absl::UnavailableError("rank 1 is gone"), .joined = true, .lost = true, .began_with = update};
}
TimeTogether NobodyCame() { return {.status = absl::UnavailableError("waited for rank 1")}; }

TEST(RankRejoin, WithoutPatienceALossIsTheEnd) {
  RankRejoin rejoin(absl::ZeroDuration());
  EXPECT_FALSE(rejoin.Again(LostAfter(3), At(0)));
  EXPECT_EQ(rejoin.count(), 0);
}

TEST(RankRejoin, WaitsForAsLongAsItWasTold) {
  RankRejoin rejoin(absl::Seconds(60));
  EXPECT_FALSE(rejoin.WaitFor(At(0)).has_value());
  EXPECT_TRUE(rejoin.Again(LostAfter(3), At(100)));
  EXPECT_EQ(rejoin.count(), 1);
  EXPECT_EQ(rejoin.WaitFor(At(120)), absl::Seconds(40));
  EXPECT_TRUE(rejoin.Again(NobodyCame(), At(159)));
  EXPECT_EQ(rejoin.WaitFor(At(159.5)), absl::Seconds(1));
  EXPECT_FALSE(rejoin.Again(NobodyCame(), At(160)));
}

TEST(RankRejoin, RanksThatNeverCameAreNotWaitedForAgain) {
  RankRejoin rejoin(absl::Seconds(60));
  EXPECT_FALSE(rejoin.Again(NobodyCame(), At(0)));
}

TEST(RankRejoin, AFailureOfItsOwnIsTheEnd) {
  RankRejoin rejoin(absl::Seconds(60));
  TimeTogether own = LostAfter(3);
  own.lost = false;
  EXPECT_FALSE(rejoin.Again(own, At(0)));
  EXPECT_TRUE(rejoin.Again(LostAfter(3), At(0)));
  EXPECT_FALSE(rejoin.Again({.status = absl::FailedPreconditionError("another experiment")}, At(1)));
}

TEST(RankRejoin, GivesUpOnceNothingComesOfItTenTimes) {
  RankRejoin rejoin(absl::Seconds(60));
  for (int time = 0; time < 10; ++time) EXPECT_TRUE(rejoin.Again(LostAfter(3), At(time))) << time;
  EXPECT_FALSE(rejoin.Again(LostAfter(3), At(11)));
  // As long as updates are made there is no end.
  RankRejoin makes_progress(absl::Seconds(60));
  for (int time = 0; time < 100; ++time) EXPECT_TRUE(makes_progress.Again(LostAfter(time), At(time))) << time;
}

TEST(RetryWhileUnavailable, TriesAgainUntilItWorksOrTimeIsUp) {
  int left = 3;
  EXPECT_TRUE(RetryWhileUnavailable(absl::Hours(1), [&] {
                return --left > 0 ? absl::UnavailableError("taken") : absl::OkStatus();
              }).ok());
  EXPECT_EQ(left, 0);
  int calls = 0;
  const auto refuse = [&] {
    ++calls;
    return absl::UnavailableError("taken");
  };
  EXPECT_TRUE(absl::IsUnavailable(RetryWhileUnavailable(absl::ZeroDuration(), refuse)));
  EXPECT_EQ(calls, 1);
  const auto wrong = [&] {
    ++calls;
    return absl::InvalidArgumentError("no port");
  };
  EXPECT_TRUE(absl::IsInvalidArgument(RetryWhileUnavailable(absl::Hours(1), wrong)));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace troupe
