// Changes bytes as fuzzers do, by a seed alone: what the regression test tries where there is no libFuzzer.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_MUTATOR_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/random.h"

namespace troupe::fuzz {

class Mutator {
 public:
  // `corpus` is not empty and outlives the mutator; no input is longer than `longest`.
  Mutator(const std::vector<std::string>& corpus, std::vector<std::string> words, size_t longest, uint64_t seed)
      : corpus_(corpus), words_(std::move(words)), longest_(longest), random_(seed) {}

  // One of the corpus, changed in one to eight places.
  std::string Next();

 private:
  void Change(std::string* input);
  size_t Below(size_t bound) { return random_.Below(static_cast<uint32_t>(bound)); }

  const std::vector<std::string>& corpus_;
  const std::vector<std::string> words_;
  const size_t longest_;
  RandomStream random_;
};

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_MUTATOR_H_
