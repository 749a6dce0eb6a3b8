#include "learner/reporting/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/shown_text.h"
#include "common/command_line/terminal.h"

namespace troupe {
namespace {

constexpr char kEraseLine[] = "\r\x1b[2K";

}  // namespace

Console::Console(std::FILE* out, bool is_terminal, const std::string& name)
    : out_("console", (std::fflush(out), fileno(out))),
      is_terminal_(is_terminal),
      prefix_(name.empty() ? "" : name + ": ") {}

Console::~Console() {
  absl::MutexLock lock(&mutex_);
  if (progress_shown_) out_.Write("\n");
}

absl::Status Console::OpenLog(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  absl::MutexLock lock(&mutex_);
  log_ = std::make_unique<TextWriter>("log file", file, /*owned=*/true);
  return absl::OkStatus();
}

void Console::Line(const std::string& line) {
  const std::string text = ShownLines(line);
  absl::MutexLock lock(&mutex_);
  const std::string shown = absl::StrCat(prefix_, text);
  out_.Write(absl::StrCat(ClearProgress(), is_terminal_ ? Folded(shown, TerminalColumns(STDOUT_FILENO)) : shown, "\n"));
  if (log_ == nullptr) return;
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  log_->Write(absl::StrCat(time, " ", text, "\n"));
}

void Console::Progress(const std::string& line, SteadyTime now) {
  const std::string text = ShownText(line);
  if (!prefix_.empty()) return;
  absl::MutexLock lock(&mutex_);
  if (now - last_progress_ < (is_terminal_ ? absl::Milliseconds(200) : absl::Seconds(10))) return;
  last_progress_ = now;
  progress_shown_ = is_terminal_;
  if (!is_terminal_) return out_.Write(absl::StrCat(text, "\n"));
  out_.WriteUnlessBehind(absl::StrCat(kEraseLine, FittedProgress(text, TerminalColumns(STDOUT_FILENO))));
}

std::string Console::ClearProgress() { return std::exchange(progress_shown_, false) ? kEraseLine : ""; }

}  // namespace troupe
