#include "learner/algorithms/modules/rank_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "learner/algorithms/modules/minibatches.h"
#include "tests/support/thread_ranks.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RankShare, PlacesColumnsInTheOrderOfRanks) {
  const std::vector<int64_t> columns = {3, 1, 2}, first = {0, 3, 4};
  RunRanks(3, [&](std::shared_ptr<ThreadRank> ranks) {
    const RankShare share = FindRankShare(columns[ranks->rank()], ranks.get());
    EXPECT_EQ(share.first_column, first[ranks->rank()]);
    EXPECT_EQ(share.columns, columns[ranks->rank()]);
    EXPECT_EQ(share.all_columns, 6);
  });
}

TEST(RankShare, OneRankHoldsEverything) {
  SingleRank single;
  const RankShare share = FindRankShare(5, &single);
  const auto minibatches = DealMinibatches(10, 4, 1);
  EXPECT_EQ(OwnSteps(share, minibatches), minibatches);
}

TEST(RankShare, NumbersOwnStepsWithinTheOwnBatchAndKeepsTheirOrder) {
  // Columns 1 and 2 of four: joint steps 1, 2, 5, 6, 9, 10 are 0 … 5 of the rank's own.
  const RankShare share = {.first_column = 1, .columns = 2, .all_columns = 4};
  EXPECT_THAT(OwnSteps(share, {{10, 0, 5}, {3, 4}, {1, 2, 9}}),
              ElementsAre(ElementsAre(5, 2), IsEmpty(), ElementsAre(0, 1, 4)));
}

TEST(RankShare, EveryStepOfAMinibatchIsExactlyOneRanks) {
  const auto minibatches = DealMinibatches(7 * 6, 5, 3);
  std::vector<int> held(7 * 6);
  for (int64_t first = 0; first < 6; first += 2) {
    const RankShare share = {.first_column = first, .columns = 2, .all_columns = 6};
    for (const auto& minibatch : OwnSteps(share, minibatches)) {
      for (const int64_t step : minibatch) ++held[step / 2 * 6 + first + step % 2];
    }
  }
  EXPECT_THAT(held, ::testing::Each(1));
}

TEST(RankShare, ConcatenatesInTheOrderOfRanksWhateverTheirNumber) {
  const std::vector<std::vector<double>> values = {{1, 2}, {}, {3}};
  RunRanks(3, [&](std::shared_ptr<ThreadRank> ranks) {
    EXPECT_THAT(Concatenate(values[ranks->rank()], ranks.get()), ElementsAre(1, 2, 3));
  });
}

}  // namespace
}  // namespace troupe
