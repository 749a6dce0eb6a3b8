// QMIX's mixing network (arXiv:1803.11485, section 4.1) with its target, on the CPU by LibTorch: a team's value out of
// its agents' values q [n] and the global state s [S]. Networks of s make its weights, whose absolute values it takes,
// so that the team's value rises with each agent's:
//   W1 = |h1(s)| [n, E];  b1 = h2(s) [E];  w2 = |h3(s)| [E];  b2 = h4(s)
//   total = elu(q · W1 + b1) · w2 + b2
// h1 and h3 have a hidden layer of hypernetwork_size ReLUs, or none where that is 0; h2 is linear; h4 has a hidden
// layer of E ReLUs. With state_layer_norm each of the four begins with a LayerNorm of s (arXiv:1607.06450), which the
// paper has not: ∂total/∂q is a product of two of them and grows as |s|² without it. Beside its own gradient it gives
// the one with respect to q, which the agents' networks are trained by.
//
// No LibTorch in this header.
#ifndef TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_MONOTONIC_MIXER_H_
#define TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_MONOTONIC_MIXER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/ranks/collective.h"

namespace troupe {

struct MonotonicMixerSpec {
  int agents = 0;      // n
  int state_size = 0;  // S
  int embedding = 32;  // E
  int hypernetwork_size = 64;
  bool state_layer_norm = false;
  AdamSettings optimizer;
};

// Joint steps in memory.
struct MixerRows {
  const float* values = nullptr;  // [rows, n]
  const float* states = nullptr;  // [rows, S]
  int64_t rows = 0;
  const float* weights = nullptr;  // [rows], w of the loss; null: 1
};

// Not thread-safe; works on all ComputeThreads(), with the same bits on any number of them.
class MonotonicMixer {
 public:
  // What its first parameters are drawn with; the target begins alike. `ranks` outlives this.
  MonotonicMixer(const MonotonicMixerSpec& spec, uint64_t key, Collective* ranks);
  ~MonotonicMixer();

  // Of one such network, without its target.
  static int64_t NumParameters(const MonotonicMixerSpec& spec);

  // The target's totals [rows].
  std::vector<float> TargetTotals(const MixerRows& rows) const;

  struct Gradient {
    std::vector<float> totals;  // [rows]
    std::vector<float> slopes;  // [rows, n], w (total − y) · ∂total/∂q
  };
  // Of the loss ½ Σ w (total − y)², y [rows]; what its own parameters bring to it is kept for Step.
  Gradient Differentiate(const MixerRows& rows, const std::vector<float>& targets);

  struct Step {
    double gradient_norm = 0;  // before clipping
    bool skipped = false;      // loss or gradient was not finite, and nothing changed
  };
  // A step along the gradient found last, summed over the ranks and divided by `denominator`.
  Step TakeStep(double learning_rate, double denominator);

  // Moves the target by `rate` of the way to the trained one; 1: a copy.
  void BlendTarget(double rate);

  // Parameters, optimiser and target as "mixer/…" and "target_mixer/…", as of Arithmetic.
  void Save(std::vector<HostTensor>* state) const;
  void Load(absl::Span<const HostTensor> state);

 private:
  struct Networks;
  Collective& ranks_;
  std::unique_ptr<Networks> networks_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_MONOTONIC_MIXER_H_
