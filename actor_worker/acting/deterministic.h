// Continuous actions that the network decides alone, and noise around them.
#ifndef TROUPE_ACTOR_WORKER_ACTING_DETERMINISTIC_H_
#define TROUPE_ACTOR_WORKER_ACTING_DETERMINISTIC_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/acting/distribution.h"
#include "actor_worker/acting/normal_draws.h"

namespace troupe {

// Uniform numbers as normal_draws.h takes them, whether there is noise or not. Its standard deviation is the snapshot's
// scalar "action_noise", >= 0; without one there is none. What it keeps of the step before is the scalar
// "action_noise_correlation", in [0, 1), without one nothing; where ChosenActions carries no noise on, each step's is
// independent, and as large.
class Deterministic final : public Distribution {
 public:
  Deterministic(int rows, int action_size);

  int draws_per_agent() const override { return DrawsOfNormals(size_); }
  int noise_size() const override { return size_; }
  absl::Status SetSnapshot(absl::Span<const HostTensor>, const PolicySnapshot& snapshot) override;
  void Choose(absl::Span<const float> outputs, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              const ChosenActions& chosen) override;

 private:
  const int rows_;
  const int size_;  // N
  double noise_ = 0;
  double kept_ = 0;              // of the step before
  std::vector<double> normals_;  // [N rounded up to pairs]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_DETERMINISTIC_H_
