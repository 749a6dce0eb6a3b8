// What recurrent networks remember of agents between steps: of one player's own, whoever computes its actions.
#ifndef TROUPE_ACTOR_WORKER_ACTING_RECURRENT_STATE_H_
#define TROUPE_ACTOR_WORKER_ACTING_RECURRENT_STATE_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace troupe {

// Of a team over E copies, zeros at first. Without recurrent networks it is empty and costs nothing.
class RecurrentState {
 public:
  RecurrentState() = default;
  // numbers_per_copy[g]: A · H of group g.
  RecurrentState(const std::vector<size_t>& numbers_per_copy, int copies) : numbers_per_copy_(numbers_per_copy) {
    for (const size_t numbers : numbers_per_copy) groups_.emplace_back(numbers * copies, 0.0f);
  }

  // [E, A, H].
  absl::Span<float> group(int g) { return absl::MakeSpan(groups_[g]); }

  // Copies what is remembered to where there is a place for it, per group [E, A, H] or empty.
  void Record(const std::vector<absl::Span<float>>& to) const {
    for (size_t g = 0; g < to.size(); ++g) {
      if (!to[g].empty()) std::copy(groups_[g].begin(), groups_[g].end(), to[g].begin());
    }
  }

  // An episode begins in this copy.
  void Reset(int copy) {
    for (size_t g = 0; g < groups_.size(); ++g) {
      std::fill_n(groups_[g].begin() + copy * numbers_per_copy_[g], numbers_per_copy_[g], 0.0f);
    }
  }

 private:
  std::vector<size_t> numbers_per_copy_;    // per group
  std::vector<std::vector<float>> groups_;  // per group
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_RECURRENT_STATE_H_
