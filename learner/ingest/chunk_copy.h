// Copies of a chunk's tensors into a batch's columns.
//
// Letters as in learner/batch/training_batch.h; a chunk of E copies fills the columns block·E … block·E + E − 1.
#ifndef TROUPE_LEARNER_INGEST_CHUNK_COPY_H_
#define TROUPE_LEARNER_INGEST_CHUNK_COPY_H_

#include <vector>

#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// What a chunk says about its truncated episodes, kept aside until all chunks of a batch are there: the tensors with K
// rows; truncated_at has (t, column of the batch).
using TruncatedEpisodes = ChunkTensors<std::vector<float>, std::vector<int32_t>, std::vector<uint8_t>>;

// Sizes every tensor but those of truncated episodes.
void AllocateBatch(const EnvironmentSpec& spec, const ChunkShape& shape, int num_chunks, TrainingBatch* batch);

// Touches nothing but the block's columns, so that blocks may be copied by several threads at once.
void CopyColumns(const EnvironmentSpec& spec, const ChunkShape& shape, const ReceivedChunkView& view, int block,
                 TrainingBatch* batch);

void CopyTruncated(const ReceivedChunkView& view, const ChunkShape& shape, int block, TruncatedEpisodes* truncated);

void ClearTruncated(TrainingBatch* batch);
void AppendTruncated(const TruncatedEpisodes& truncated, TrainingBatch* batch);

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_CHUNK_COPY_H_
