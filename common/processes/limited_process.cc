#include "common/processes/limited_process.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/shown_text.h"
#include "common/clock/steady_time.h"

namespace troupe {
namespace {

constexpr int64_t kOutputEndBytes = 64 << 10;  // as much of its output as is looked at
constexpr int64_t kMostOutputBytes = 1 << 20;  // where ForgetOldOutput begins to
constexpr size_t kLastWordsBytes = 600;
constexpr absl::Duration kPollInterval = absl::Milliseconds(2);

// The kernel's parent-death signal fires when the *thread* that forked ends, so children are forked by one thread that
// lives as long as the process.
class Forker {
 public:
  static Forker& Get() {
    static Forker forker;
    return forker;
  }

  pid_t Fork(const std::function<pid_t()>& work) {
    absl::Notification done;
    pid_t pid = -1;
    {
      absl::MutexLock lock(&mutex_);
      tasks_.push_back([&] {
        pid = work();
        done.Notify();
      });
    }
    done.WaitForNotification();
    return pid;
  }

 private:
  Forker() : thread_([this] { Run(); }) {}
  ~Forker() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
  }

  void Run() {
    prctl(PR_SET_NAME, "child_forker");
    while (true) {
      std::vector<std::function<void()>> tasks;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(
            +[](Forker* self) { return self->stopping_ || !self->tasks_.empty(); }, this));
        if (stopping_) return;
        tasks.swap(tasks_);
      }
      for (const auto& task : tasks) task();
    }
  }

  absl::Mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& overrides) {
  std::vector<std::string> result = overrides;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::string name = text.substr(0, text.find('=') + 1);
    const bool overridden = std::any_of(overrides.begin(), overrides.end(), [&](const std::string& other) {
      return other.compare(0, name.size(), name) == 0;
    });
    if (!overridden) result.push_back(text);
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void Limit(__rlimit_resource resource, int64_t bytes) {
  if (bytes <= 0) return;
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  setrlimit(resource, &limit);
}

// Runs in the child between fork and exec: system calls only.
[[noreturn]] void Become(char* const* command, char* const* environment, int output,
                         const LimitedProcess::Options& options, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(output, 1);
  dup2(output, 2);
  // By way of numbers above all that are wanted, so that none is overwritten before it was copied.
  const int first = 3, count = static_cast<int>(options.inherited_files.size());
  int copies[LimitedProcess::kMostInheritedFiles];
  for (int i = 0; i < count; ++i) copies[i] = fcntl(options.inherited_files[i], F_DUPFD, first + count);
  for (int i = 0; i < count; ++i) {
    if (dup2(copies[i], first + i) < 0) _exit(127);
  }
  close_range(first + count, ~0U, 0);
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  Limit(RLIMIT_AS, options.memory_limit_bytes);
  Limit(RLIMIT_DATA, options.private_memory_limit_bytes);
  execve(command[0], command, environment);
  _exit(127);
}

}  // namespace

std::string LastWords(absl::string_view output, size_t most_bytes) {
  // A line that is indented goes on with the one before.
  std::vector<std::string> errors, others;
  std::vector<std::string>* present = &others;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty()) continue;
    if (absl::ascii_isspace(line[0]) && !present->empty()) {
      absl::StrAppend(&present->back(), " ", text);
      continue;
    }
    present = absl::StartsWith(text, "Error:") ? &errors : &others;
    present->emplace_back(text);
  }
  // Errors from the first on, for the others follow from it; then the end of the rest.
  std::string words = absl::StrJoin(errors, " ");
  if (words.size() >= most_bytes) return words.substr(0, most_bytes);
  std::string rest = absl::StrJoin(others, " ");
  const size_t room = most_bytes - words.size();
  if (rest.size() > room) rest.erase(0, rest.size() - room);
  return absl::StrCat(words, words.empty() || rest.empty() ? "" : " ", rest);
}

