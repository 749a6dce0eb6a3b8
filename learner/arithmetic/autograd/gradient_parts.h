// What the parts of a minibatch that autograd computes for all sets at once leave behind: a gradient and figures each.
#ifndef TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_GRADIENT_PARTS_H_
#define TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_GRADIENT_PARTS_H_

#include <vector>

#include "learner/arithmetic/objectives/objective.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

// Different parts may be written, and different items summed up, on different threads at once.
class GradientParts {
 public:
  // Of networks with so many parameters in all sets, of which the last, [sets, free], are free ones.
  GradientParts(int64_t num_parameters, int64_t sets, int64_t free);

  void Begin(int64_t parts);
  int64_t count() const { return static_cast<int64_t>(gradients_.size()); }
  Objective::Figures* figures(int64_t part, int64_t set) { return &figures_[part][set]; }
  // `gradient` [P], or undefined where nothing depends on the parameters; `free_gradient` [sets, free] comes to it.
  void Take(int64_t part, const at::Tensor& gradient, const at::Tensor& free_gradient);

  // As GradientEngine's.
  int64_t num_sum_items() const;
  void Sum(int64_t item, float* gradient) const;
  void AddFigures(int set, Objective::Figures* sums) const;

 private:
  const int64_t num_parameters_, sets_, free_;
  std::vector<at::Tensor> gradients_;                     // [P] each
  std::vector<std::vector<Objective::Figures>> figures_;  // [parts][sets]
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_AUTOGRAD_GRADIENT_PARTS_H_
