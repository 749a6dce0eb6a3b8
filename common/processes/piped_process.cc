#include "common/processes/piped_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

absl::Status ErrnoStatus(const std::string& what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeProgram(char* const* arguments, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close_range(3, ~0u, 0);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PipedProcess>> PipedProcess::Start(const std::vector<std::string>& arguments) {
  const std::string& program = arguments.at(0);
  if (access(program.c_str(), X_OK) != 0) {
    const std::string text = absl::StrCat(program, ": ", std::strerror(errno));
    return errno == EACCES ? absl::PermissionDeniedError(text) : absl::NotFoundError(text);
  }
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return ErrnoStatus("pipe");
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(words.data(), pipe_ends[1], parent);
  close(pipe_ends[1]);
  if (pid < 0) {
    const absl::Status status = ErrnoStatus("fork");
    close(pipe_ends[0]);
    return status;
  }
  fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<PipedProcess>(new PipedProcess(pid, pipe_ends[0]));
}

PipedProcess::~PipedProcess() {
  if (!Poll().has_value()) {
    Signal(SIGKILL);
    Wait();
  }
  close(output_);
}

bool PipedProcess::ReadOutput(std::string* text) {
  char buffer[16384];
  while (true) {
    const ssize_t length = read(output_, buffer, sizeof(buffer));
    if (length > 0) {
      text->append(buffer, length);
    } else if (length == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

absl::Status PipedProcess::ReadToEnd(const std::function<bool()>& stop_requested, std::string* text,
                                     const std::function<void()>& on_more) {
  for (bool open = true; open;) {
    if (stop_requested()) {
      Signal(SIGTERM);
      return absl::CancelledError("interrupted");
    }
    pollfd descriptor = {output_, POLLIN, 0};
    poll(&descriptor, 1, /*milliseconds=*/200);
    open = ReadOutput(text);
    on_more();
  }
  return absl::OkStatus();
}

void PipedProcess::Signal(int signal) {
  if (!wait_status_.has_value()) kill(pid_, signal);
}

std::optional<int> PipedProcess::Poll() {
  if (wait_status_.has_value()) return wait_status_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) wait_status_ = status;
  return wait_status_;
}

int PipedProcess::Wait() {
  while (!wait_status_.has_value()) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, 0);
    if (ended == pid_ || errno != EINTR) wait_status_ = status;
  }
  return *wait_status_;
}

std::string DescribeWaitStatus(int wait_status) {
  if (WIFEXITED(wait_status)) return absl::StrCat("exited with status ", WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  return absl::StrCat("was ended by signal ", signal, " (", strsignal(signal), ")");
}

absl::StatusOr<std::string> SiblingProgram(const std::string& program) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string path = (own.parent_path() / program).string();
  if (error || access(path.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(path, " is not there; it is built together with the learner"));
  }
  return path;
}

}  // namespace troupe
