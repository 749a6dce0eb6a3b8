#include "actor_worker/acting/gaussian.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "actor_worker/acting/normal_draws.h"

namespace troupe {
namespace {

double ClampedLogStd(double log_std) { return std::clamp(log_std, kMinLogStd, kMaxLogStd); }

}  // namespace

Gaussian::Gaussian(const PolicySpec& spec, int rows)
    : spec_(spec),
      rows_(rows),
      size_(spec.action_size),
      squashes_(spec.distribution.kind == DistributionKind::kSquashedGaussian),
      log_stds_(static_cast<size_t>(spec.distribution.has_log_std() ? spec.num_agents : 1) * spec.action_size),
      normals_(draws_per_agent()) {}

absl::Status Gaussian::SetSnapshot(absl::Span<const HostTensor> parameters, const PolicySnapshot& snapshot) {
  const double noise_scale = snapshot.Scalar(kNoiseScaleScalar).value_or(1);
  if (!(noise_scale > 0)) {
    return absl::InvalidArgumentError(absl::StrCat("policy version ", snapshot.policy_version, ": scalar \"",
                                                   kNoiseScaleScalar, "\" is ", noise_scale,
                                                   ", expected a number above 0"));
  }
  noise_scale_ = noise_scale;
  if (!spec_.distribution.has_log_std()) return absl::OkStatus();
  for (int agent = 0; agent < spec_.num_agents; ++agent) {
    const float* const own = parameters[0].floats() + int64_t{spec_.set_of_agent[agent]} * size_;
    for (int i = 0; i < size_; ++i) {
      log_stds_[int64_t{agent} * size_ + i] = ClampedLogStd(own[i]) + std::log(noise_scale_);
    }
  }
  return absl::OkStatus();
}

void Gaussian::Choose(absl::Span<const float> outputs, absl::Span<const uint8_t>, absl::Span<const float> uniforms,
                      const ChosenActions& chosen) {
  const bool by_state = spec_.distribution.state_dependent_std;
  const int num_outputs = by_state ? 2 * size_ : size_, draws = draws_per_agent();
  const double log_noise_scale = std::log(noise_scale_);
  for (int row = 0; row < rows_; ++row) {
    const float* const mean = outputs.data() + int64_t{row} * num_outputs;
    double* log_std = log_stds_.data();
    if (by_state) {
      for (int i = 0; i < size_; ++i) log_std[i] = ClampedLogStd(mean[size_ + i]) + log_noise_scale;
    } else {
      log_std += int64_t{row % spec_.num_agents} * size_;
    }
    if (!uniforms.empty()) DrawNormals(uniforms.data() + int64_t{row} * draws, draws, normals_.data());

    float* const sampled = chosen.sampled.data() + int64_t{row} * size_;
    float* const taken = chosen.taken.data() + int64_t{row} * size_;
    double log_probability = 0;
    for (int i = 0; i < size_; ++i) {
      const double deviation = std::exp(log_std[i]);
      sampled[i] = uniforms.empty() ? mean[i] : static_cast<float>(mean[i] + deviation * normals_[i]);
      // Of the number that is recorded, not of the one before rounding.
      const double distance = (double{sampled[i]} - mean[i]) / deviation;
      log_probability -= 0.5 * distance * distance + log_std[i] + kHalfLogTwoPi;
      if (squashes_) {
        log_probability -= LogSquashSlope(sampled[i]);
        taken[i] = static_cast<float>(std::tanh(double{sampled[i]}));
      } else {
        taken[i] = std::clamp(sampled[i], -1.0f, 1.0f);
      }
    }
    chosen.log_probabilities[row] = static_cast<float>(log_probability);
  }
}

}  // namespace troupe
