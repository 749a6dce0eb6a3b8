// λ-returns by hand.
#include "learner/algorithms/modules/lambda_returns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::ElementsAre;

// γ = 1/2, λ = 1/4, one column. From behind: G3 = 4 + 0.5 · 8 = 8; G2 = 2 + 0.5 · (0.75 · 6 + 0.25 · 8) = 5.25;
// step 1 ends its episode: G1 = 1 + 0.5 · 0 = 1; G0 = 3 + 0.5 · (0.75 · 10 + 0.25 · 1) = 6.875.
TEST(LambdaReturnsTest, MixWhatFollowedWithWhatIsEstimated) {
  const ReturnStreams streams{
      .steps = 4, .columns = 1, .rewards = {3, 1, 2, 4}, .next_values = {10, 0, 6, 8}, .continues = {1, 0, 1, 1}};
  EXPECT_THAT(LambdaReturns(streams, 0.5, 0.25), ElementsAre(6.875, 1, 5.25, 8));
}

TEST(LambdaReturnsTest, WithoutLambdaTheyAreOneStepsAndWithAllOfItSums) {
  const ReturnStreams streams{.steps = 3,
                              .columns = 2,
                              .rewards = {1, 0, 2, 0, 4, 0},
                              .next_values = {9, 1, 9, 2, 8, 3},
                              .continues = {1, 1, 1, 1, 1, 1}};
  EXPECT_THAT(LambdaReturns(streams, 0.5, 0), ElementsAre(5.5, 0.5, 6.5, 1, 8, 1.5));
  // 4 + 4 = 8; 2 + 4 = 6; 1 + 3 = 4. The second column: 1.5; 0.75; 0.375.
  EXPECT_THAT(LambdaReturns(streams, 0.5, 1), ElementsAre(4, 0.375, 6, 0.75, 8, 1.5));
}

}  // namespace
}  // namespace troupe
