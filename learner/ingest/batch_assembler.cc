#include "learner/ingest/batch_assembler.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "common/clock/steady_time.h"
#include "common/threads/timed_wait.h"

namespace troupe {

BatchAssembler::BatchAssembler(const EnvironmentSpec& spec, const ChunkShape& shape, int num_shards, bool ordered,
                               uint64_t first_update)
    : spec_(spec),
      shape_(shape),
      num_shards_(num_shards),
      ordered_(ordered),
      first_update_(first_update),
      next_update_(first_update) {
  for (int i = 0; i < kBatches; ++i) {
    buffers_[i].update = first_update + i;
    buffers_[i].blocks.resize(num_shards);
    AllocateBatch(spec, shape, num_shards, &buffers_[i].batch);
  }
}

std::optional<BatchAssembler::Slot> BatchAssembler::Reserve(uint64_t update, uint32_t shard) {
  assert(ordered_);
  absl::MutexLock lock(&mutex_);
  Buffer& buffer = BufferOf(update);
  if (closed_ || buffer.update != update || buffer.blocks[shard].reserved) return std::nullopt;
  buffer.blocks[shard].reserved = true;
  buffer.reserved += 1;
  return Slot{update, static_cast<int>(shard)};
}

std::optional<BatchAssembler::Slot> BatchAssembler::ReserveNext() {
  assert(!ordered_);
  absl::MutexLock lock(&mutex_);
  const Buffer* const filling = Filling();
  if (closed_ || filling == nullptr) return std::nullopt;
  Buffer& buffer = BufferOf(filling->update);
  buffer.blocks[buffer.reserved].reserved = true;
  return Slot{buffer.update, buffer.reserved++};
}

std::optional<uint64_t> BatchAssembler::filling_update() const {
  absl::MutexLock lock(&mutex_);
  const Buffer* const filling = Filling();
  if (closed_ || filling == nullptr) return std::nullopt;
  return filling->update;
}

const BatchAssembler::Buffer* BatchAssembler::Filling() const {
  const Buffer* earliest = nullptr;
  for (const Buffer& buffer : buffers_) {
    if (buffer.reserved == num_shards_) continue;
    if (earliest == nullptr || buffer.update < earliest->update) earliest = &buffer;
  }
  return earliest;
}

void BatchAssembler::Fill(const Slot& slot, const ReceivedChunkView& view, const wire::Chunk& chunk,
                          std::vector<EpisodeSummary> episodes) {
  Buffer& buffer = BufferOf(slot.update);
  Block& block = buffer.blocks[slot.block];
  CopyColumns(spec_, shape_, view, slot.block, &buffer.batch);
  CopyTruncated(view, shape_, slot.block, &block.truncated);
  block.episodes = std::move(episodes);
  const int first = slot.block * shape_.copies;
  for (int copy = 0; copy < shape_.copies; ++copy) {
    buffer.batch.policy_versions[first + copy] = chunk.policy_version();
    buffer.batch.streams[first + copy] = {chunk.shard(), static_cast<uint32_t>(copy), chunk.lease_epoch(),
                                          chunk.sequence()};
  }
  absl::MutexLock lock(&mutex_);
  buffer.filled += 1;
}

bool BatchAssembler::NextIsReadyOrClosed() const {
  const Buffer& buffer = buffers_[(next_update_ - first_update_) % kBatches];
  return closed_ || (buffer.update == next_update_ && buffer.filled == num_shards_);
}

void BatchAssembler::JoinTruncated(Buffer* buffer) {
  ClearTruncated(&buffer->batch);
  for (const Block& block : buffer->blocks) AppendTruncated(block.truncated, &buffer->batch);
}

const TrainingBatch* BatchAssembler::Peek(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const bool ready = AwaitFor(mutex_, absl::Condition(this, &BatchAssembler::NextIsReadyOrClosed), timeout) && !closed_;
  if (!ready) return nullptr;
  Buffer& buffer = BufferOf(next_update_);
  JoinTruncated(&buffer);
  return &buffer.batch;
}

absl::StatusOr<AssembledBatch> BatchAssembler::Next(absl::Duration timeout) {
  const SteadyTime start = SteadyTime::Now();
  absl::MutexLock lock(&mutex_);
  if (!AwaitFor(mutex_, absl::Condition(this, &BatchAssembler::NextIsReadyOrClosed), timeout)) {
    return absl::DeadlineExceededError("no full batch yet");
  }
  if (closed_) return absl::CancelledError("draining");
  Buffer& buffer = BufferOf(next_update_);
  JoinTruncated(&buffer);
  for (Block& block : buffer.blocks) {
    std::ranges::move(block.episodes, std::back_inserter(episodes_));
    block.episodes.clear();
  }
  while (episodes_.size() > kMaxFinishedEpisodes) episodes_.pop_front();
  buffer.given = true;
  next_update_ += 1;
  const std::vector<uint64_t>& versions = buffer.batch.policy_versions;
  const double mean_version = std::accumulate(versions.begin(), versions.end(), 0.0) / versions.size();
  return AssembledBatch{&buffer.batch, buffer.update, absl::ToDoubleSeconds(SteadyTime::Now() - start),
                        static_cast<double>(buffer.update) - mean_version};
}

void BatchAssembler::Release(uint64_t update) {
  absl::MutexLock lock(&mutex_);
  Buffer& buffer = BufferOf(update);
  if (buffer.update != update || !buffer.given) return;
  released_ += 1;
  buffer.update += kBatches;
  buffer.reserved = 0;
  buffer.filled = 0;
  buffer.given = false;
  for (Block& block : buffer.blocks) block.reserved = false;
}

void BatchAssembler::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

std::vector<EpisodeSummary> BatchAssembler::TakeFinishedEpisodes() {
  absl::MutexLock lock(&mutex_);
  std::vector<EpisodeSummary> taken(std::make_move_iterator(episodes_.begin()),
                                    std::make_move_iterator(episodes_.end()));
  episodes_.clear();
  return taken;
}

uint64_t BatchAssembler::batches_released() const {
  absl::MutexLock lock(&mutex_);
  return released_;
}

int BatchAssembler::batches_ready() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(std::ranges::count_if(
      buffers_, [this](const Buffer& buffer) { return buffer.filled == num_shards_ && !buffer.given; }));
}

}  // namespace troupe
