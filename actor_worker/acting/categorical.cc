#include "actor_worker/acting/categorical.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace troupe {

Categorical::Categorical(int rows, int num_actions, const Kernels& kernels)
    : kernels_(kernels), rows_(rows), num_actions_(num_actions) {
  shifted_.Resize(static_cast<size_t>(rows) * num_actions);
  likelihoods_.Resize(static_cast<size_t>(rows) * num_actions);
}

void Categorical::Choose(absl::Span<const float> logits, absl::Span<const uint8_t> masks,
                         absl::Span<const float> uniforms, const ChosenActions& chosen_actions) {
  const int n = num_actions_;
  const int64_t total = int64_t{rows_} * n;
  float* const shifted = shifted_.data();
  float* const likelihoods = likelihoods_.data();
  for (int row = 0; row < rows_; ++row) {
    const float* const logit = logits.data() + int64_t{row} * n;
    const uint8_t* const mask = masks.empty() ? nullptr : masks.data() + int64_t{row} * n;
    float largest = -std::numeric_limits<float>::infinity();
    for (int i = 0; i < n; ++i) {
      const float candidate = mask == nullptr || mask[i] ? logit[i] : -std::numeric_limits<float>::infinity();
      largest = candidate > largest ? candidate : largest;
    }
    for (int i = 0; i < n; ++i) shifted[int64_t{row} * n + i] = logit[i] - largest;
  }
  std::memcpy(likelihoods, shifted, total * sizeof(float));
  kernels_.exponential(likelihoods, (total + kLineFloats - 1) / kLineFloats * kLineFloats);
  if (!masks.empty()) {
    for (int64_t i = 0; i < total; ++i) likelihoods[i] = masks[i] ? likelihoods[i] : 0.0f;
  }

  for (int row = 0; row < rows_; ++row) {
    const int64_t first = int64_t{row} * n;
    const uint8_t* const mask = masks.empty() ? nullptr : masks.data() + first;
    float sum = 0;
    for (int i = 0; i < n; ++i) sum += likelihoods[first + i];
    int chosen = 0;
    if (uniforms.empty()) {
      while (chosen < n - 1 && !((mask == nullptr || mask[chosen]) && shifted[first + chosen] == 0)) ++chosen;
    } else {
      const float target = uniforms[row] * sum;
      float cumulative = 0;
      for (int i = 0; i < n; ++i) {
        if (mask != nullptr && !mask[i]) continue;
        chosen = i;
        cumulative += likelihoods[first + i];
        if (cumulative > target) break;
      }
    }
    chosen_actions.discrete[row] = chosen;
    chosen_actions.log_probabilities[row] = shifted[first + chosen] - std::log(sum);
  }
}

}  // namespace troupe
