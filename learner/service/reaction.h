// What gRPC calls of ours, within bounds of what it may throw: gRPC swallows an exception and goes on without the call,
// which then ends neither for the peer nor for a learner that wants to stop.
#ifndef TROUPE_LEARNER_SERVICE_REACTION_H_
#define TROUPE_LEARNER_SERVICE_REACTION_H_

#include <exception>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe {

// What `body` returns, an absl::Status, or for what it throws: RESOURCE_EXHAUSTED where memory ran out, else INTERNAL.
template <typename Body>
absl::Status WithoutThrowing(const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("the learner has no memory for this");
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrCat("the learner could not deal with this: ", thrown.what()));
  }
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_REACTION_H_
