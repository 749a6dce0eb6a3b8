#include "tests/fuzz/support/mutator.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace troupe::fuzz {
namespace {

// What lengths, counts and numbers break at; little-endian, big-endian and as floats.
constexpr uint32_t kEdges[] = {0,          1,          0x7f,       0x80,       0xff,       0x100,      0x7fff,
                               0x8000,     0xffff,     0x10000,    0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe,
                               0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff, 0x00000001, 0x3f800000};

}  // namespace

std::string Mutator::Next() {
  std::string input = corpus_[Below(corpus_.size())];
  const size_t changes = size_t{1} << Below(4);
  for (size_t i = 0; i < changes; ++i) Change(&input);
  if (input.size() > longest_) input.resize(longest_);
  return input;
}

void Mutator::Change(std::string* input) {
  const size_t at = Below(input->size() + 1), left = input->size() - at;
  const size_t count = std::min(left, size_t{1} << Below(6));
  switch (Below(8)) {
    case 0:  // a bit
      if (left > 0) (*input)[at] = static_cast<char>((*input)[at] ^ (1 << Below(8)));
      break;
    case 1:  // a byte
      if (left > 0) (*input)[at] = static_cast<char>(Below(256));
      break;
    case 2:
      input->erase(at, count);
      break;
    case 3:
      input->insert(at, count + 1, static_cast<char>(Below(256)));
      break;
    case 4: {  // a part of itself elsewhere
      const std::string part = input->substr(at, count);
      input->insert(Below(input->size() + 1), part);
      break;
    }
    case 5: {  // a number, of one to four bytes
      uint32_t edge = kEdges[Below(std::size(kEdges))];
      if (Below(2) == 0) edge = __builtin_bswap32(edge);
      const size_t bytes = std::min(left, size_t{1} << Below(3));
      std::memcpy(input->data() + at, &edge, bytes);
      break;
    }
    case 6: {  // another's end
      const std::string& other = corpus_[Below(corpus_.size())];
      input->replace(at, std::string::npos, other, std::min(at, other.size()), std::string::npos);
      break;
    }
    default:
      if (!words_.empty()) input->insert(at, words_[Below(words_.size())]);
  }
}

}  // namespace troupe::fuzz
