#include "common/specs/best_by.h"

#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

TEST(BestByTest, TakesTheReturnTheLengthAndTheEnvironmentsStatistics) {
  for (const char* name : {"episode_return", "episode_length", "wins"}) {
    EXPECT_TRUE(CheckBestBy(TwoGroupSpec(), name).ok()) << name;
  }
}

TEST(BestByTest, RefusesOthersWithTheNearestOrAll) {
  EXPECT_EQ(CheckBestBy(TwoGroupSpec(), "loses").message(),
            "evaluation.best_by: \"loses\" is not a statistic of test; did you mean \"losses\"?");
  EXPECT_EQ(CheckBestBy(TwoGroupSpec(), "mean_waiting_seconds").message(),
            "evaluation.best_by: \"mean_waiting_seconds\" is not a statistic of test; there are: episode_return, "
            "episode_length, wins, losses");
}

}  // namespace
}  // namespace troupe
