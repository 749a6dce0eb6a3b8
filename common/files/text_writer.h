// Writes text to a file, pipe or terminal from a thread of its own: whoever says something goes on, whether or not
// anybody reads.
#ifndef TROUPE_COMMON_FILES_TEXT_WRITER_H_
#define TROUPE_COMMON_FILES_TEXT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/threads/abandonable_thread.h"

namespace troupe {

// Thread-safe.
class TextWriter {
 public:
  // Of text that waits; what does not fit is dropped, counted, and told of in its place once there is room.
  static constexpr size_t kMaxWaitingBytes = size_t{1} << 20;

  // `name` of the thread. The descriptor is open for as long as the writer; with `owned` it is closed in the end.
  TextWriter(const std::string& name, int descriptor, bool owned = false);
  // Writes what waits, as long as somebody takes it within `kEndPatience`.
  ~TextWriter();
  static constexpr absl::Duration kEndPatience = absl::Seconds(2);

  // Returns at once. `text` ends in a newline, or is a piece of a line.
  void Write(std::string text);
  // Unless several texts wait already: for what the next text replaces.
  void WriteUnlessBehind(std::string text);
  // Waits until all is written. False: it is not within `patience`.
  bool Flush(absl::Duration patience);
  // Texts dropped so far.
  uint64_t dropped() const;

 private:
  struct State;

  const std::shared_ptr<State> state_;
  AbandonableThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_TEXT_WRITER_H_
