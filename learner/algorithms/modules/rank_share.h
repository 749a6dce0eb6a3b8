// Which part of an update's batch a rank holds: contiguous columns, in the order of ranks.
//
// A joint step is numbered step · all_columns + column, as in the batch of a learner by itself, so that all ranks deal
// the same minibatches; each then keeps those it holds.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_RANK_SHARE_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_RANK_SHARE_H_

#include <cstdint>
#include <vector>

#include "learner/ranks/collective.h"

namespace troupe {

struct RankShare {
  int64_t first_column = 0;
  int64_t columns = 0;
  int64_t all_columns = 0;  // of all ranks together
};

// Asks every rank how many columns it has.
RankShare FindRankShare(int64_t columns, Collective* ranks);

// Of minibatches of the whole batch's joint steps, those of `share`, by their number in the rank's own batch. Order is
// kept; a minibatch may be left empty.
std::vector<std::vector<int64_t>> OwnSteps(const RankShare& share, std::vector<std::vector<int64_t>> minibatches);

// Every rank's values one after another, in the order of ranks. Any number from each.
std::vector<double> Concatenate(const std::vector<double>& own, Collective* ranks);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_RANK_SHARE_H_
