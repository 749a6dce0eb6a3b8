// The recurrent network of common/specs/policy_spec.h: dense layers, a GRU or LSTM cell, an output layer.
#ifndef TROUPE_ACTOR_WORKER_ACTING_RECURRENT_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ACTING_RECURRENT_NETWORK_H_

#include <vector>

#include "actor_worker/acting/dense_network.h"
#include "actor_worker/acting/kernels.h"
#include "actor_worker/acting/network.h"

namespace troupe {

class RecurrentNetwork final : public Network {
 public:
  // As a NetworkFactory; the spec has a cell.
  RecurrentNetwork(const PolicySpec& spec, int copies);

  void SetParameters(absl::Span<const HostTensor> tensors) override;
  int state_size() const override { return spec_.stack.state_size(); }
  absl::Span<const float> Outputs(absl::Span<const float> observations, absl::Span<float> state) override;

 private:
  // A product with a bias, of every set.
  struct Layer {
    int inputs = 0, outputs = 0, padded = 0;
    std::vector<AlignedFloats> weights, biases;  // [sets]
  };
  // Rows with one parameter set that lie evenly apart.
  struct Job {
    int set = 0;
    int first_row = 0, row_step = 1, rows = 0;
  };

  Layer MakeLayer(int inputs, int outputs) const;
  void Multiply(const Layer& layer, int set, const float* input, int64_t stride, int rows, AlignedFloats& output) const;
  // logistic_ becomes e^−x of the first `count` of each row's gates; σ(x) = 1 / (1 + e^−x).
  void ExponentiateGates(const float* gate_inputs, int64_t stride, int rows, int count);
  // From the gates' inputs of `rows` rows `stride` rows apart to their new states, whose outputs come to stand in
  // cell_outputs_.
  void StepGru(const float* gate_inputs, int64_t stride, int rows, float* state);
  void StepLstm(const float* gate_inputs, int64_t stride, int rows, float* state);
  void ComputeTile(const Job& job, int begin, int rows, const float* gate_inputs, float* state);

  const PolicySpec spec_;
  const Kernels& kernels_ = BestKernels();
  const size_t parameters_before_;  // tensors that are before_'s
  DenseNetwork before_;
  Layer state_layer_, output_layer_;
  std::vector<AlignedFloats> gains_, offsets_;  // [sets], of the norm after the cell; empty without
  std::vector<Job> jobs_;
  // Of one tile of rows, each padded.
  AlignedFloats state_products_;           // [rows, gates · H]
  AlignedFloats logistic_, tangents_;      // [rows, gates · H], [rows, H]
  AlignedFloats cell_outputs_, products_;  // [rows, H], [rows, outputs]
  std::vector<float> outputs_;             // [E, A, M]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_RECURRENT_NETWORK_H_
