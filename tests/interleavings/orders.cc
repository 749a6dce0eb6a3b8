#include "tests/interleavings/orders.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/threads/sync_point.h"
#include "common/threads/timed_wait.h"

namespace troupe::testing {
namespace {

// Whose body this thread runs: 0 one's, 1 the other's, -1 neither's: a thread of the code under test, or the test's
// own.
thread_local int side = -1;
// Which of the two events this thread is in.
thread_local int inside = -1;

class Conductor final : public SyncWatcher {
 public:
  static Conductor& Get() {
    static auto* const conductor = new Conductor;
    return *conductor;
  }

  void Begin(const Act& one, const Act& other, bool one_first) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    acts_[0] = {.act = &one};
    acts_[1] = {.act = &other};
    first_ = one_first ? 0 : 1;
    places_.clear();
    active_ = true;
    started_ = let_go_ = false;
    sync_watcher.store(this, std::memory_order_release);
  }

  // Both are where they can be: the first event may begin.
  void Start() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    started_ = true;
  }

  // Waits for it to begin, and a moment for it to end though the other one is held.
  bool EndsWithin(int i, absl::Duration moment, absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto begun = [this, i]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return acts_[i].state >= kRunning; };
    const auto ended = [this, i]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return IsOver(i); };
    return AwaitFor(mutex_, absl::Condition(&begun), patience) && AwaitFor(mutex_, absl::Condition(&ended), moment);
  }
  void LetTheOtherGo() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    let_go_ = true;
  }

  // Nobody is held any more.
  void End() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    active_ = false;
    sync_watcher.store(nullptr, std::memory_order_release);
  }

  void Before(const char* event) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!active_) return;
    places_[side] = absl::StrCat("before ", event);
    for (const int i : {0, 1}) {
      Progress& progress = acts_[i];
      if (progress.state != kComing || progress.act->event != event) continue;
      if (side != (progress.act->own_thread ? -1 : i)) continue;
      if (progress.skipped < progress.act->skipped) {
        ++progress.skipped;
        continue;
      }
      progress.state = kHeld;
      const auto free = [this, i]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return !active_ || (started_ && (i == first_ || IsOver(first_) || let_go_));
      };
      mutex_.Await(absl::Condition(&free));
      if (!active_) return;
      progress.state = kRunning;
      inside = i;
      places_[side] = absl::StrCat("in ", event);
      return;
    }
  }

  void After(const char* event) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!active_) return;
    places_[side] = absl::StrCat("after ", event);
    if (inside < 0 || acts_[inside].act->event != event) return;
    const int i = std::exchange(inside, -1);
    acts_[i].state = kEnded;
    if (i != first_ || acts_[1 - i].act->waits || let_go_) return;
    const auto free = [this, i]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !active_ || IsOver(1 - i); };
    mutex_.Await(absl::Condition(&free));
  }

  void Finished(int i) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    acts_[i].finished = true;
    places_[i] = "at its end";
  }

  // Until the act is held where its event would begin, or past it, or over without.
  bool AwaitHeld(int i, absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto held = [this, i]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return acts_[i].state != kComing || IsOver(i); };
    return AwaitFor(mutex_, absl::Condition(&held), patience);
  }
  // Both bodies and both events.
  bool AwaitAll(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto over = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return acts_[0].finished && acts_[1].finished && IsOver(0) && IsOver(1);
    };
    return AwaitFor(mutex_, absl::Condition(&over), patience);
  }

  Came Outcome() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (acts_[0].state != kEnded) return Came::kOneDidNot;
    return acts_[1].state == kEnded ? Came::kInOrder : Came::kOtherDidNot;
  }

  [[noreturn]] void GiveUp(const std::string& why = "deadlock") ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const Act &first = *acts_[first_].act, &second = *acts_[1 - first_].act;
    std::fprintf(stderr, "%s: %s (%s) was to end before %s (%s) begins\n", why.c_str(), first.name.c_str(),
                 first.event.c_str(), second.name.c_str(), second.event.c_str());
    for (const auto& [whose, place] : places_) {
      std::fprintf(stderr, "  %s stands %s\n",
                   whose < 0 ? "a thread of the code under test" : acts_[whose].act->name.c_str(), place.c_str());
    }
    std::fflush(stderr);
    std::_Exit(1);
  }

 private:
  enum State { kComing, kHeld, kRunning, kEnded };
  struct Progress {
    const Act* act = nullptr;
    State state = kComing;
    bool finished = false;
    int skipped = 0;
  };

  // Ended, or not to come any more.
  bool IsOver(int i) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    const Progress& progress = acts_[i];
    return progress.state == kEnded || (progress.finished && progress.state == kComing && !progress.act->own_thread);
  }

  mutable absl::Mutex mutex_;
  bool active_ ABSL_GUARDED_BY(mutex_) = false;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool let_go_ ABSL_GUARDED_BY(mutex_) = false;
  int first_ ABSL_GUARDED_BY(mutex_) = 0;
  Progress acts_[2] ABSL_GUARDED_BY(mutex_);
  std::map<int, std::string> places_ ABSL_GUARDED_BY(mutex_);  // by whose; of those of the code under test, the last
};

