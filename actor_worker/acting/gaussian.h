// Continuous actions from a diagonal Gaussian, clipped to the environment's bounds or squashed into them by tanh.
#ifndef TROUPE_ACTOR_WORKER_ACTING_GAUSSIAN_H_
#define TROUPE_ACTOR_WORKER_ACTING_GAUSSIAN_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/acting/distribution.h"
#include "actor_worker/acting/normal_draws.h"

namespace troupe {

// Uniform numbers as normal_draws.h takes them. Deviations are multiplied by the snapshot's scalar "noise_scale", > 0,
// if there is one. The log-probability is that of the recorded float32 sample, so that whoever knows mean and deviation
// finds the same.
class Gaussian final : public Distribution {
 public:
  // `rows` is a multiple of spec.num_agents.
  Gaussian(const PolicySpec& spec, int rows);

  int draws_per_agent() const override { return DrawsOfNormals(size_); }
  absl::Status SetSnapshot(absl::Span<const HostTensor> parameters, const PolicySnapshot& snapshot) override;
  void Choose(absl::Span<const float> outputs, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              const ChosenActions& chosen) override;

 private:
  const PolicySpec spec_;
  const int rows_;
  const int size_;  // N
  const bool squashes_;
  double noise_scale_ = 1;
  std::vector<double> log_stds_;  // [A, N] with the noise scale in it; the row's own [N] where the state decides
  std::vector<double> normals_;   // [N rounded up to pairs]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_GAUSSIAN_H_
