// Chunk messages used again, so that collecting does not allocate and touch fresh megabytes for every chunk.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_CHUNK_POOL_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_CHUNK_POOL_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/training_service.pb.h"

namespace troupe {

// Thread-safe. A message comes back by itself when its last owner lets go of it (acknowledged and no longer being
// written); the pool may be destroyed before that.
class ChunkPool {
 public:
  // Keeps at most `capacity` unused messages.
  explicit ChunkPool(size_t capacity) : shelf_(std::make_shared<Shelf>(capacity)) {}

  // A message that holds a chunk with the contents of some earlier use.
  std::shared_ptr<wire::WorkerMessage> Take() {
    std::unique_ptr<wire::WorkerMessage> message = shelf_->Take();
    if (message == nullptr) {
      message = std::make_unique<wire::WorkerMessage>();
      message->mutable_chunk();
    }
    return {message.release(),
            [shelf = shelf_](wire::WorkerMessage* used) { shelf->Put(std::unique_ptr<wire::WorkerMessage>(used)); }};
  }

  size_t num_unused() const { return shelf_->size(); }

 private:
  class Shelf {
   public:
    explicit Shelf(size_t capacity) : capacity_(capacity) {}
    std::unique_ptr<wire::WorkerMessage> Take() {
      absl::MutexLock lock(&mutex_);
      if (unused_.empty()) return nullptr;
      auto message = std::move(unused_.back());
      unused_.pop_back();
      return message;
    }
    void Put(std::unique_ptr<wire::WorkerMessage> message) {
      absl::MutexLock lock(&mutex_);
      if (unused_.size() < capacity_) unused_.push_back(std::move(message));
    }
    size_t size() const {
      absl::MutexLock lock(&mutex_);
      return unused_.size();
    }

   private:
    const size_t capacity_;
    mutable absl::Mutex mutex_;
    std::vector<std::unique_ptr<wire::WorkerMessage>> unused_ ABSL_GUARDED_BY(mutex_);
  };

  const std::shared_ptr<Shelf> shelf_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_CHUNK_POOL_H_
