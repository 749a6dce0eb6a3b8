// Numbers in a binary tree of their sums: changing one and finding the one at which a running sum passes some value
// each take log2(n) steps (arXiv:1511.05952, appendix B.2.1). The sums are a function of the numbers alone, not of how
// they came about.
#ifndef TROUPE_LEARNER_REPLAY_SUM_TREE_H_
#define TROUPE_LEARNER_REPLAY_SUM_TREE_H_

#include <cstdint>
#include <vector>

namespace troupe {

// Not thread-safe.
class SumTree {
 public:
  // Of `size` ≥ 1 numbers, all 0.
  explicit SumTree(int64_t size);
  // What such a tree takes.
  static int64_t Bytes(int64_t size);

  // value ≥ 0.
  void Set(int64_t place, double value);
  double value(int64_t place) const { return sums_[leaves_ + place]; }
  double total() const { return sums_[1]; }

  // The place of which the sum of those before it is at most `sum`, and with it more; never one whose number is 0, also
  // where rounding would lead there. 0 ≤ sum < total().
  int64_t Find(double sum) const;

 private:
  int64_t leaves_;            // a power of two
  std::vector<double> sums_;  // node i is the sum of 2·i and 2·i + 1; 1 is the root
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_SUM_TREE_H_
