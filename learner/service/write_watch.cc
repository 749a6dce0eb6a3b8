#include "learner/service/write_watch.h"

namespace troupe {

std::vector<std::shared_ptr<WritingStream>> WriteWatch::TakeStuck(SteadyTime now) {
  std::vector<std::shared_ptr<WritingStream>> stuck;
  std::erase_if(streams_, [&](Watched& watched) {
    const std::shared_ptr<WritingStream> stream = watched.stream.lock();
    if (stream == nullptr) return true;
    const std::optional<WritingStream::Write> write = stream->write_under_way();
    if (!write.has_value() || write->number != watched.write) {
      watched.write = write.has_value() ? write->number : 0;
      watched.since = now;
      return false;
    }
    const absl::Duration enough = patience_ + absl::Seconds(write->bytes / kSlowestBytesPerSecond);
    if (now - watched.since < enough) return false;
    stuck.push_back(stream);
    return true;
  });
  return stuck;
}

}  // namespace troupe
