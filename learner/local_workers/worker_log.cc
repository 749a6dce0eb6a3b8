#include "learner/local_workers/worker_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/ascii.h"

namespace troupe {
namespace {

constexpr size_t kTailBytes = 1024;
constexpr size_t kLineBytes = 200;

}  // namespace

WorkerLog::WorkerLog(std::string path, size_t max_bytes) : path_(std::move(path)), max_bytes_(max_bytes) { Open(); }

WorkerLog::~WorkerLog() {
  if (file_ >= 0) close(file_);
}

void WorkerLog::Open() {
  file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  struct stat info = {};
  bytes_ = file_ >= 0 && fstat(file_, &info) == 0 ? static_cast<size_t>(info.st_size) : 0;
}

void WorkerLog::Append(std::string_view text) {
  tail_.append(text);
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  while (!text.empty() && file_ >= 0) {
    if (bytes_ >= max_bytes_) {
      close(file_);
      std::rename(path_.c_str(), (path_ + ".1").c_str());
      Open();
      if (file_ < 0 || bytes_ >= max_bytes_) return;
    }
    const ssize_t written = write(file_, text.data(), std::min(text.size(), max_bytes_ - bytes_));
    if (written <= 0) return;
    bytes_ += written;
    text.remove_prefix(written);
  }
}

std::string WorkerLog::LastLine() const {
  const absl::string_view text = absl::StripAsciiWhitespace(tail_);
  const size_t newline = text.rfind('\n');
  const absl::string_view line = newline == absl::string_view::npos ? text : text.substr(newline + 1);
  return std::string(line.substr(0, kLineBytes));
}

}  // namespace troupe
