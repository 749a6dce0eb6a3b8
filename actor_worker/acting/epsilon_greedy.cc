#include "actor_worker/acting/epsilon_greedy.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"

namespace troupe {

EpsilonGreedy::EpsilonGreedy(int rows, int num_actions)
    : rows_(rows), num_actions_(num_actions), log_best_(num_actions + 1), log_other_(num_actions + 1) {}

absl::Status EpsilonGreedy::SetSnapshot(absl::Span<const HostTensor>, const PolicySnapshot& snapshot) {
  const std::optional<double> epsilon = snapshot.Scalar(kEpsilonScalar);
  if (!epsilon.has_value() || !(*epsilon >= 0 && *epsilon <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("policy version ", snapshot.policy_version, ": scalar \"", kEpsilonScalar, "\" is ",
                     epsilon.has_value() ? absl::StrCat(*epsilon) : "missing", ", expected a number in [0, 1]"));
  }
  epsilon_ = *epsilon;
  for (int allowed = 1; allowed <= num_actions_; ++allowed) {
    log_best_[allowed] = static_cast<float>(std::log(epsilon_ / allowed + (1 - epsilon_)));
    log_other_[allowed] = static_cast<float>(std::log(epsilon_ / allowed));
  }
  return absl::OkStatus();
}

void EpsilonGreedy::Choose(absl::Span<const float> values, absl::Span<const uint8_t> masks,
                           absl::Span<const float> uniforms, const ChosenActions& chosen) {
  const int n = num_actions_;
  for (int row = 0; row < rows_; ++row) {
    const float* const value = values.data() + int64_t{row} * n;
    const uint8_t* const mask = masks.empty() ? nullptr : masks.data() + int64_t{row} * n;
    int best = -1, allowed = 0;
    for (int i = 0; i < n; ++i) {
      if (mask != nullptr && mask[i] == 0) continue;
      ++allowed;
      if (best < 0 || value[i] > value[best]) best = i;
    }
    int action = best;
    if (!uniforms.empty() && uniforms[2 * row] < epsilon_) {
      // Every allowed action owns an equal part of [0, 1).
      int left = std::min(allowed - 1, static_cast<int>(uniforms[2 * row + 1] * allowed));
      for (action = 0; (mask != nullptr && mask[action] == 0) || left-- > 0;) ++action;
    }
    chosen.discrete[row] = action;
    chosen.log_probabilities[row] = action == best ? log_best_[allowed] : log_other_[allowed];
  }
}

}  // namespace troupe
