#include "learner/service/listener_watch.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/threads/timed_wait.h"
#include "learner/service/reaction.h"

namespace troupe {

ListenerWatch::ListenerWatch(std::vector<ConnectionListener*> listeners, Options options)
    : options_(std::move(options)) {
  for (ConnectionListener* const listener : listeners) watched_.push_back({listener});
  thread_ = NamedThread("listener watch", [this] { Run(); });
}

ListenerWatch::~ListenerWatch() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.Join();
}

void ListenerWatch::Run() {
  absl::Duration wait = options_.interval;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (AwaitFor(mutex_, absl::Condition(&stop_), wait)) return;
    }
    // What this look could not do for want of memory the next one does.
    const absl::Status status = WithoutThrowing([&] {
      wait = Look();
      return absl::OkStatus();
    });
    if (!status.ok()) wait = options_.interval;
  }
}

absl::Duration ListenerWatch::Look() {
  for (Watched& watched : watched_) {
    const absl::Status dialled = watched.listener->Dial(options_.patience);
    if (absl::IsCancelled(dialled)) return options_.interval;
    Judge(dialled, &watched);
  }
  const bool all = std::ranges::none_of(watched_, &Watched::is_deaf);
  if (std::exchange(all_answer_, all) != all) options_.answers(all);
  const bool well =
      std::ranges::all_of(watched_, [](const Watched& each) { return each.failures == 0 && !each.is_deaf; });
  return well ? options_.interval : options_.retry;
}

void ListenerWatch::Judge(const absl::Status& dialled, Watched* watched) {
  const std::string& address = watched->listener->address();
  if (dialled.ok()) {
    watched->failures = 0;
    if (std::exchange(watched->is_deaf, false))
      options_.log(absl::StrCat("whoever comes to ", address, " is heard again"));
    return;
  }
  if (++watched->failures < options_.failures) return;
  watched->failures = 0;
  const bool is_news = !std::exchange(watched->is_deaf, true);
  const std::string deaf = absl::StrCat("nobody who comes to ", address, " is heard (", dialled.message(), ")");
  if (absl::IsResourceExhausted(dialled)) {
    if (is_news) options_.log(absl::StrCat(deaf, "; more may be open with a larger ulimit -n"));
    return;
  }
  const absl::Status reopened = watched->listener->Reopen();
  if (absl::IsCancelled(reopened)) return;
  if (reopened.ok()) options_.reopened();
  if (is_news || !reopened.ok()) {
    options_.log(absl::StrCat(
        deaf, reopened.ok() ? "; it is opened again" : "; it cannot be opened again: ", reopened.message()));
  }
}

}  // namespace troupe
