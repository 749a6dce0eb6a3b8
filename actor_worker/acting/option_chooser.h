// The manager of one agent group at work: which option each agent follows, and what its network sees of it. The
// formulas stand in common/specs/option_policies.h.
//
// E, A, O as in network.h; R = E · A rows; K options; D uniform numbers of one agent's action.
#ifndef TROUPE_ACTOR_WORKER_ACTING_OPTION_CHOOSER_H_
#define TROUPE_ACTOR_WORKER_ACTING_OPTION_CHOOSER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/acting/categorical.h"
#include "actor_worker/acting/distribution.h"
#include "actor_worker/acting/network.h"
#include "common/base/host_tensor.h"
#include "common/specs/option_policies.h"

namespace troupe {

// Not thread-safe; choosing allocates nothing. An agent's option depends, bit for bit, on its own observation, state,
// uniform number and parameters alone.
class OptionChooser {
 public:
  // `spec` has options; `draws` D.
  OptionChooser(const PolicySpec& spec, int copies, int draws, NetworkFactory make_network);

  // The manager's tensors in order, already checked.
  void SetParameters(absl::Span<const HostTensor> tensors) { manager_->SetParameters(tensors); }

  // `observations` [E, A, O]; `uniforms` [E, A, D + 1], an agent's last for its option, or empty: the mode; `state` [E,
  // A, 2], replaced by the next step's. Writes chosen.options and chosen.option_log_probabilities where they are there.
  // Returns what the network is given, [E, A, K + O], good until the next call.
  absl::Span<const float> Choose(absl::Span<const float> observations, absl::Span<const float> uniforms,
                                 absl::Span<float> state, const ChosenActions& chosen);

  // Of the last call: the uniform numbers left for actions, [E, A, D]; empty where none came.
  absl::Span<const float> left() const { return absl::MakeConstSpan(left_).first(drawn_ ? left_.size() : 0); }

 private:
  // Takes the options' numbers out of all.
  void Split(absl::Span<const float> uniforms);
  // Draws an option for every agent, whether or not it needs one.
  void Draw(absl::Span<const float> observations, absl::Span<const float> state);

  const OptionSpec options_;
  const size_t rows_, observed_, draws_;
  const std::unique_ptr<Network> manager_;
  Categorical categorical_;
  bool drawn_ = false;                    // whether uniform numbers came
  std::vector<float> uniforms_;           // [R]
  std::vector<float> left_;               // [R, D]
  std::vector<float> seen_;               // [R, K + 1 + O], by the manager
  std::vector<int32_t> choices_;          // [R]
  std::vector<float> log_probabilities_;  // [R]
  std::vector<float> inputs_;             // [R, K + O]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_OPTION_CHOOSER_H_
