// Notices that nobody hears those who knock, and opens the door again.
#ifndef TROUPE_LEARNER_SERVICE_LISTENER_WATCH_H_
#define TROUPE_LEARNER_SERVICE_LISTENER_WATCH_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/threads/named_thread.h"
#include "learner/service/connection_listener.h"

namespace troupe {

// Dials each listener now and then, as a stranger would. One that did not answer several times in a row is deaf: it is
// told, opened again, and dialled until it answers. What makes one deaf: the file of a Unix socket that was removed or
// replaced, a network address that went and came, whatever keeps gRPC from taking connections. Where descriptors are
// missing, opening again would not help: that is told alone. One thread, "listener watch".
class ListenerWatch {
 public:
  struct Options {
    absl::Duration interval = absl::Seconds(10);
    absl::Duration retry = absl::Seconds(1);      // after a dial that was not answered
    absl::Duration patience = absl::Seconds(10);  // with an answer
    int failures = 3;                             // in a row: deaf
    // What is told, from the watch's thread: whether all listeners answer, when that changes; that one was opened
    // again; lines for people.
    std::function<void(bool)> answers = [](bool) {};
    std::function<void()> reopened = [] {};
    std::function<void(const std::string& line)> log = [](const std::string&) {};
  };

  // The listeners serve, and are stopped before this is destroyed: a dial under way ends with that.
  ListenerWatch(std::vector<ConnectionListener*> listeners, Options options);
  ~ListenerWatch();
  ListenerWatch(const ListenerWatch&) = delete;
  ListenerWatch& operator=(const ListenerWatch&) = delete;

 private:
  struct Watched {
    ConnectionListener* listener;
    int failures = 0;  // in a row
    bool is_deaf = false;
  };

  void Run();
  // What is to be waited until the next look.
  absl::Duration Look();
  void Judge(const absl::Status& dialled, Watched* watched);

  const Options options_;
  std::vector<Watched> watched_;
  bool all_answer_ = true;
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_LISTENER_WATCH_H_
