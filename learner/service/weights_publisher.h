// The newest actor weights, serialised once per version however many workers take them.
//
// The last versions are kept, two as a rule. With every_version a subscriber gets each in order: it never misses one it
// needs, because an update waits for the chunks made with the version before. Otherwise the newest wins and versions
// may be skipped. Saved opponents that a version's roster names are messages of their own, serialised once and sent to
// a subscriber before the first version that names them.
#ifndef TROUPE_LEARNER_SERVICE_WEIGHTS_PUBLISHER_H_
#define TROUPE_LEARNER_SERVICE_WEIGHTS_PUBLISHER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/base/policy_snapshot.h"
#include "common/threads/named_thread.h"
#include "grpcpp/support/byte_buffer.h"

namespace troupe {

struct PublishedWeights {
  uint64_t version = 0;
  size_t num_bytes = 0;
  grpc::ByteBuffer bytes;  // a serialised wire::Weights
  // What a subscriber must have been sent before: the saved opponents of the version's roster.
  std::vector<std::shared_ptr<const PublishedWeights>> opponents;
};

// One worker's stream of weights. Calls return at once and may come from any thread.
class WeightsSubscriber {
 public:
  virtual ~WeightsSubscriber() = default;
  // There may be something new: ask WeightsPublisher::Next.
  virtual void Wake() = 0;
  // Once what is on its way is there.
  virtual void Close(const absl::Status& status) = 0;
  // The version on its way to the worker, or that whose opponents are, which stays in memory as long; empty: none.
  virtual std::optional<uint64_t> version_under_way() const = 0;
  // Ends the call at once, whatever is on its way.
  virtual void Cut() = 0;
};

// Thread-safe. Subscribers are called without the publisher's lock.
class WeightsPublisher {
 public:
  // Of versions that are not kept and still on their way to somebody; beyond it who is furthest behind is cut off.
  static constexpr size_t kMaxBytesBehind = size_t{256} << 20;

  // `versions_kept`: at least two.
  explicit WeightsPublisher(bool every_version, size_t versions_kept = 2);
  ~WeightsPublisher();

  // Returns the bytes of one serialised copy. Versions rise. Subscribers are woken by a thread of the publisher's own:
  // a woken one writes to its socket at once, which for many workers takes longer than the caller, who trains, has.
  size_t Publish(const PolicySnapshot& weights) ABSL_LOCKS_EXCLUDED(mutex_);

  // What a subscriber that was last sent `sent` gets next; null: nothing yet. The oldest kept one above `sent`, or the
  // newest.
  std::shared_ptr<const PublishedWeights> Next(std::optional<uint64_t> sent) const ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<uint64_t> newest_version() const ABSL_LOCKS_EXCLUDED(mutex_);

  // A second subscriber of the same worker replaces the first, which is closed with ABORTED. The publisher does not
  // keep it alive. After CloseAll, it is closed at once.
  void Subscribe(const std::string& worker_id, const std::shared_ptr<WeightsSubscriber>& subscriber)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the worker's subscription, if there is one.
  void Drop(const std::string& worker_id, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void CloseAll() ABSL_LOCKS_EXCLUDED(mutex_);

  // Of versions that are not kept and still on their way to somebody.
  size_t bytes_behind() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Cuts those furthest behind off until bytes_behind would be within its bound; says how many.
  int CutFurthestBehind(size_t max_bytes = kMaxBytesBehind) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // The messages of the roster's opponents, those of before as they were.
  std::vector<std::shared_ptr<const PublishedWeights>> Opponents(const Roster& roster) ABSL_LOCKS_EXCLUDED(mutex_);
  void Announce() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasNewsOrStops() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return unannounced_ || stopping_; }

  const bool every_version_;
  const size_t versions_kept_;
  mutable absl::Mutex mutex_;
  std::deque<std::shared_ptr<const PublishedWeights>> kept_ ABSL_GUARDED_BY(mutex_);    // oldest first
  std::vector<std::weak_ptr<const PublishedWeights>> retired_ ABSL_GUARDED_BY(mutex_);  // oldest first
  // Of the newest roster, which is kept beside so that addresses stay whose they are.
  std::shared_ptr<const Roster> roster_ ABSL_GUARDED_BY(mutex_);
  std::map<const PolicySnapshot*, std::shared_ptr<const PublishedWeights>> opponents_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::weak_ptr<WeightsSubscriber>> subscribers_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool unannounced_ ABSL_GUARDED_BY(mutex_) = false;  // a version of which no subscriber was told
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  NamedThread announcer_;  // last: it sees all of the above
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_WEIGHTS_PUBLISHER_H_
