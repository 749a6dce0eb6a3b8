// Recordings as the page's script reads them (page/recording.js).
#ifndef TROUPE_ACTOR_WORKER_REPLAY_PAGE_RECORDING_JSON_H_
#define TROUPE_ACTOR_WORKER_REPLAY_PAGE_RECORDING_JSON_H_

#include <string>

#include "absl/types/span.h"
#include "actor_worker/replay_page/recording.h"

namespace troupe {

// ASCII without "<", so that it may stand within an element of a page whatever texts the recordings hold. Floats have
// four significant digits, observations three; whatever is not finite is null.
std::string RecordingsJson(absl::Span<const Recording> recordings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_REPLAY_PAGE_RECORDING_JSON_H_
