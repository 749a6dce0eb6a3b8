// The part of a minibatch of a network whose rows tell each other something (common/specs/policy_spec.h): sequences of
// whole teams, forward through all their steps and back through time and through what was said, by LibTorch. Sets that
// hear each other are differentiated together: a set's gradient holds what came of its messages for other sets' losses.
// A set that is not stepped brings no loss.
#ifndef TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_COMMUNICATING_ENGINE_H_
#define TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_COMMUNICATING_ENGINE_H_

#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/autograd/gradient_parts.h"
#include "learner/arithmetic/cpu/gradient_engine.h"
#include "learner/arithmetic/networks/communication.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

class CommunicatingEngine final : public GradientEngine {
 public:
  // The plan's stack communicates and its states are given. `parameters` [P] is a leaf that stays where it is.
  CommunicatingEngine(const NetworkPlan& plan, const at::Tensor& parameters);

  void Begin(const NetworkRows& rows, const MinibatchTask& task) override;
  int64_t num_parts() const override { return parts_.count(); }
  void RunPart(int64_t part, int lane) override;
  int64_t num_sum_items() const override { return parts_.num_sum_items(); }
  void Sum(int64_t item, float* gradient) override { parts_.Sum(item, gradient); }
  void AddFigures(int set, Objective::Figures* sums) const override { parts_.AddFigures(set, sums); }
  int64_t num_refresh_items() const override { return 0; }
  void Refresh(int64_t) override {}
  // Of the states that are trained on, and no others.
  void Infer(const NetworkRows& rows, float* outputs) override;

 private:
  // Neighbours in sequences_, of one length.
  struct Block {
    int64_t first = 0, sequences = 0, length = 0;
  };
  int64_t SequencesAtOnce() const;
  // `count` of `sequences` (null: the first ones) as blocks.
  void CutBlocks(const int64_t* sequences, int64_t count);
  // Number of the joint step that is step t of the block's i-th sequence.
  int64_t StepOf(const Block& block, int64_t i, int64_t t) const;
  at::Tensor Inputs(const Block& block, int64_t t) const;
  // [1, rows, 1]: 0 where an episode begins.
  at::Tensor GoesOn(const Block& block, int64_t t) const;
  at::Tensor Remembered(const Block& block) const;
  // Takes outputs [sets, rows, output] of every step of the block, in order.
  using Visit = absl::FunctionRef<void(int64_t t, const at::Tensor& outputs)>;
  void Walk(const Block& block, const at::Tensor& parameters, Visit visit) const;
  // The loss of the block's step t: its slope by the outputs.
  at::Tensor Slope(const Block& block, int64_t t, const at::Tensor& outputs, int64_t part, float* free_gradient);

  const DenseStackSpec stack_;
  const int64_t num_free_;  // of each set
  const std::shared_ptr<const Objective> objective_;
  const Listeners listeners_;
  const at::Tensor parameters_;
  NetworkRows rows_;
  MinibatchTask task_;
  std::vector<int64_t> sequences_;  // the longer ones first
  std::vector<Block> blocks_;
  GradientParts parts_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_COMMUNICATING_ENGINE_H_
