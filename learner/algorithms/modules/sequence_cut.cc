#include "learner/algorithms/modules/sequence_cut.h"

#include <algorithm>

#include "learner/algorithms/modules/timeline.h"
#include "learner/replay/replay_rows.h"

namespace troupe {

SequenceCut CutSequences(const TrainingBatch& batch, const StepPacking& packing, const std::vector<char>& packed,
                         const Timeline& timeline, const std::vector<int64_t>& sequences) {
  const auto columns = static_cast<int64_t>(sequences.size());
  const int64_t length = std::min(timeline.sequence_length, timeline.steps), all = timeline.num_sequences();
  SequenceCut cut{.batch = packing.MakeBatch(static_cast<int>(length), columns),
                  .timeline = nullptr,
                  .steps = std::vector<int64_t>(length * columns, SequenceCut::kNone)};
  for (size_t g = 0; g < batch.groups.size(); ++g) {
    const std::vector<float>& from = batch.groups[g].network_states;
    cut.batch.groups[g].network_states.resize(static_cast<int64_t>(from.size()) / all * columns);
    for (int64_t i = 0; i < columns; ++i) CopyRow(from, all, sequences[i], i, &cut.batch.groups[g].network_states);
  }
  for (int64_t i = 0; i < columns; ++i) {
    const int64_t first = timeline.FirstStep(sequences[i]);
    for (int64_t t = 0; t < timeline.Length(sequences[i]); ++t) {
      const int64_t step = first + t * timeline.columns, cell = t * columns + i;
      const auto row = static_cast<int>(step / timeline.columns), column = static_cast<int>(step % timeline.columns);
      packing.CopyState(packed, row, column, cell, &cut.batch);
      packing.CopyAct(packed, row, column, cell, &cut.batch);
      cut.steps[cell] = step;
    }
  }
  cut.timeline = MakeTimeline(cut.batch, length);
  return cut;
}

}  // namespace troupe
