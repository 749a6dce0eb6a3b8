#include "gtest/gtest.h"
#include "learner/ingest/outlier_watch.h"

namespace troupe {
namespace {

class OutlierWatchTest : public ::testing::Test {
 protected:
  void SeeUsual(float a, float b) {
    for (uint64_t i = 0; i < OutlierWatch::kChunks; ++i) EXPECT_FALSE(watch_.Look({a, b}).has_value());
  }
  OutlierWatch watch_;
};

TEST_F(OutlierWatchTest, AThousandTimesTheLargestSeenIsOne) {
  SeeUsual(2, 5);
  EXPECT_FALSE(watch_.Look({2, 5000}).has_value());
  EXPECT_FALSE(watch_.Look({2000, 5}).has_value());
  const auto outlier = watch_.Look({1, 5000001});
  ASSERT_TRUE(outlier.has_value());
  EXPECT_EQ(outlier->group, 1);
  EXPECT_EQ(outlier->came, 5000001);
  EXPECT_EQ(outlier->seen, 5000);
}

TEST_F(OutlierWatchTest, TheFirstRewardAfterManyZerosIsNone) {
  SeeUsual(0, 0);
  EXPECT_FALSE(watch_.Look({1, 1000}).has_value());
  EXPECT_FALSE(OutlierWatch().Look({1e7f, 0}).has_value()) << "nothing to compare it with";
}

TEST_F(OutlierWatchTest, OneGlitchDoesNotHideTheNextAndAChangedTaskIsToldOfAFewTimes) {
  SeeUsual(1, 1);
  EXPECT_TRUE(watch_.Look({1e6f, 1}).has_value());
  EXPECT_TRUE(watch_.Look({1e6f, 1}).has_value());
  int told = 2;
  while (told < 100 && watch_.Look({1e6f, 1}).has_value()) told += 1;
  EXPECT_EQ(told, 10);  // 2^10 × 1000 > 10^6, 2^9 × 1000 is not
}

}  // namespace
}  // namespace troupe
