// What the parts of a minibatch add up besides their gradients: figures, and the gradients of free parameters, which
// the objective alone sees (NetworkPlan::free). A set's parts are neighbours.
#ifndef TROUPE_LEARNER_ARITHMETIC_CPU_PART_SUMS_H_
#define TROUPE_LEARNER_ARITHMETIC_CPU_PART_SUMS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

// Different parts may be added to, and different sets summed up, on different threads at once.
class PartSums {
 public:
  // `num_free` of every set, which come after the stack's `num_parameters` among `parameters`; these stay where they
  // are.
  PartSums(const float* parameters, int64_t num_parameters, int64_t num_free)
      : parameters_(parameters), first_free_(num_parameters), num_free_(num_free) {}

  int64_t num_free() const { return num_free_; }

  // All zero.
  void Begin(int64_t parts_per_set, int64_t num_sets) {
    parts_per_set_ = parts_per_set;
    figures_.assign(parts_per_set * num_sets, {});
    free_gradients_.assign(parts_per_set * num_sets * num_free_, 0.0f);
  }

  Objective::Figures* figures(int64_t part) { return &figures_[part]; }
  // As ObjectiveRows wants them; null without free parameters.
  const float* free(int64_t part) const {
    return num_free_ > 0 ? parameters_ + first_free_ + part / parts_per_set_ * num_free_ : nullptr;
  }
  float* free_gradient(int64_t part) { return num_free_ > 0 ? free_gradients_.data() + part * num_free_ : nullptr; }

  // The set's parts, in order: figures added to `sums`, free parameters' gradients written to their place in
  // `gradient`, that of all parameters.
  void AddFigures(int64_t set, Objective::Figures* sums) const {
    for (int64_t part = set * parts_per_set_; part < (set + 1) * parts_per_set_; ++part) {
      for (size_t i = 0; i < sums->size(); ++i) (*sums)[i] += figures_[part][i];
    }
  }
  void SumFree(int64_t set, float* gradient) const {
    float* const to = gradient + first_free_ + set * num_free_;
    std::fill_n(to, num_free_, 0.0f);
    for (int64_t part = set * parts_per_set_; part < (set + 1) * parts_per_set_; ++part) {
      for (int64_t i = 0; i < num_free_; ++i) to[i] += free_gradients_[part * num_free_ + i];
    }
  }

 private:
  const float* const parameters_;
  const int64_t first_free_, num_free_;
  int64_t parts_per_set_ = 0;
  std::vector<Objective::Figures> figures_;  // [parts]
  std::vector<float> free_gradients_;        // [parts, num_free]
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_CPU_PART_SUMS_H_
