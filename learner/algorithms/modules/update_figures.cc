#include "learner/algorithms/modules/update_figures.h"

namespace troupe {

void AddFigures(const UpdateFigures& from, UpdateFigures* to) {
  if (to->empty()) {
    *to = from;
    return;
  }
  for (size_t n = 0; n < from.size(); ++n) {
    for (size_t set = 0; set < from[n].size(); ++set) {
      const SetFigures& part = from[n][set];
      SetFigures& sum = (*to)[n][set];
      for (size_t i = 0; i < part.sums.size(); ++i) {
        sum.sums[i] += part.sums[i];
        sum.first[i] += part.first[i];
      }
      sum.gradient_norm += part.gradient_norm;
      sum.steps += part.steps;
      sum.skipped += part.skipped;
    }
  }
}

}  // namespace troupe
