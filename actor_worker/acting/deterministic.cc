#include "actor_worker/acting/deterministic.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace troupe {

Deterministic::Deterministic(int rows, int action_size)
    : rows_(rows), size_(action_size), normals_(draws_per_agent()) {}

absl::Status Deterministic::SetSnapshot(absl::Span<const HostTensor>, const PolicySnapshot& snapshot) {
  const double noise = snapshot.Scalar(kActionNoiseScalar).value_or(0);
  if (!(noise >= 0)) {
    return absl::InvalidArgumentError(absl::StrCat("policy version ", snapshot.policy_version, ": scalar \"",
                                                   kActionNoiseScalar, "\" is ", noise,
                                                   ", expected a number of at least 0"));
  }
  const double kept = snapshot.Scalar(kActionNoiseCorrelationScalar).value_or(0);
  if (!(kept >= 0 && kept < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("policy version ", snapshot.policy_version, ": scalar \"",
                                                   kActionNoiseCorrelationScalar, "\" is ", kept,
                                                   ", expected a number in [0, 1)"));
  }
  noise_ = noise;
  kept_ = kept;
  return absl::OkStatus();
}

void Deterministic::Choose(absl::Span<const float> outputs, absl::Span<const uint8_t>, absl::Span<const float> uniforms,
                           const ChosenActions& chosen) {
  const int draws = draws_per_agent();
  const bool is_noisy = noise_ > 0 && !uniforms.empty();
  const double kept = chosen.noise.empty() || uniforms.empty() ? 0 : kept_;
  const double fresh = std::sqrt(1 - kept * kept);  // deviation of what is new in a step's noise, which has one of 1
  const double log_deviation = noise_ > 0 ? std::log(noise_ * fresh) : 0;
  for (int row = 0; row < rows_; ++row) {
    if (!uniforms.empty()) DrawNormals(uniforms.data() + int64_t{row} * draws, draws, normals_.data());
    double log_probability = 0;
    for (int i = 0; i < size_; ++i) {
      const int64_t at = int64_t{row} * size_ + i;
      double mean = std::tanh(double{outputs[at]});
      if (kept > 0) mean += noise_ * kept * chosen.noise[at];
      chosen.sampled[at] = static_cast<float>(is_noisy ? mean + noise_ * fresh * normals_[i] : mean);
      chosen.taken[at] = std::clamp(chosen.sampled[at], -1.0f, 1.0f);
      if (kept > 0) {
        chosen.noise[at] = static_cast<float>(kept * chosen.noise[at] + fresh * normals_[i]);
      }
      if (noise_ == 0) continue;
      const double distance = (double{chosen.sampled[at]} - mean) / (noise_ * fresh);
      log_probability -= 0.5 * distance * distance + log_deviation + kHalfLogTwoPi;
    }
    chosen.log_probabilities[row] = static_cast<float>(log_probability);
  }
}

}  // namespace troupe
