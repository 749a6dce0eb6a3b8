// What agents carry from step to step of an episode: what recurrent networks remember of a player's own, whoever
// computes its actions, and the noise on their actions where it is correlated in time.
#ifndef TROUPE_ACTOR_WORKER_ACTING_RECURRENT_STATE_H_
#define TROUPE_ACTOR_WORKER_ACTING_RECURRENT_STATE_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace troupe {

// Of a team over E copies, zeros at first. Without recurrent networks and continuous actions with noise it is empty and
// costs nothing.
class RecurrentState {
 public:
  RecurrentState() = default;
  // memory_per_copy[g]: A · H of group g; noise_per_copy[g]: A · N where its actions have noise, else 0.
  RecurrentState(const std::vector<size_t>& memory_per_copy, const std::vector<size_t>& noise_per_copy, int copies)
      : memory_(memory_per_copy, copies), noise_(noise_per_copy, copies) {}

  // [E, A, H].
  absl::Span<float> group(int g) { return absl::MakeSpan(memory_.groups[g]); }
  // [E, A, N] in units of the noise's deviation, or empty.
  absl::Span<float> noise(int g) { return absl::MakeSpan(noise_.groups[g]); }

  // Copies what is remembered to where there is a place for it, per group [E, A, H] or empty.
  void Record(const std::vector<absl::Span<float>>& to) const {
    for (size_t g = 0; g < to.size(); ++g) {
      if (!to[g].empty()) std::copy(memory_.groups[g].begin(), memory_.groups[g].end(), to[g].begin());
    }
  }

  // An episode begins in this copy.
  void Reset(int copy) {
    memory_.Reset(copy);
    noise_.Reset(copy);
  }

 private:
  struct Numbers {
    Numbers() = default;
    Numbers(const std::vector<size_t>& per_copy, int copies) : per_copy(per_copy) {
      for (const size_t numbers : per_copy) groups.emplace_back(numbers * copies, 0.0f);
    }
    void Reset(int copy) {
      for (size_t g = 0; g < groups.size(); ++g) {
        std::fill_n(groups[g].begin() + copy * per_copy[g], per_copy[g], 0.0f);
      }
    }
    std::vector<size_t> per_copy;            // per group
    std::vector<std::vector<float>> groups;  // per group
  };

  Numbers memory_, noise_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_RECURRENT_STATE_H_
