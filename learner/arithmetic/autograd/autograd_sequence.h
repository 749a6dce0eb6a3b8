// A recurrent network's steps and gradients by LibTorch: what holds the blocks' (blocks/block_sequence.h) to account,
// and what processors without them have.
#ifndef TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_AUTOGRAD_SEQUENCE_H_
#define TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_AUTOGRAD_SEQUENCE_H_

#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/cpu/sequence_network.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

class AutogradSequence final : public SequenceNetwork {
 public:
  // `parameters` [P] of all sets stays where it is.
  AutogradSequence(const DenseStackSpec& spec, const at::Tensor& parameters);

  void Prepare(int lanes, int64_t steps) override;
  void Step(int lane, const StepCall& call, int64_t keep) override;
  void Backward(int lane, int64_t set, int64_t rows, int64_t steps, const float* slopes, bool add,
                float* set_gradient) override;
  // A set's parameters one after another.
  int64_t set_gradient_size() const override { return set_size_; }
  // Parameters are the layers.
  int64_t num_layers() const override { return static_cast<int64_t>(parameters_of_.size()); }
  void SumLayer(int64_t set, int64_t layer, float* const* set_gradients, int64_t count, float* gradient) override;
  void Refresh(int64_t, int64_t) override {}

 private:
  struct Lane {
    at::Tensor leaf, state;  // a set's own parameters, what is remembered
    std::vector<at::Tensor> outputs;
  };
  struct Parameter {
    int64_t first = 0, in_set = 0, size = 0;  // of set 0 among all sets', in a set's own, of one set
  };
  at::Tensor OwnParameters(int64_t set) const;

  const DenseStackSpec spec_, own_;  // own_: of one set
  const at::Tensor parameters_;
  std::vector<Parameter> parameters_of_;
  int64_t set_size_ = 0;
  std::vector<Lane> lanes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_AUTOGRAD_SEQUENCE_H_