absl::StatusOr<std::unique_ptr<LimitedProcess>> LimitedProcess::Start(const Options& options) {
  if (options.inherited_files.size() > kMostInheritedFiles) {
    return absl::InternalError(absl::StrCat("more than ", kMostInheritedFiles, " files for ", options.command[0]));
  }
  const int output = memfd_create("child_output", MFD_CLOEXEC);
  if (output < 0) return absl::InternalError(absl::StrCat("memfd_create: ", std::strerror(errno)));
  std::vector<std::string> command = options.command, environment = EnvironmentWith(options.environment_overrides);
  const std::vector<char*> command_pointers = Pointers(command), environment_pointers = Pointers(environment);
  const pid_t parent = getpid();
  int error = 0;
  const pid_t pid = Forker::Get().Fork([&] {
    const pid_t child = fork();
    if (child == 0) Become(command_pointers.data(), environment_pointers.data(), output, options, parent);
    error = errno;
    return child;
  });
  if (pid < 0) {
    close(output);
    return absl::InternalError(absl::StrCat("fork for ", options.command[0], ": ", std::strerror(error)));
  }
  return std::unique_ptr<LimitedProcess>(new LimitedProcess(pid, output));
}

LimitedProcess::LimitedProcess(pid_t pid, int output)
    : pid_(pid), output_(output), end_file_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

LimitedProcess::~LimitedProcess() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    Reap(0);
  }
  close(output_);
  if (end_file_ >= 0) close(end_file_);
}

void LimitedProcess::Reap(int flags) {
  siginfo_t end{};
  int result;
  // Still to be waited for, so that nobody else has its number when its group is killed.
  do {
    result = waitid(P_PID, pid_, &end, WEXITED | WNOWAIT | flags);
  } while (result != 0 && errno == EINTR);
  if (result == 0 && end.si_pid != pid_) return;
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
}

bool LimitedProcess::IsRunning() {
  if (!reaped_) Reap(WNOHANG);
  return !reaped_;
}

absl::Status LimitedProcess::WaitForSuccess(absl::Duration timeout) {
  const SteadyTime deadline = SteadyTime::Now() + timeout;
  while (IsRunning()) {
    if (SteadyTime::Now() > deadline) return absl::DeadlineExceededError("the program did not end in time");
    absl::SleepFor(kPollInterval);
  }
  if (WIFEXITED(wait_status_) && WEXITSTATUS(wait_status_) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the program ", Obituary()));
}

void LimitedProcess::Abort(absl::Duration patience) {
  if (!IsRunning()) return;
  kill(pid_, SIGABRT);
  const SteadyTime deadline = SteadyTime::Now() + patience;
  while (IsRunning() && SteadyTime::Now() < deadline) absl::SleepFor(kPollInterval);
}

void LimitedProcess::ForgetOldOutput() {
  struct stat info {};
  if (fstat(output_, &info) != 0 || int64_t{info.st_blocks} * 512 < kMostOutputBytes) return;
  fallocate(output_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, info.st_size - kOutputEndBytes);
}

std::string LimitedProcess::Obituary() {
  std::string text = "still running";
  if (!IsRunning()) {
    text = WIFEXITED(wait_status_) ? absl::StrCat("exited with status ", WEXITSTATUS(wait_status_))
                                   : absl::StrCat("was ended by signal ", WTERMSIG(wait_status_));
  }
  struct stat info {};
  fstat(output_, &info);
  const int64_t start = std::max<int64_t>(0, info.st_size - kOutputEndBytes);
  std::string output(info.st_size - start, '\0');
  const ssize_t got = pread(output_, output.data(), output.size(), start);
  output.resize(std::max<ssize_t>(0, got));
  const std::string words = LastWords(output, kLastWordsBytes);
  if (!words.empty()) absl::StrAppend(&text, ", saying: ", ShownText(words));
  return text;
}

}  // namespace troupe
