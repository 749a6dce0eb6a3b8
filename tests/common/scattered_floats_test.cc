#include "common/wire/scattered_floats.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "common/base/half.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

class ScatteredFloatsTest : public testing::TestWithParam<FloatFormat> {
 protected:
  // Quarters of small integers are the same in both formats.
  static std::vector<float> Numbers(size_t count) {
    std::vector<float> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(static_cast<int>(i * 7 % 1001) - 500) / 4;
    return numbers;
  }
  static std::string Bytes(const std::vector<float>& numbers) {
    if (GetParam() == FloatFormat::kFloat32) {
      return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
    }
    std::vector<uint16_t> halves(numbers.size());
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!FloatsToHalves({&numbers[i], 1}, &halves[i])) halves[i] = std::isnan(numbers[i]) ? 0x7E00 : 0x7C00;
    }
    return {reinterpret_cast<const char*>(halves.data()), halves.size() * sizeof(uint16_t)};
  }
  static ScatteredFloats Cut(const std::string& bytes, size_t piece_bytes) {
    std::vector<absl::string_view> pieces;
    for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
      pieces.push_back(absl::string_view(bytes).substr(at, piece_bytes));
    }
    return {pieces, GetParam()};
  }
};

TEST_P(ScatteredFloatsTest, ReadsOnHoweverItIsCut) {
  const std::vector<float> numbers = Numbers(1500);
  const std::string bytes = Bytes(numbers);
  for (const size_t piece_bytes : {1, 2, 3, 4, 5, 7, 64, 1023, 100000}) {
    const ScatteredFloats scattered = Cut(bytes, piece_bytes);
    ASSERT_EQ(scattered.size(), numbers.size());
    EXPECT_TRUE(scattered.AllFinite());
    ScatteredFloats::Reader reader(scattered);
    std::vector<float> read(numbers.size());
    for (size_t at = 0, count = 1; at < read.size(); at += count, count = std::min(count * 3, read.size() - at)) {
      reader.Read(count, read.data() + at);
    }
    EXPECT_EQ(read, numbers) << "in pieces of " << piece_bytes;
  }
}

TEST_P(ScatteredFloatsTest, FindsOneBadNumberWhereverItStandsAndIsCut) {
  using Limits = std::numeric_limits<float>;
  for (const size_t piece_bytes : {1, 3, 5, 64, 100000}) {
    for (const float bad : {Limits::quiet_NaN(), Limits::infinity()}) {
      for (size_t at = 0; at < 200; ++at) {
        std::vector<float> numbers = Numbers(200);
        numbers[at] = bad;
        const std::string bytes = Bytes(numbers);
        ASSERT_FALSE(Cut(bytes, piece_bytes).AllFinite()) << bad << " at " << at << " in pieces of " << piece_bytes;
      }
    }
  }
}

TEST_P(ScatteredFloatsTest, MayBeEmpty) {
  const ScatteredFloats none({}, GetParam());
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.AllFinite());
  ScatteredFloats::Reader(none).Read(0, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Formats, ScatteredFloatsTest, testing::Values(FloatFormat::kFloat32, FloatFormat::kHalf),
                         [](const auto& info) { return info.param == FloatFormat::kHalf ? "half" : "float32"; });

}  // namespace
}  // namespace troupe
