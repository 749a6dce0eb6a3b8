// What the learner says while it runs: lines, kept in log.txt too, and one progress line that rewrites itself. Who says
// something never waits for whoever reads it: both are written by threads of their own (common/files/text_writer.h).
#ifndef TROUPE_LEARNER_REPORTING_CONSOLE_H_
#define TROUPE_LEARNER_REPORTING_CONSOLE_H_

#include <cstdio>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/files/text_writer.h"

namespace troupe {

// Thread-safe.
class Console {
 public:
  // In a terminal the progress line is rewritten at most five times a second; elsewhere it is an ordinary line at most
  // every ten seconds. With a `name`, lines have it in front and there is no progress line: somebody else shows it.
  Console(std::FILE* out, bool is_terminal, const std::string& name = "");
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // From now on lines go to this file as well, with the time in front. A file that cannot be written is no reason to
  // stop.
  absl::Status OpenLog(const std::string& path);

  // A line of its own (or several; no newline at the end), as ShownLines has it.
  void Line(const std::string& text);
  void Warning(const std::string& text) { Line("warning: " + text); }
  void Progress(const std::string& text, SteadyTime now);

 private:
  // What takes a progress line that is shown away.
  std::string ClearProgress() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TextWriter out_;
  const bool is_terminal_;
  const std::string prefix_;
  absl::Mutex mutex_;
  std::unique_ptr<TextWriter> log_ ABSL_GUARDED_BY(mutex_);
  SteadyTime last_progress_ ABSL_GUARDED_BY(mutex_) = SteadyTime::InfinitePast();
  bool progress_shown_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_CONSOLE_H_
