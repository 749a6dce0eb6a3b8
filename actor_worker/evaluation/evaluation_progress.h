// How far an evaluation is, said while it plays.
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_PROGRESS_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_PROGRESS_H_

#include <cstdio>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace troupe {

// Thread-safe. Time is that of a steady clock, passed in for tests.
class EvaluationProgress {
 public:
  // On a terminal one line is rewritten, at most five times a second; elsewhere a line comes every `interval`.
  EvaluationProgress(std::FILE* out, bool is_terminal, absl::Duration interval, int num_players, int num_episodes,
                     absl::Duration now);
  // Takes the line of the terminal away.
  ~EvaluationProgress();

  // The next player plays, the one before is done.
  void Begin(const std::string& player);
  // "evaluated 37 of 160 episodes, max_wave plays; 0:12 left".
  void Update(int finished, absl::Duration now);

  static absl::Duration Now();

 private:
  std::FILE* const out_;
  const bool is_terminal_;
  const absl::Duration interval_;
  const int num_episodes_;  // of all players
  const int episodes_each_;
  const absl::Duration began_;
  absl::Mutex mutex_;
  std::string player_ ABSL_GUARDED_BY(mutex_);
  int players_begun_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration shown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_PROGRESS_H_
