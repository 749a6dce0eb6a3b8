// A child program that cannot outlive its owner, grow without bound or become a zombie.
#ifndef TROUPE_COMMON_PROCESSES_LIMITED_PROCESS_H_
#define TROUPE_COMMON_PROCESSES_LIMITED_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

// Not thread-safe. The child dies with this process however that ends; the destructor kills and reaps it. It leads a
// process group of its own: what it started and left in there is killed when its end is noticed.
class LimitedProcess {
 public:
  static constexpr int kMostInheritedFiles = 8;
  struct Options {
    std::vector<std::string> command;                // program and arguments
    std::vector<std::string> environment_overrides;  // "NAME=value"
    int64_t memory_limit_bytes = 0;                  // address space; 0: no limit
    // What it writes to and shares with nobody: RLIMIT_DATA. Address space that is only reserved, as runtimes with
    // collectors and thread pools do, and files in memory do not count. 0: no limit.
    int64_t private_memory_limit_bytes = 0;
    std::vector<int> inherited_files;  // become the child's file descriptors 3, 4, …; still the caller's here
  };

  // Errors: INTERNAL when the system refuses. A program that cannot be run shows as a child that exits with 127.
  static absl::StatusOr<std::unique_ptr<LimitedProcess>> Start(const Options& options);
  ~LimitedProcess();
  LimitedProcess(const LimitedProcess&) = delete;
  LimitedProcess& operator=(const LimitedProcess&) = delete;

  pid_t pid() const { return pid_; }
  // A file that poll(2) finds readable once it has ended (pidfd_open(2)); -1 where the system has none.
  int end_file() const { return end_file_; }
  // Whether it still runs. Reaps it when it has ended.
  bool IsRunning();
  // Waits for its end. Errors: DEADLINE_EXCEEDED, INTERNAL with the obituary unless it exited with status 0.
  absl::Status WaitForSuccess(absl::Duration timeout);
  // Kills it with SIGABRT, upon which language runtimes say where they are, and waits for at most `patience`.
  void Abort(absl::Duration patience);
  // Frees the memory of output that is older than Obituary looks at: call it now and then while the child lives long.
  void ForgetOldOutput();
  // How it ended (or that it has not), and LastWords of its standard output and error.
  std::string Obituary();

 private:
  LimitedProcess(pid_t pid, int output);
  // Takes its wait status, once, with these flags of waitid beside WEXITED.
  void Reap(int flags);

  const pid_t pid_;
  const int output_;  // file in memory that takes its output
  const int end_file_;
  bool reaped_ = false;
  int wait_status_ = 0;
};

// What a program that failed had to say, in one line of at most about `most_bytes`: the lines of its output that begin
// with "Error:", then as much as there is room for of the end of the others.
std::string LastWords(absl::string_view output, size_t most_bytes);

}  // namespace troupe

#endif  // TROUPE_COMMON_PROCESSES_LIMITED_PROCESS_H_
