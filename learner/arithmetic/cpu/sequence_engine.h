// A recurrent network's part of a minibatch: sequences side by side in blocks of rows, each block forward through all
// its steps and back. Along which network, sequence_network.h says. No LibTorch here.
#ifndef TROUPE_LEARNER_ARITHMETIC_CPU_SEQUENCE_ENGINE_H_
#define TROUPE_LEARNER_ARITHMETIC_CPU_SEQUENCE_ENGINE_H_

#include <memory>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/cpu/gradient_engine.h"
#include "learner/arithmetic/cpu/part_sums.h"
#include "learner/arithmetic/cpu/sequence_network.h"

namespace troupe {

class SequenceEngine final : public GradientEngine {
 public:
  // The plan's stack is recurrent. `parameters` of all sets, the free ones after the stack's, stay where they are.
  SequenceEngine(const NetworkPlan& plan, std::unique_ptr<SequenceNetwork> network, const float* parameters);

  void Begin(const NetworkRows& rows, const MinibatchTask& task) override;
  int64_t num_parts() const override { return stack_.num_sets * parts_per_set_; }
  void RunPart(int64_t part, int lane) override;
  // Items are the layers of every set, then the free parameters of every set.
  int64_t num_sum_items() const override { return num_layers() + (sums_.num_free() > 0 ? stack_.num_sets : 0); }
  void Sum(int64_t item, float* gradient) override;
  void AddFigures(int set, Objective::Figures* sums) const override { sums_.AddFigures(set, sums); }
  int64_t num_refresh_items() const override { return num_layers(); }
  void Refresh(int64_t item) override;
  void Infer(const NetworkRows& rows, float* outputs) override;

 private:
  // Neighbouring rows among a set's rows of sequences_; their sequences are of one length.
  struct Block {
    int64_t first = 0, rows = 0, length = 0;
  };
  struct Lane {
    std::vector<int64_t> offsets, index;  // [kSequenceRows]
    std::vector<uint8_t> begins;          // [kSequenceRows]
    std::vector<float> state;             // [kSequenceRows, D]
    std::vector<float> outputs;           // [kSequenceRows, M]
    std::vector<float> slopes;            // [L, kSequenceRows, M]
  };
  int64_t num_layers() const { return stack_.num_sets * network_->num_layers(); }
  void MakeLanes();
  // Appends blocks that cover rows [first, last).
  void CutBlocks(int64_t first, int64_t last, int64_t length);
  void RunBlock(const Block& block, int64_t set, int lane, bool add, int64_t part);
  // Columns' rows [first, first + rows) of a set along all their steps.
  void InferColumns(int64_t set, int64_t first, int64_t rows, int lane, float* outputs);
  // The states that followed steps at which episodes were cut, from what was remembered there.
  void InferFinals(int64_t set, int64_t first, int64_t rows, int64_t step, Lane* lane, int number, float* outputs);

  const DenseStackSpec stack_;
  const std::shared_ptr<const Objective> objective_;
  const bool finds_states_;
  const std::unique_ptr<SequenceNetwork> network_;
  NetworkRows rows_;
  MinibatchTask task_;
  std::vector<int64_t> sequences_;  // of the minibatch, the longer ones first
  std::vector<Block> blocks_;       // of every set
  int64_t parts_per_set_ = 0;
  std::vector<Lane> lanes_;
  std::vector<std::vector<float>> gradient_of_part_;
  std::vector<float*> gradients_;  // where they are
  PartSums sums_;
  std::vector<int64_t> final_after_;  // [steps, columns]: the state that followed a cut, or none
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_CPU_SEQUENCE_ENGINE_H_
