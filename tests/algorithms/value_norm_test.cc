#include "learner/algorithms/modules/value_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace troupe {
namespace {

const std::vector<uint8_t> kAll(4, 1);

void Update(const std::vector<float>& targets, const std::vector<uint8_t>& active, ValueNorm* norm) {
  norm->Update(TargetSums::Of(targets, std::vector<float>(targets.size()), active));
}

TEST(ValueNorm, StartsAsTheIdentity) {
  const ValueNorm norm(true);
  EXPECT_EQ(norm.mean(), 0.0);
  EXPECT_EQ(norm.deviation(), 1.0);
}

TEST(ValueNorm, OneUpdateGivesTheBatchsOwnMomentsBecauseItIsDebiased) {
  ValueNorm norm(true);
  Update({1, 3, 5, 7}, kAll, &norm);
  EXPECT_NEAR(norm.mean(), 4.0, 1e-9);
  EXPECT_NEAR(norm.deviation(), std::sqrt(5.0), 1e-9);
}

TEST(ValueNorm, FollowsTheExponentialMovingAverage) {
  ValueNorm norm(true);
  double average = 0, weight = 0;
  for (int i = 0; i < 50; ++i) {
    Update({static_cast<float>(i)}, {1}, &norm);
    average = ValueNorm::kDecay * average + (1 - ValueNorm::kDecay) * i;
    weight = ValueNorm::kDecay * weight + (1 - ValueNorm::kDecay);
  }
  EXPECT_NEAR(norm.mean(), average / weight, 1e-9);
}

TEST(ValueNorm, CountsActiveValuesOnly) {
  ValueNorm norm(true);
  Update({2, 4, 1000, 3}, {1, 1, 0, 1}, &norm);
  EXPECT_NEAR(norm.mean(), 3.0, 1e-9);
}

TEST(ValueNorm, KeepsItsVarianceAboveTheFloor) {
  ValueNorm norm(true);
  Update({5, 5, 5, 5}, kAll, &norm);
  EXPECT_NEAR(norm.deviation(), std::sqrt(ValueNorm::kVarianceFloor), 1e-12);
}

TEST(ValueNorm, IsNotPoisonedByValuesThatAreNotFinite) {
  ValueNorm norm(true);
  Update({1, 2, 3, 4}, kAll, &norm);
  const auto before = norm.state();
  Update({1, std::numeric_limits<float>::quiet_NaN(), 3, 4}, kAll, &norm);
  Update({1, std::numeric_limits<float>::infinity(), 3, 4}, kAll, &norm);
  EXPECT_EQ(norm.state(), before);
}

TEST(ValueNorm, DisabledStaysTheIdentity) {
  ValueNorm norm(false);
  Update({1, 3, 5, 7}, kAll, &norm);
  EXPECT_EQ(norm.mean(), 0.0);
  EXPECT_EQ(norm.deviation(), 1.0);
}

}  // namespace
}  // namespace troupe
