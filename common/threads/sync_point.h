// Named places where a test holds a thread until another one has passed elsewhere, so that orders of events that are
// rare in life are tried every time (tests/interleavings). What stands between the making of a SyncPoint and its end is
// one event: a critical section, a file renamed, a call to a peer.
//
//   const SyncPoint point("lease.fail");  // first, without a lock: who is held here must not hold up the others
//   absl::MutexLock lock(&mutex_);
//
// Programs built without tests (TROUPE_BUILD_TESTS=OFF: images, wheels) have none. In those built with them one costs
// two loads of a pointer that is null.
#ifndef TROUPE_COMMON_THREADS_SYNC_POINT_H_
#define TROUPE_COMMON_THREADS_SYNC_POINT_H_

#include <atomic>

namespace troupe {

// Sees all events of the process. Called on the threads that they happen on, from many at once; may block.
class SyncWatcher {
 public:
  virtual ~SyncWatcher() = default;
  virtual void Before(const char* event) = 0;
  virtual void After(const char* event) = 0;
};

#ifndef TROUPE_NO_SYNC_POINTS

// Null: nobody watches. A watcher lives as long as the process: a thread may be about to call it.
inline std::atomic<SyncWatcher*> sync_watcher = nullptr;

class SyncPoint {
 public:
  // `event`: a name of tests/interleavings' tables; a literal.
  explicit SyncPoint(const char* event) : event_(event) {
    if (SyncWatcher* const watcher = sync_watcher.load(std::memory_order_acquire)) [[unlikely]]
      watcher->Before(event_);
  }
  ~SyncPoint() {
    if (SyncWatcher* const watcher = sync_watcher.load(std::memory_order_acquire)) [[unlikely]]
      watcher->After(event_);
  }
  SyncPoint(const SyncPoint&) = delete;
  SyncPoint& operator=(const SyncPoint&) = delete;

 private:
  const char* const event_;
};

#else

class [[maybe_unused]] SyncPoint {
 public:
  explicit constexpr SyncPoint(const char*) {}
  SyncPoint(const SyncPoint&) = delete;
  SyncPoint& operator=(const SyncPoint&) = delete;
};

#endif

}  // namespace troupe

#endif  // TROUPE_COMMON_THREADS_SYNC_POINT_H_
