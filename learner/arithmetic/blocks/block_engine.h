// A dense network's gradients out of blocks of rows (block_stack.h): the fast way on processors with AVX2 or AVX-512.
// No LibTorch here.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_ENGINE_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_ENGINE_H_

#include <memory>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/blocks/block_slopes.h"
#include "learner/arithmetic/blocks/block_stack.h"
#include "learner/arithmetic/cpu/gradient_engine.h"
#include "learner/arithmetic/cpu/part_sums.h"

namespace troupe {

class BlockEngine final : public GradientEngine {
 public:
  // `parameters` [P] stays where it is: the stack's, then `num_free` of each set. The spec is one that BlockStack
  // covers, `kernels` not null.
  BlockEngine(const DenseStackSpec& spec, const BlockKernels* kernels, std::shared_ptr<const Objective> objective,
              const float* parameters, int64_t num_free = 0);

  void Begin(const NetworkRows& rows, const MinibatchTask& task) override;
  int64_t num_parts() const override { return stack_.num_sets() * parts_per_set_; }
  void RunPart(int64_t part, int lane) override;
  // Items are the layers of every set, then every set's free parameters.
  int64_t num_sum_items() const override { return num_layers() + (sums_.num_free() > 0 ? stack_.num_sets() : 0); }
  void Sum(int64_t item, float* gradient) override;
  void AddFigures(int set, Objective::Figures* sums) const override { sums_.AddFigures(set, sums); }
  int64_t num_refresh_items() const override { return num_layers(); }
  void Refresh(int64_t item) override;
  void Infer(const NetworkRows& rows, float* outputs) override;
  bool Differentiate(absl::Span<const float> inputs, int64_t rows, InputGradient* found) override;

 private:
  struct Lane {
    BlockStack::Scratch scratch;
    std::vector<int64_t> index, offsets;
    std::vector<float> y, dy;
  };
  // Of all sets.
  int64_t num_layers() const { return stack_.num_sets() * stack_.num_layers(); }
  void MakeLanes();
  // Numbers of `rows` rows of a set from `first` on, among the set's `in_set` rows: where their fields and inputs lie.
  void Locate(int64_t set, int64_t first, int64_t rows, Lane* lane) const;

  const DenseStackSpec spec_;
  const std::shared_ptr<const Objective> objective_;
  const float* const parameters_;
  BlockStack stack_;
  NetworkRows rows_;
  MinibatchTask task_;
  int64_t rows_per_set_ = 0, rows_per_part_ = 1, parts_per_set_ = 0;
  std::vector<Lane> lanes_;
  AlignedWords gradients_;  // [parts, set_gradient_size]
  std::vector<float*> gradient_of_part_;
  PartSums sums_;
  std::unique_ptr<BlockSlopes> slopes_;  // once somebody asked
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_ENGINE_H_
