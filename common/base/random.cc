#include "common/base/random.h"

#include <cmath>
#include <numbers>

namespace troupe {

uint64_t MixKey(std::initializer_list<uint64_t> parts) {
  // SplitMix64's finaliser over a running sum: each part changes every bit of the result.
  uint64_t key = 0;
  for (const uint64_t part : parts) {
    uint64_t mixed = key + part + 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    key = mixed ^ (mixed >> 31);
  }
  return key;
}

std::array<uint32_t, 4> PhiloxBlock(uint64_t key, uint64_t counter_low, uint64_t counter_high) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  auto key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(counter_low), static_cast<uint32_t>(counter_low >> 32),
                               static_cast<uint32_t>(counter_high), static_cast<uint32_t>(counter_high >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * c[0], product1 = kMultiplier1 * c[2];
    c = {static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

double RandomStream::Normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - UniformDouble()));
  return radius * std::cos(2.0 * std::numbers::pi * UniformDouble());
}

double RandomStream::Exponential(double rate) { return -std::log(1.0 - UniformDouble()) / rate; }

}  // namespace troupe
