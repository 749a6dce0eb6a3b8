// SHA-256 (FIPS 180-4), for comparing weights by eye and by test.
#ifndef TROUPE_LEARNER_RUN_SHA256_H_
#define TROUPE_LEARNER_RUN_SHA256_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/host_tensor.h"

namespace troupe {

class Sha256 {
 public:
  void Add(std::string_view bytes);
  // 64 lower-case hexadecimal digits. Nothing may be added afterwards.
  std::string Finish();

 private:
  void Compress(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};
  size_t num_pending_ = 0;
  uint64_t num_bytes_ = 0;
};

// Over every tensor's name, shape and bytes, in order; the policy version is not part of it.
std::string WeightsSha256(const PolicyWeights& weights);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_SHA256_H_
