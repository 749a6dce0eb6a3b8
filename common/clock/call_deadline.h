// Deadlines of gRPC calls by the steady clock.
#ifndef TROUPE_COMMON_CLOCK_CALL_DEADLINE_H_
#define TROUPE_COMMON_CLOCK_CALL_DEADLINE_H_

#include "absl/time/time.h"
#include "grpc/support/time.h"

namespace troupe {

// `timeout` from when it is handed to gRPC (ClientContext::set_deadline, Channel::WaitForConnected, Server::Shutdown),
// which would make a point of its steady clock of a date at that moment.
inline gpr_timespec CallDeadline(absl::Duration timeout) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN));
}

}  // namespace troupe

#endif  // TROUPE_COMMON_CLOCK_CALL_DEADLINE_H_
