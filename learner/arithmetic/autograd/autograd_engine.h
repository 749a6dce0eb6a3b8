// The gradients of any function that LibTorch can differentiate, on the CPU: fixed parts of the rows on the compute
// pool, each with a leaf of its own for the parameters. What no faster engine covers.
#ifndef TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_AUTOGRAD_ENGINE_H_
#define TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_AUTOGRAD_ENGINE_H_

#include <functional>
#include <memory>
#include <vector>

#include "learner/arithmetic/autograd/gradient_parts.h"
#include "learner/arithmetic/cpu/gradient_engine.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// From all sets' flat parameters [P] and rows [sets, rows, input] to outputs [sets, rows, output], all float32 on the
// CPU. Called from several threads at once, each with a leaf of its own.
using NetworkFunction = std::function<at::Tensor(const at::Tensor& parameters, const at::Tensor& rows)>;

class AutogradEngine final : public GradientEngine {
 public:
  struct Sizes {
    int64_t sets = 1, input = 0, output = 0;
    int64_t free = 0;    // free parameters of a set, last in the flat tensor: [sets, free]
    int64_t tokens = 1;  // that the function cuts a row into, each as costly as a row elsewhere
  };

  // `parameters` [P] is a leaf that stays where it is.
  AutogradEngine(const Sizes& sizes, NetworkFunction function, std::shared_ptr<const Objective> objective,
                 const at::Tensor& parameters);

  void Begin(const NetworkRows& rows, const MinibatchTask& task) override;
  int64_t num_parts() const override { return parts_.count(); }
  void RunPart(int64_t part, int lane) override;
  int64_t num_sum_items() const override { return parts_.num_sum_items(); }
  void Sum(int64_t item, float* gradient) override { parts_.Sum(item, gradient); }
  void AddFigures(int set, Objective::Figures* sums) const override { parts_.AddFigures(set, sums); }
  int64_t num_refresh_items() const override { return 0; }
  void Refresh(int64_t) override {}
  void Infer(const NetworkRows& rows, float* outputs) override;

 private:
  // The inputs of `count` of the task's steps from `first` on, [sets, count · rows_per_step, input], and the numbers of
  // their rows among all fields.
  at::Tensor Gather(int64_t first, int64_t count, std::vector<int64_t>* index) const;
  int64_t StepsPerPass() const;

  const Sizes sizes_;
  const NetworkFunction function_;
  const std::shared_ptr<const Objective> objective_;
  const at::Tensor parameters_;
  NetworkRows rows_;
  MinibatchTask task_;
  GradientParts parts_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_AUTOGRAD_ENGINE_H_
