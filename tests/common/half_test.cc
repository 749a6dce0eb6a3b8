#include "common/base/half.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

using Limits = std::numeric_limits<float>;

uint16_t Half(float value) {
  uint16_t half = 0;
  FloatsToHalves({&value, 1}, &half);
  return half;
}

TEST(HalfTest, KnowsTheStandardsExamples) {
  EXPECT_EQ(Half(0.0f), 0x0000);
  EXPECT_EQ(Half(-0.0f), 0x8000);
  EXPECT_EQ(Half(1.0f), 0x3C00);
  EXPECT_EQ(Half(-2.0f), 0xC000);
  EXPECT_EQ(Half(65504.0f), 0x7BFF);
  EXPECT_EQ(Half(0x1p-14f), 0x0400) << "smallest normal";
  EXPECT_EQ(Half(0x1p-24f), 0x0001) << "smallest subnormal";
  EXPECT_EQ(Half(0x1p-25f), 0x0000) << "a tie goes to even";
  EXPECT_EQ(Half(1.0f / 3), 0x3555);
  EXPECT_EQ(Half(1.0f + 0x1p-11f), 0x3C00) << "a tie goes to even";
  EXPECT_EQ(Half(1.0f + 3 * 0x1p-11f), 0x3C02);
}

TEST(HalfTest, EveryHalfComesBack) {
  std::vector<uint16_t> halves;
  for (uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7C00) != 0x7C00) halves.push_back(static_cast<uint16_t>(half));
  }
  std::vector<float> floats(halves.size());
  HalvesToFloats(halves, floats.data());
  std::vector<uint16_t> again(halves.size());
  EXPECT_TRUE(FloatsToHalves(floats, again.data()));
  EXPECT_EQ(again, halves);
  for (size_t i = 0; i < halves.size(); ++i) {
    float alone;
    HalvesToFloats({&halves[i], 1}, &alone);
    ASSERT_EQ(alone, floats[i]) << "one by one as many at once";
    ASSERT_EQ(Half(alone), halves[i]);
  }
}

TEST(HalfTest, ManyAtOnceAreRoundedAsOneByOneAndToTheNearest) {
  std::mt19937 random(1);
  std::vector<float> floats;
  for (int i = 0; i < 100003; ++i) {
    const float mantissa = static_cast<float>(random()) / 4294967296.0f - 0.5f;
    floats.push_back(std::ldexp(mantissa, static_cast<int>(random() % 43) - 26));
  }
  std::vector<uint16_t> halves(floats.size());
  EXPECT_TRUE(FloatsToHalves(floats, halves.data()));
  std::vector<float> back(floats.size());
  HalvesToFloats(halves, back.data());
  for (size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(Half(floats[i]), halves[i]) << floats[i];
    ASSERT_LE(std::fabs(back[i] - floats[i]), std::max(0x1p-25f, std::fabs(floats[i]) * 0x1p-11f)) << floats[i];
  }
}

TEST(HalfTest, WhatIsTooLargeIsToldAndBounded) {
  for (const float bad : {65505.0f, 1e30f, Limits::infinity(), Limits::quiet_NaN()}) {
    for (const size_t place : {0, 5, 8, 16}) {
      std::vector<float> floats(17, 1.0f);
      floats[place] = -bad;
      std::vector<uint16_t> halves(floats.size());
      EXPECT_FALSE(FloatsToHalves(floats, halves.data())) << bad << " at " << place;
      EXPECT_EQ(halves[place] & 0x7FFF, 0x7BFF) << bad << " at " << place;
      EXPECT_EQ(halves[place == 0 ? 1 : 0], 0x3C00);
    }
  }
}

}  // namespace
}  // namespace troupe
