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
// scalar "action_noise", >= 0; without one there is none.
class Deterministic final : public Distribution {
 public:
  Deterministic(int rows, int action_size);

  int draws_per_agent() const override { return DrawsOfNormals(size_); }
  absl::Status SetSnapshot(absl::Span<const HostTensor>, const PolicySnapshot& snapshot) override;
  void Choose(absl::Span<const float> outputs, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
              const ChosenActions& chosen) override;

 private:
  const int rows_;
  const int size_;  // N
  double noise_ = 0;
  std::vector<double> normals_;  // [N rounded up to pairs]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_DETERMINISTIC_H_
