// Which rows of a batch are trained on: those of living agents whose actions the newest actors chose, of groups that
// are not frozen. What is left out is left out as the dead are: of losses, their denominators and normalisers.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_TRAINED_ROWS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_TRAINED_ROWS_H_

#include <cstdint>
#include <vector>

#include "learner/algorithms/modules/critic_layout.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// Of a group, [steps, agents], 1: the actor's loss counts it.
std::vector<uint8_t> TrainedRows(const GroupBatch& batch, bool frozen);

// Whether no value of the critic is of a group that is trained. `frozen`: for each group.
bool IsFrozen(const CriticLayout& critic, const std::vector<uint8_t>& frozen);

// Takes those out of `active` [steps (+ 1), columns of the critic] whose value is not trained: of a team that a saved
// version plays, or of frozen groups alone; of an agent of such a group. What values estimate is the return of the
// newest actors.
void LeaveOutValues(const CriticLayout& critic, const std::vector<uint8_t>& frozen, const TrainingBatch& batch,
                    std::vector<uint8_t>* active);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_TRAINED_ROWS_H_
