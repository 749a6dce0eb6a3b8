#include "learner/replay/sum_tree.h"

#include <bit>

namespace troupe {
namespace {

int64_t LeavesFor(int64_t size) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(size))); }

}  // namespace

SumTree::SumTree(int64_t size) : leaves_(LeavesFor(size)), sums_(2 * leaves_) {}

int64_t SumTree::Bytes(int64_t size) { return 2 * LeavesFor(size) * static_cast<int64_t>(sizeof(double)); }

void SumTree::Set(int64_t place, double value) {
  int64_t node = leaves_ + place;
  sums_[node] = value;
  for (node /= 2; node > 0; node /= 2) sums_[node] = sums_[2 * node] + sums_[2 * node + 1];
}

int64_t SumTree::Find(double sum) const {
  int64_t node = 1;
  while (node < leaves_) {
    node *= 2;
    if (sum < sums_[node] || sums_[node + 1] == 0) continue;
    sum -= sums_[node];
    ++node;
  }
  return node - leaves_;
}

}  // namespace troupe
