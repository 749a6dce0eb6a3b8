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
  noise_ = noise;
  return absl::OkStatus();
}

void Deterministic::Choose(absl::Span<const float> outputs, absl::Span<const uint8_t>, absl::Span<const float> uniforms,
                           const ChosenActions& chosen) {
  const int draws = draws_per_agent();
  const bool is_noisy = noise_ > 0;
  const double log_noise = is_noisy ? std::log(noise_) : 0;
  for (int row = 0; row < rows_; ++row) {
    if (!uniforms.empty()) DrawNormals(uniforms.data() + int64_t{row} * draws, draws, normals_.data());
    double log_probability = 0;
    for (int i = 0; i < size_; ++i) {
      const int64_t at = int64_t{row} * size_ + i;
      const double mean = std::tanh(double{outputs[at]});
      const double noise = is_noisy && !uniforms.empty() ? noise_ * normals_[i] : 0;
      chosen.sampled[at] = static_cast<float>(mean + noise);
      chosen.taken[at] = std::clamp(chosen.sampled[at], -1.0f, 1.0f);
      if (!is_noisy) continue;
      const double distance = (double{chosen.sampled[at]} - mean) / noise_;
      log_probability -= 0.5 * distance * distance + log_noise + kHalfLogTwoPi;
    }
    chosen.log_probabilities[row] = static_cast<float>(log_probability);
  }
}

}  // namespace troupe
