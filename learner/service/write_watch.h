// Finds streams whose peers do not read: what is on its way to such a peer stays in memory, and gRPC ends the call only
// when the connection does.
#ifndef TROUPE_LEARNER_SERVICE_WRITE_WATCH_H_
#define TROUPE_LEARNER_SERVICE_WRITE_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"

namespace troupe {

// A stream with messages on their way to its peer, one at a time. Thread-safe.
class WritingStream {
 public:
  struct Write {
    uint64_t number = 0;  // of this stream's writes
    size_t bytes = 0;
  };

  virtual ~WritingStream() = default;
  virtual std::optional<Write> write_under_way() const = 0;
  // Ends the call at once, whatever is on its way.
  virtual void Cut() = 0;
};

// Not thread-safe. Time is passed in.
class WriteWatch {
 public:
  // Behind a link this slow a peer that reads is not taken for one that does not.
  static constexpr double kSlowestBytesPerSecond = 16 << 10;

  // A write may take `patience`, and as long as its bytes take besides.
  explicit WriteWatch(absl::Duration patience) : patience_(patience) {}

  void Add(const std::shared_ptr<WritingStream>& stream) { streams_.push_back({stream, 0, SteadyTime()}); }
  // The streams that a write has been under way on for too long, each once; they are no longer watched.
  std::vector<std::shared_ptr<WritingStream>> TakeStuck(SteadyTime now);
  size_t size() const { return streams_.size(); }

 private:
  struct Watched {
    std::weak_ptr<WritingStream> stream;
    uint64_t write = 0;  // seen last; 0: none
    SteadyTime since;    // when it was seen first
  };

  const absl::Duration patience_;
  std::vector<Watched> streams_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_WRITE_WATCH_H_
