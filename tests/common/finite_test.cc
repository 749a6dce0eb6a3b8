#include "common/base/finite.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(AllFiniteTest, FindsOneBadNumberWhereverItStands) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const size_t size : {1, 63, 64, 65, 200}) {
    std::vector<float> values(size, -3.5f);
    EXPECT_TRUE(AllFinite(values));
    for (size_t i = 0; i < size; ++i) {
      for (const float bad : {infinity, -infinity, std::nanf("")}) {
        values[i] = bad;
        EXPECT_FALSE(AllFinite(values)) << bad << " at " << i << " of " << size;
      }
      values[i] = 1.0f;
    }
  }
}

TEST(AllFiniteTest, TakesTheLargestTheSmallestAndNone) {
  using Limits = std::numeric_limits<float>;
  EXPECT_TRUE(
      AllFinite(std::vector<float>{Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(), -0.0f}));
  EXPECT_TRUE(AllFinite({}));
}

TEST(LargestMagnitudeTest, IsThatOfOneNumberWhereverItStands) {
  EXPECT_EQ(LargestMagnitude({}), 0);
  for (const size_t size : {1, 63, 64, 65, 200}) {
    std::vector<float> values(size, -0.5f);
    for (size_t i = 0; i < size; ++i) {
      for (const float large :
           {0.75f, -1e9f, std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()}) {
        values[i] = large;
        EXPECT_EQ(LargestMagnitude(values), std::fabs(large)) << large << " at " << i << " of " << size;
      }
      values[i] = -0.5f;
    }
    EXPECT_EQ(LargestMagnitude(std::vector<float>(size, -0.0f)), 0);
    EXPECT_EQ(LargestMagnitude(std::vector<float>(size, -1e-42f)), 1e-42f) << "a denormal number";
  }
}

TEST(AnyOfTest, SeesEveryFlagOnce) {
  std::vector<uint8_t> flags(130, 1);
  const auto above_one = [](uint8_t flag) { return static_cast<uint8_t>(flag > 1); };
  EXPECT_FALSE(AnyOf(absl::MakeConstSpan(flags), above_one));
  for (const size_t i : {0, 63, 64, 127, 128, 129}) {
    flags[i] = 2;
    EXPECT_TRUE(AnyOf(absl::MakeConstSpan(flags), above_one)) << i;
    flags[i] = 0;
  }
}

}  // namespace
}  // namespace troupe
