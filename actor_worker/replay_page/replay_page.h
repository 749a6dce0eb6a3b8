// One or two players' episodes of the same seed as a page that needs nothing else: play, pause, speed, scrub.
#ifndef TROUPE_ACTOR_WORKER_REPLAY_PAGE_REPLAY_PAGE_H_
#define TROUPE_ACTOR_WORKER_REPLAY_PAGE_REPLAY_PAGE_H_

#include <string>

#include "absl/types/span.h"
#include "actor_worker/replay_page/recording.h"

namespace troupe {

inline constexpr size_t kMaxPlayersOfPage = 2;

// An HTML document that fetches nothing and whose script runs under a policy that would not let it.
// 1 to kMaxPlayersOfPage recordings of one environment.
std::string ReplayPage(absl::Span<const Recording> recordings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_REPLAY_PAGE_REPLAY_PAGE_H_
