// Counter-based random numbers: what a stream yields depends on its key alone, never on who draws or when.
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#ifndef TROUPE_COMMON_BASE_RANDOM_H_
#define TROUPE_COMMON_BASE_RANDOM_H_

#include <array>
#include <cstdint>
#include <initializer_list>

namespace troupe {

// Folds several numbers into one well-mixed key; order matters.
uint64_t MixKey(std::initializer_list<uint64_t> parts);

// One block of four random words.
std::array<uint32_t, 4> PhiloxBlock(uint64_t key, uint64_t counter_low, uint64_t counter_high);

// A stream of numbers. Copyable; copies continue alike. Not thread-safe.
class RandomStream {
 public:
  // Streams of different (key, stream) pairs are independent.
  explicit RandomStream(uint64_t key, uint64_t stream = 0) : key_(key), stream_(stream) {}

  uint32_t NextWord() {
    if (used_ == 4) {
      block_ = PhiloxBlock(key_, counter_++, stream_);
      used_ = 0;
    }
    return block_[used_++];
  }
  // In [0, 1), 24 bits.
  float Uniform() { return static_cast<float>(NextWord() >> 8) * 0x1p-24f; }
  // In [0, 1), 53 bits.
  double UniformDouble() {
    const uint64_t high = NextWord();
    return static_cast<double>(((high << 32) | NextWord()) >> 11) * 0x1p-53;
  }
  // In [0, bound); bound > 0. Multiply-shift: bias below bound / 2^32.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>((static_cast<uint64_t>(NextWord()) * bound) >> 32); }
  double Normal();
  double Exponential(double rate);

 private:
  uint64_t key_;
  uint64_t stream_;
  uint64_t counter_ = 0;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_RANDOM_H_
