// The dense network of actors and critics as a LibTorch function of one flat parameter tensor.
//
// All parameters of all sets lie in one contiguous tensor [P] in DenseStackSpec::Parameters() order, free ones last, so
// that the optimiser, the gradient norm and a checkpoint each handle one tensor. Forward is differentiable with respect
// to it and to x. On the CPU in float32 it runs through dense_stack_kernel.h, elsewhere through LibTorch's operators
// (ForwardReference); a test holds the two to each other.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_DENSE_STACK_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_DENSE_STACK_H_

#include <map>
#include <string>
#include <vector>

#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// Host values of all parameters, one after another. Weights: orthogonal per set, or uniform with Kaiming's bound (fan
// in), gain √2 for RELU and 5/3 for TANH, 1 for a cell's, all its gates' as one matrix, and for all that no activation
// follows before layers.0 (embeddings, attention's products) and of messages, output_gain for the output layer
// (arXiv:2103.01955, table 7). Biases 0, but 1 of an LSTM's forget gate (Jozefowicz et al., ICML 2015), norms' gains 1.
// What comes out depends on the spec and `key` alone.
std::vector<float> InitialParameters(const DenseStackSpec& spec, uint64_t key);

// The stack's parameters and then the free ones, [sets, size], if there are any.
std::vector<DenseStackSpec::Parameter> AllParameters(const DenseStackSpec& spec, const FreeParameters& free);

// Views of a flat tensor [P]'s parts, by DenseStackSpec::Parameter::name.
std::map<std::string, at::Tensor> SplitParameters(const DenseStackSpec& spec, const at::Tensor& flat);

// A feed-forward stack out of LibTorch's operators, on any device and in any floating dtype; free parameters are passed
// over: x [sets, rows, input] → [sets, rows, output].
at::Tensor ForwardReference(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x);

// The same one step of a recurrent stack: state [sets, rows, spec.state_size()] is what is remembered before and after.
struct RecurrentStep {
  at::Tensor outputs, state;
};
RecurrentStep RecurrentReference(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x,
                                 const at::Tensor& state);

class DenseStack {
 public:
  DenseStack(const DenseStackSpec& spec, uint64_t key, at::Device device, const FreeParameters& free = {});

  const DenseStackSpec& spec() const { return spec_; }
  // [P], float32, requires grad; a leaf.
  const at::Tensor& parameters() const { return parameters_; }

  // x [sets, rows, input] → [sets, rows, output].
  at::Tensor Forward(const at::Tensor& x) const { return ForwardReference(spec_, parameters_, x); }

  // Each parameter as "PREFIX/NAME", in order.
  std::vector<HostTensor> Export(const std::string& prefix) const;
  // [P] host floats.
  void SetParameters(const std::vector<float>& values);

 private:
  const DenseStackSpec spec_;
  const std::vector<DenseStackSpec::Parameter> all_;
  at::Tensor parameters_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_DENSE_STACK_H_
