// Figures of an update that were taken from the arithmetic in several parts.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_UPDATE_FIGURES_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_UPDATE_FIGURES_H_

#include "learner/arithmetic/arithmetic.h"

namespace troupe {

// Of the same networks; `to` may be empty.
void AddFigures(const UpdateFigures& from, UpdateFigures* to);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_UPDATE_FIGURES_H_
