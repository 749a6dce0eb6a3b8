#include "common/base/random.h"
#include "gtest/gtest.h"
#include "learner/replay/sum_tree.h"

namespace troupe {
namespace {

TEST(SumTreeTest, FindsTheNumberAtWhichTheRunningSumPasses) {
  SumTree tree(5);
  tree.Set(0, 3);
  tree.Set(1, 1);
  tree.Set(3, 4);
  EXPECT_EQ(tree.total(), 8);
  EXPECT_EQ(tree.Find(0), 0);
  EXPECT_EQ(tree.Find(2.99), 0);
  EXPECT_EQ(tree.Find(3), 1);
  EXPECT_EQ(tree.Find(4), 3) << "place 2 is 0";
  EXPECT_EQ(tree.Find(7.99), 3);
  EXPECT_EQ(tree.Find(8), 3) << "rounding may ask for the whole sum";
  tree.Set(0, 0);
  EXPECT_EQ(tree.Find(0), 1);
  EXPECT_EQ(tree.value(3), 4);
}

TEST(SumTreeTest, AgreesWithALinearSearch) {
  constexpr int kSize = 37;
  SumTree tree(kSize);
  RandomStream random(5);
  std::vector<double> numbers(kSize);
  for (int round = 0; round < 2000; ++round) {
    const auto place = static_cast<int>(random.Below(kSize));
    numbers[place] = random.Below(4);  // whole ones, so that sums are exact
    tree.Set(place, numbers[place]);
    double total = 0;
    for (const double number : numbers) total += number;
    ASSERT_EQ(tree.total(), total);
    if (total == 0) continue;
    const double sum = random.Uniform() * total;
    double before = 0;
    int expected = 0;
    while (before + numbers[expected] <= sum) before += numbers[expected++];
    ASSERT_EQ(tree.Find(sum), expected) << sum;
  }
}

TEST(SumTreeTest, ItsSumsDoNotDependOnHowTheNumbersCameAbout) {
  SumTree once(64), often(64);
  RandomStream random(6);
  std::vector<double> numbers(64);
  for (int round = 0; round < 500; ++round) {
    const auto place = static_cast<int>(random.Below(64));
    often.Set(place, numbers[place] = random.UniformDouble());
  }
  for (int place = 63; place >= 0; --place) once.Set(place, numbers[place]);
  EXPECT_EQ(once.total(), often.total());
}

}  // namespace
}  // namespace troupe
