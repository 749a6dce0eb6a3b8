#include "common/base/random.h"

#include <cmath>
#include <set>

#include "gtest/gtest.h"

namespace troupe {
namespace {

using Block = std::array<uint32_t, 4>;

// Random123's kat_vectors for philox4x32-10.
TEST(PhiloxBlockTest, GivesTheKnownAnswers) {
  EXPECT_EQ(PhiloxBlock(0, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(PhiloxBlock(~0ull, ~0ull, ~0ull), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(PhiloxBlock(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStreamTest, RepeatsItselfAndCopiesContinueAlike) {
  RandomStream a(5, 6), b(5, 6);
  for (int i = 0; i < 11; ++i) ASSERT_EQ(a.NextWord(), b.NextWord());
  RandomStream copy = a;
  for (int i = 0; i < 11; ++i) ASSERT_EQ(a.NextWord(), copy.NextWord());
}

TEST(RandomStreamTest, DiffersByKeyAndByStream) {
  std::set<uint32_t> first_words;
  for (uint64_t key = 0; key < 30; ++key) {
    for (uint64_t stream = 0; stream < 30; ++stream) first_words.insert(RandomStream(key, stream).NextWord());
  }
  EXPECT_EQ(first_words.size(), 900);
}

TEST(RandomStreamTest, UniformIsFlatAndStaysBelowOne) {
  RandomStream random(1);
  constexpr int kCount = 100000;
  std::array<int, 10> bins{};
  for (int i = 0; i < kCount; ++i) {
    const float value = random.Uniform();
    ASSERT_GE(value, 0.0f);
    ASSERT_LT(value, 1.0f);
    ++bins[static_cast<int>(value * 10)];
  }
  for (const int count : bins) EXPECT_NEAR(count, kCount / 10, 5 * std::sqrt(kCount * 0.09));
}

TEST(RandomStreamTest, BelowCoversItsRangeEvenly) {
  RandomStream random(2);
  std::array<int, 7> bins{};
  for (int i = 0; i < 70000; ++i) ++bins.at(random.Below(7));
  for (const int count : bins) EXPECT_NEAR(count, 10000, 500);
}

TEST(RandomStreamTest, NormalHasMeanZeroAndVarianceOne) {
  RandomStream random(3);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = random.Normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.016);
  EXPECT_NEAR(squares / 1e5, 1, 0.023);
}

TEST(RandomStreamTest, ExponentialHasTheMeanOfItsRate) {
  RandomStream random(4);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) sum += random.Exponential(4.0);
  EXPECT_NEAR(sum / 1e5, 0.25, 0.004);
}

TEST(MixKeyTest, DependsOnEveryPartAndOnTheirOrder) {
  EXPECT_NE(MixKey({1, 2}), MixKey({2, 1}));
  EXPECT_NE(MixKey({1}), MixKey({1, 0}));
  EXPECT_NE(MixKey({0}), MixKey({0, 0}));
  std::set<uint64_t> keys;
  for (uint64_t a = 0; a < 50; ++a) {
    for (uint64_t b = 0; b < 50; ++b) keys.insert(MixKey({a, b}));
  }
  EXPECT_EQ(keys.size(), 2500);
}

}  // namespace
}  // namespace troupe
