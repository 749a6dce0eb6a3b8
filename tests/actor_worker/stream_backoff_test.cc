#include "actor_worker/stream/backoff.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(BackoffTest, DoublesUpToTheLongestWithJitterInTheUpperHalf) {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(1), 3);
  for (const int span_milliseconds : {100, 200, 400, 800, 1000, 1000}) {
    const absl::Duration delay = backoff.Next();
    EXPECT_GE(delay, absl::Milliseconds(span_milliseconds) / 2);
    EXPECT_LE(delay, absl::Milliseconds(span_milliseconds));
  }
}

TEST(BackoffTest, StartsOverAfterASuccess) {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(10), 3);
  for (int i = 0; i < 8; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next(), absl::Milliseconds(100));
}

TEST(BackoffTest, WorkersWithDifferentSeedsDoNotComeBackTogether) {
  Backoff one(absl::Seconds(1), absl::Seconds(10), 1), other(absl::Seconds(1), absl::Seconds(10), 2);
  EXPECT_NE(one.Next(), other.Next());
}

}  // namespace
}  // namespace troupe
