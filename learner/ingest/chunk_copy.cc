#include "learner/ingest/chunk_copy.h"

#include "learner/ingest/field_copy.h"

namespace troupe {

void AllocateBatch(const EnvironmentSpec& spec, const ChunkShape& shape, int num_chunks, TrainingBatch* batch) {
  ChunkShape all = shape;
  all.copies *= num_chunks;
  batch->rollout_length = all.rollout_length;
  batch->columns = all.copies;
  batch->groups.resize(spec.groups.size());
  for (size_t g = 0; g < spec.groups.size(); ++g) AllocateColumns(GroupSizes(spec, all, g, 0), &batch->groups[g]);
  AllocateColumns(JointSizes(spec, all, 0), batch);
  batch->policy_versions.resize(all.copies);
  batch->streams.resize(all.copies);
}

void CopyColumns(const EnvironmentSpec& spec, const ChunkShape& shape, const ReceivedChunkView& view, int block,
                 TrainingBatch* batch) {
  for (size_t g = 0; g < view.groups.size(); ++g) {
    CopyColumns(GroupSizes(spec, shape, g, 0), view.groups[g], block, &batch->groups[g]);
  }
  CopyColumns(JointSizes(spec, shape, 0), view, block, batch);
}

void CopyTruncated(const ReceivedChunkView& view, const ChunkShape& shape, int block, TruncatedEpisodes* truncated) {
  const auto copy = [](const auto& from, auto& to) {
    to.resize(from.size());
    CopyRows(from, /*rows=*/1, /*block=*/0, to);
  };
  truncated->groups.resize(view.groups.size());
  for (size_t g = 0; g < view.groups.size(); ++g) ForEachTruncated(copy, view.groups[g], truncated->groups[g]);
  ForEachTruncated(copy, view, *truncated);
  for (size_t i = 1; i < truncated->truncated_at.size(); i += 2) truncated->truncated_at[i] += block * shape.copies;
}

void ClearTruncated(TrainingBatch* batch) {
  const auto clear = [](auto& tensor) { tensor.clear(); };
  for (GroupBatch& group : batch->groups) ForEachTruncated(clear, group);
  ForEachTruncated(clear, *batch);
}

void AppendTruncated(const TruncatedEpisodes& truncated, TrainingBatch* batch) {
  const auto append = [](const auto& from, auto& to) { to.insert(to.end(), from.begin(), from.end()); };
  for (size_t g = 0; g < truncated.groups.size(); ++g) ForEachTruncated(append, truncated.groups[g], batch->groups[g]);
  ForEachTruncated(append, truncated, *batch);
}

}  // namespace troupe
