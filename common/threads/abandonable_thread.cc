#include "common/threads/abandonable_thread.h"

#include <utility>
#include <vector>

#include "common/threads/timed_wait.h"

namespace troupe {
namespace {

// Holds what is left behind, so that nothing joins it and nothing is lost sight of.
void LeaveBehind(std::unique_ptr<NamedThread> thread) {
  static auto* const mutex = new absl::Mutex;
  static auto* const left = new std::vector<std::unique_ptr<NamedThread>>;
  absl::MutexLock lock(mutex);
  left->push_back(std::move(thread));
}

}  // namespace

AbandonableThread::AbandonableThread(const std::string& name, std::function<void()> body)
    : state_(std::make_shared<State>()),
      thread_(std::make_unique<NamedThread>(name, [state = state_, body = std::move(body)] {
        body();
        absl::MutexLock lock(&state->mutex);
        state->returned = true;
      })) {}

AbandonableThread::~AbandonableThread() { End(absl::ZeroDuration()); }

bool AbandonableThread::End(absl::Duration patience) {
  if (thread_ == nullptr) return true;
  {
    absl::MutexLock lock(&state_->mutex);
    if (!AwaitFor(state_->mutex, absl::Condition(&state_->returned), patience)) {
      LeaveBehind(std::move(thread_));
      return false;
    }
  }
  thread_ = nullptr;
  return true;
}

}  // namespace troupe
