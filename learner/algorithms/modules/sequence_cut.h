// Some of a batch's sequences as a batch of their own, for who trains recurrent networks on a part of it and has to
// infer there before each step. Host code.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_SEQUENCE_CUT_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_SEQUENCE_CUT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/batch/training_batch.h"
#include "learner/replay/packed_steps.h"

namespace troupe {

struct SequenceCut {
  static constexpr int64_t kNone = -1;
  // A column for each sequence: what was seen and done, flags, network_states; no final states. Where a sequence is
  // shorter than others its last rows are zeros.
  TrainingBatch batch;
  std::shared_ptr<const Timeline> timeline;
  std::vector<int64_t> steps;  // [L, columns], which joint step of the whole batch; kNone: none
};

// Of `batch`, whose steps are also `packed`, and along whose `timeline` the sequences are numbered.
SequenceCut CutSequences(const TrainingBatch& batch, const StepPacking& packing, const std::vector<char>& packed,
                         const Timeline& timeline, const std::vector<int64_t>& sequences);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_SEQUENCE_CUT_H_
