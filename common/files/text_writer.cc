#include "common/files/text_writer.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/threads/timed_wait.h"

namespace troupe {

struct TextWriter::State {
  State(int descriptor, bool owned) : descriptor(descriptor), owned(owned) {}
  ~State() {
    if (owned) close(descriptor);
  }

  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return ending || !waiting.empty(); }
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return waiting.empty() && !writing; }

  void Add(std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (bytes + text.size() > kMaxWaitingBytes) {
      dropped += 1;
      untold += 1;
      return;
    }
    if (untold > 0) Append(absl::StrCat("(", std::exchange(untold, 0), " lines are left out: nobody took them)\n"));
    Append(std::move(text));
  }
  void Append(std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    bytes += text.size();
    waiting.push_back(std::move(text));
  }

  void Run() ABSL_LOCKS_EXCLUDED(mutex);
  bool Write(const std::string& text) ABSL_LOCKS_EXCLUDED(mutex);

  const int descriptor;
  const bool owned;
  absl::Mutex mutex;
  std::deque<std::string> waiting ABSL_GUARDED_BY(mutex);
  size_t bytes ABSL_GUARDED_BY(mutex) = 0;
  bool writing ABSL_GUARDED_BY(mutex) = false;
  bool ending ABSL_GUARDED_BY(mutex) = false;
  uint64_t dropped ABSL_GUARDED_BY(mutex) = 0, untold ABSL_GUARDED_BY(mutex) = 0;
  std::atomic<bool> gives_up = false;  // nobody waits for it any more
};

void TextWriter::State::Run() {
  while (true) {
    std::string text;
    {
      absl::MutexLock lock(&mutex);
      writing = false;
      mutex.Await(absl::Condition(this, &State::HasWork));
      if (waiting.empty() && untold > 0) {
        Append(absl::StrCat("(", std::exchange(untold, 0), " lines are left out: nobody took them)\n"));
      }
      if (waiting.empty()) return;
      text = std::move(waiting.front());
      waiting.pop_front();
      bytes -= text.size();
      writing = true;
    }
    if (!Write(text)) {
      absl::MutexLock lock(&mutex);
      dropped += 1;
      if (ending) return;
    }
  }
}

// By pieces that a pipe takes whole when it takes anything, so that a full one is waited for here and not in the
// kernel.
bool TextWriter::State::Write(const std::string& text) {
  constexpr int kLookMilliseconds = 100;
  for (size_t at = 0; at < text.size();) {
    if (gives_up) return false;
    pollfd ready{descriptor, POLLOUT, 0};
    if (poll(&ready, 1, kLookMilliseconds) <= 0) continue;
    const ssize_t written = write(descriptor, text.data() + at, std::min<size_t>(text.size() - at, PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (written > 0) at += static_cast<size_t>(written);
  }
  return true;
}

TextWriter::TextWriter(const std::string& name, int descriptor, bool owned)
    : state_(std::make_shared<State>(descriptor, owned)), thread_(name, [state = state_] { state->Run(); }) {}

TextWriter::~TextWriter() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->ending = true;
  }
  if (Flush(kEndPatience)) {
    thread_.End(kEndPatience);
    return;
  }
  state_->gives_up = true;
  thread_.End(kEndPatience);
}

void TextWriter::Write(std::string text) {
  absl::MutexLock lock(&state_->mutex);
  state_->Add(std::move(text));
}

void TextWriter::WriteUnlessBehind(std::string text) {
  constexpr size_t kSeveral = 16;
  absl::MutexLock lock(&state_->mutex);
  if (state_->waiting.size() < kSeveral) state_->Append(std::move(text));
}

bool TextWriter::Flush(absl::Duration patience) {
  absl::MutexLock lock(&state_->mutex);
  return AwaitFor(state_->mutex, absl::Condition(state_.get(), &State::IsIdle), patience);
}

uint64_t TextWriter::dropped() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->dropped;
}

}  // namespace troupe
