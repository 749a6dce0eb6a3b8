// Which places of a replay are drawn how often: prioritised experience replay, proportional variant (arXiv:1511.05952,
// section 3.3 and algorithm 1).
//
//   P(i) = p_i^α / Σ p^α, p_i = |newest error of i| + offset; what was never trained on counts as the largest so far, 1
//   at first. Of `count` draws the i-th is uniform in the i-th of as many equal parts of the sum.
//   weight of a draw = (P(i) / least P drawn)^−β, which is (N · P(i))^−β, divided by the largest.
//
// A place is a column's step, every `every`-th of them. A column has a sum tree of its own, so that several learners,
// each with its columns, draw what one would. No LibTorch.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_PRIORITIES_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_PRIORITIES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "learner/ranks/collective.h"
#include "learner/replay/replay_store.h"
#include "learner/replay/sum_tree.h"

namespace troupe {

struct PrioritySettings {
  double exponent = 0.6;  // α
  double offset = 1e-6;
  int every = 1;
};

// Not thread-safe. With several learners all make the same calls, but for Set.
class ReplayPriorities {
 public:
  // Of a store that keeps at most `most_batches` batches of these sizes.
  ReplayPriorities(const PrioritySettings& settings, int64_t most_batches, int rollout_length, int columns);

  // The trees of so many batches.
  static int64_t Bytes(int64_t most_batches, int rollout_length, int columns, int every);

  // A batch has come in, and those before `first` are no longer kept: at most most_batches from there on.
  void Add(uint64_t batch, uint64_t first, Collective* ranks);

  struct Draws {
    std::vector<ReplayPlace> places;  // those of `share`, in order
    std::vector<float> weights;       // of each, in (0, 1]
  };
  // `exponent`: β. There is at least one place.
  Draws Draw(uint64_t key, int64_t count, double exponent, const ReplayShare& share, Collective* ranks) const;

  // The place was trained on, and its error is now so large.
  void Set(const ReplayPlace& place, double error);

  // p^α of the places of one batch, [places of a column, columns].
  std::vector<float> Save(uint64_t batch) const;
  void Load(uint64_t batch, absl::Span<const float> saved);
  size_t places_of_batch() const { return starts_ * columns_.size(); }
  double largest() const { return largest_; }
  void set_largest(double largest) { largest_ = largest; }

 private:
  int64_t PlaceOf(uint64_t batch, int start) const {
    return static_cast<int64_t>(batch % static_cast<uint64_t>(most_batches_)) * starts_ + start;
  }
  void Fill(uint64_t batch, float priority);

  const PrioritySettings settings_;
  const int64_t most_batches_;
  const int64_t starts_;  // places of a column of a batch
  std::vector<SumTree> columns_;
  uint64_t first_ = 0;  // batches before have no priority any more
  double largest_ = 1;  // of p so far
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_PRIORITIES_H_
