// What one local worker printed, in a file of bounded size.
#ifndef TROUPE_LEARNER_LOCAL_WORKERS_WORKER_LOG_H_
#define TROUPE_LEARNER_LOCAL_WORKERS_WORKER_LOG_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

// Appends to `path`; when that reaches `max_bytes` it becomes `path`.1 (in place of the one before) and a new file
// begins. What cannot be written is dropped: a log is no reason to stop. Not thread-safe.
class WorkerLog {
 public:
  WorkerLog(std::string path, size_t max_bytes);
  ~WorkerLog();
  WorkerLog(const WorkerLog&) = delete;
  WorkerLog& operator=(const WorkerLog&) = delete;

  void Append(std::string_view text);
  // The last line with something on it, cut to 200 bytes.
  std::string LastLine() const;
  const std::string& path() const { return path_; }

 private:
  void Open();

  const std::string path_;
  const size_t max_bytes_;
  int file_ = -1;
  size_t bytes_ = 0;
  std::string tail_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_LOCAL_WORKERS_WORKER_LOG_H_
