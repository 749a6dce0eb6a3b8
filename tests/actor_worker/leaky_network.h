// A recurrent network for tests: each agent remembers a fading sum of what it saw, s ← s / 2 + x, and the dense network
// of the spec looks at that instead of at the observation. It has no parameters of its own.
#ifndef TROUPE_TESTS_ACTOR_WORKER_LEAKY_NETWORK_H_
#define TROUPE_TESTS_ACTOR_WORKER_LEAKY_NETWORK_H_

#include <memory>

#include "actor_worker/acting/dense_network.h"

namespace troupe {

class LeakyNetwork final : public Network {
 public:
  LeakyNetwork(const PolicySpec& spec, int copies) : size_(spec.observation_size), dense_(spec, copies) {}

  void SetParameters(absl::Span<const HostTensor> tensors) override { dense_.SetParameters(tensors); }
  int state_size() const override { return size_; }
  absl::Span<const float> Outputs(absl::Span<const float> observations, absl::Span<float> state) override {
    for (size_t i = 0; i < state.size(); ++i) state[i] = state[i] / 2 + observations[i];
    return dense_.Outputs(state, {});
  }

 private:
  const int size_;
  DenseNetwork dense_;
};

inline std::unique_ptr<Network> MakeLeakyNetwork(const PolicySpec& spec, int copies) {
  return std::make_unique<LeakyNetwork>(spec, copies);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_LEAKY_NETWORK_H_
