#include "learner/reporting/console.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/shown_text.h"

namespace troupe {
namespace {

constexpr char kEraseLine[] = "\r\x1b[2K";

}  // namespace

Console::~Console() {
  absl::MutexLock lock(&mutex_);
  if (progress_shown_) std::fputs("\n", out_);
  std::fflush(out_);
  if (log_ != nullptr) std::fclose(log_);
}

absl::Status Console::OpenLog(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  absl::MutexLock lock(&mutex_);
  if (log_ != nullptr) std::fclose(log_);
  log_ = file;
  return absl::OkStatus();
}

void Console::Line(const std::string& line) {
  const std::string text = ShownLines(line);
  absl::MutexLock lock(&mutex_);
  ClearProgress();
  std::fprintf(out_, "%s%s\n", prefix_.c_str(), text.c_str());
  std::fflush(out_);
  if (log_ == nullptr) return;
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  std::fprintf(log_, "%s %s\n", time.c_str(), text.c_str());
  std::fflush(log_);
}

void Console::Progress(const std::string& line, SteadyTime now) {
  const std::string text = ShownText(line);
  if (!prefix_.empty()) return;
  absl::MutexLock lock(&mutex_);
  if (now - last_progress_ < (is_terminal_ ? absl::Milliseconds(200) : absl::Seconds(10))) return;
  last_progress_ = now;
  if (is_terminal_) {
    std::fprintf(out_, "%s%s", kEraseLine, text.c_str());
    progress_shown_ = true;
  } else {
    std::fprintf(out_, "%s\n", text.c_str());
  }
  std::fflush(out_);
}

void Console::ClearProgress() {
  if (progress_shown_) std::fputs(kEraseLine, out_);
  progress_shown_ = false;
}

}  // namespace troupe