void RunBody(int i, const Act& act) {
  side = i;
  try {
    act.body();
  } catch (const std::exception& thrown) {
    Conductor::Get().GiveUp(absl::StrCat(act.name, " threw ", thrown.what()));
  }
  side = -1;
  Conductor::Get().Finished(i);
}

std::thread Run(int i, const Act& act) {
  return std::thread([i, &act] { RunBody(i, act); });
}

// One after the other on one thread, that of the thread under test first.
std::thread StartOnOne(const Act& one, const Act& other, absl::Duration patience) {
  return std::thread([&one, &other, patience] {
    Conductor& conductor = Conductor::Get();
    const int own = one.own_thread ? 0 : 1;
    for (const int i : {own, 1 - own}) {
      RunBody(i, i == 0 ? one : other);
      if (i == own && !conductor.AwaitHeld(own, patience)) conductor.GiveUp();
    }
  });
}

}  // namespace

Came RunInOrder(const Act& one, const Act& other, bool one_first, bool one_thread, absl::Duration patience) {
  Conductor& conductor = Conductor::Get();
  conductor.Begin(one, other, one_first);
  std::thread of_one, of_other;
  if (one_thread) {
    of_one = StartOnOne(one, other, patience);
  } else {
    of_one = Run(0, one);
    if (!conductor.AwaitHeld(0, patience)) conductor.GiveUp();
    of_other = Run(1, other);
  }
  for (const int i : {0, 1}) {
    if (!conductor.AwaitHeld(i, patience)) conductor.GiveUp();
  }
  conductor.Start();
  if (!conductor.AwaitAll(patience)) conductor.GiveUp();
  const Came came = conductor.Outcome();
  of_one.join();
  if (of_other.joinable()) of_other.join();
  conductor.End();
  return came;
}

bool EndsWithout(const Act& waiting, const Act& held, absl::Duration patience) {
  constexpr absl::Duration kMoment = absl::Milliseconds(30);
  Conductor& conductor = Conductor::Get();
  Act patient = waiting;
  patient.waits = true;
  conductor.Begin(held, patient, /*one_first=*/false);
  std::thread of_both = StartOnOne(held, patient, patience);
  for (const int i : {0, 1}) {
    if (!conductor.AwaitHeld(i, patience)) conductor.GiveUp();
  }
  conductor.Start();
  const bool ended = conductor.EndsWithin(1, kMoment, patience);
  conductor.LetTheOtherGo();
  if (!conductor.AwaitAll(patience)) conductor.GiveUp();
  of_both.join();
  conductor.End();
  return ended;
}

}  // namespace troupe::testing
