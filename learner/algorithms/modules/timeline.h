// How a batch's steps follow one another, as recurrent networks need to know it.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_TIMELINE_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_TIMELINE_H_

#include <cstdint>
#include <memory>

#include "learner/arithmetic/arithmetic.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// Of a batch already validated.
std::shared_ptr<const Timeline> MakeTimeline(const TrainingBatch& batch, int64_t sequence_length);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_TIMELINE_H_
