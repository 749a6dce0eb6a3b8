// A program run as a child whose output comes back through a pipe and who never outlives its parent.
#ifndef TROUPE_COMMON_PROCESSES_PIPED_PROCESS_H_
#define TROUPE_COMMON_PROCESSES_PIPED_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

// Not thread-safe. The child is killed when the *thread* that started it ends (PR_SET_PDEATHSIG), also when the process
// is killed outright: start it from a thread that lives as long as the child may. It is in a process group of its own,
// so Ctrl-C in a terminal reaches the parent alone, which decides; its signal mask is empty and no file but its
// standard streams is open.
class PipedProcess {
 public:
  // arguments[0] is the program's path. Standard input is /dev/null, standard output and error go to output().
  // Errors: NOT_FOUND or PERMISSION_DENIED: the program cannot be run. INTERNAL: no process or pipe to be had.
  static absl::StatusOr<std::unique_ptr<PipedProcess>> Start(const std::vector<std::string>& arguments);
  // Kills and reaps.
  ~PipedProcess();
  PipedProcess(const PipedProcess&) = delete;
  PipedProcess& operator=(const PipedProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Non-blocking file descriptor; end of file once the child (and what it started) closed it.
  int output() const { return output_; }
  // Appends what there is to read; false at the end of the output.
  bool ReadOutput(std::string* text);
  // Appends to `text` until the end of the output, calling `on_more` after each reading. CANCELLED, with SIGTERM sent
  // to the child, soon after `stop_requested` says so.
  absl::Status ReadToEnd(
      const std::function<bool()>& stop_requested, std::string* text, const std::function<void()>& on_more = [] {});

  void Signal(int signal);
  // The wait status once the child has ended. Poll does not wait, Wait does.
  std::optional<int> Poll();
  int Wait();

 private:
  PipedProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  const pid_t pid_;
  const int output_;
  std::optional<int> wait_status_;
};

// "exited with status 3", "was ended by signal 11 (Segmentation fault)".
std::string DescribeWaitStatus(int wait_status);

// The path of `program` in the folder this process's own program lies in. NOT_FOUND naming the path when it is not
// there.
absl::StatusOr<std::string> SiblingProgram(const std::string& program);

}  // namespace troupe

#endif  // TROUPE_COMMON_PROCESSES_PIPED_PROCESS_H_
