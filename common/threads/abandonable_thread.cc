#include "common/threads/abandonable_thread.h"

#include <utility>

#include "common/threads/timed_wait.h"

namespace troupe {

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
      (void)thread_.release();
      return false;
    }
  }
  thread_ = nullptr;
  return true;
}

}  // namespace troupe
