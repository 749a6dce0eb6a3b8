// Puts chunks side by side into training batches, straight from the bytes they came in.
//
//   Reserve ─► Fill (any thread, several at once, no lock while copying) ─► … ─► Next ─► (train) ─► Release
//
// Two batches: one being filled while the other is trained on. Nothing is queued here: when neither has a place for a
// chunk, Reserve says so and its stream is not read from. Memory is allocated once, by the spec and the shape; what
// depends on how many episodes were truncated keeps its capacity.
#ifndef TROUPE_LEARNER_INGEST_BATCH_ASSEMBLER_H_
#define TROUPE_LEARNER_INGEST_BATCH_ASSEMBLER_H_

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"
#include "learner/batch/assembled_batch.h"
#include "learner/batch/episode_summary.h"
#include "learner/batch/training_batch.h"
#include "learner/ingest/chunk_copy.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// Thread-safe.
class BatchAssembler {
 public:
  static constexpr int kBatches = 2;
  static constexpr size_t kMaxFinishedEpisodes = 65536;

  // A place for one chunk; whoever holds it must Fill it.
  struct Slot {
    uint64_t update = 0;
    int block = 0;  // columns block·E … block·E + E − 1
  };

  // `ordered`: a chunk's columns are its shard's (deterministic modes); otherwise in the order of arrival.
  BatchAssembler(const EnvironmentSpec& spec, const ChunkShape& shape, int num_shards, bool ordered,
                 uint64_t first_update);

  // Ordered: the shard's place in the batch of `update`. Nothing: that batch's memory is still in use, or Close was
  // called.
  std::optional<Slot> Reserve(uint64_t update, uint32_t shard) ABSL_LOCKS_EXCLUDED(mutex_);
  // Unordered: the next place in the batch being filled.
  std::optional<Slot> ReserveNext() ABSL_LOCKS_EXCLUDED(mutex_);
  // Unordered: the update that ReserveNext would fill; nothing when it would say nothing.
  std::optional<uint64_t> filling_update() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Copies the chunk, of which `view` is, into its place. A batch is ready when all its places are filled.
  void Fill(const Slot& slot, const ReceivedChunkView& view, const wire::Chunk& chunk,
            std::vector<EpisodeSummary> episodes) ABSL_LOCKS_EXCLUDED(mutex_);

  // The next update's batch, once ready. DEADLINE_EXCEEDED, CANCELLED (Close).
  absl::StatusOr<AssembledBatch> Next(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  // What Next would give now, without giving it: the batch is only looked at, and stays as it is until it was given and
  // released. Null: not ready within `timeout`, or Close was called.
  const TrainingBatch* Peek(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);
  // The memory of the batch of `update` is free to be filled for update + 2.
  void Release(uint64_t update) ABSL_LOCKS_EXCLUDED(mutex_);
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // Episodes of the batches given out since the last call, in the order of their columns; the newest
  // kMaxFinishedEpisodes.
  std::vector<EpisodeSummary> TakeFinishedEpisodes() ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t batches_released() const ABSL_LOCKS_EXCLUDED(mutex_);
  int batches_ready() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Block {
    bool reserved = false;
    TruncatedEpisodes truncated;
    std::vector<EpisodeSummary> episodes;
  };
  // Columns of a reserved block belong to its holder until filled; all else is guarded by mutex_.
  struct Buffer {
    uint64_t update = 0;
    int reserved = 0;
    int filled = 0;
    bool given = false;
    TrainingBatch batch;
    std::vector<Block> blocks;
  };

  Buffer& BufferOf(uint64_t update) { return buffers_[(update - first_update_) % kBatches]; }
  bool NextIsReadyOrClosed() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Puts the blocks' truncated episodes one after another into the batch.
  static void JoinTruncated(Buffer* buffer);
  // The buffer with room for the earliest update.
  const Buffer* Filling() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const EnvironmentSpec spec_;
  const ChunkShape shape_;
  const int num_shards_;
  const bool ordered_;
  const uint64_t first_update_;

  mutable absl::Mutex mutex_;
  std::array<Buffer, kBatches> buffers_;
  uint64_t next_update_ ABSL_GUARDED_BY(mutex_);
  uint64_t released_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<EpisodeSummary> episodes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_BATCH_ASSEMBLER_H_
