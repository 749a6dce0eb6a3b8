// The feed-forward network of common/specs/policy_spec.h: dense layers with optional layer norms, out of packed
// weights.
#ifndef TROUPE_ACTOR_WORKER_ACTING_DENSE_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ACTING_DENSE_NETWORK_H_

#include <vector>

#include "actor_worker/acting/kernels.h"
#include "actor_worker/acting/network.h"

namespace troupe {

class DenseNetwork final : public Network {
 public:
  // As a NetworkFactory.
  DenseNetwork(const PolicySpec& spec, int copies);

  void SetParameters(absl::Span<const HostTensor> tensors) override;
  absl::Span<const float> Outputs(absl::Span<const float> observations, absl::Span<float> state) override;

 private:
  // Rows [E] of one agent, or all rows [E · A] when every agent is computed alike.
  struct Job {
    int agent = 0;  // whose first-layer bias is used
    int set = 0;
    int first_row = 0;
    int row_step = 1;
    int rows = 0;
  };
  struct Layer {
    int inputs = 0;
    int outputs = 0;
    int padded = 0;
    std::vector<AlignedFloats> weights;  // per set, packed
    std::vector<AlignedFloats> biases;   // per set; per agent in the first layer
    std::vector<AlignedFloats> gains;    // per set, LayerNorm after the activation; empty without
    std::vector<AlignedFloats> offsets;
  };

  void ComputeTile(const Job& job, int begin, int rows, const float* observations);
  // The network's input rows when it is not the observation as it stands: one-hot appended, normalised.
  const float* PrepareInput(const Job& job, int begin, int rows, const float* observations);
  // The one-hot's weight row is added to the first bias instead, unless normalisation must see it.
  bool folds_agent_id() const { return spec_.agent_id_input && !spec_.stack.input_layer_norm; }

  const PolicySpec spec_;
  const Kernels& kernels_ = BestKernels();
  std::vector<Job> jobs_;
  std::vector<Layer> layers_;
  std::vector<AlignedFloats> input_gains_, input_offsets_;  // per set
  AlignedFloats input_tile_;                                // [kTileRows, input_size]
  AlignedFloats tiles_[2];                                  // [kTileRows, widest layer]
  std::vector<float> outputs_;                              // [E, A, M]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_DENSE_NETWORK_H_
