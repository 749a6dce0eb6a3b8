// Early return on errors.
#ifndef TROUPE_COMMON_BASE_STATUS_MACROS_H_
#define TROUPE_COMMON_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RETURN_IF_ERROR(expression)                                                           \
  do {                                                                                        \
    if (absl::Status troupe_status = (expression); !troupe_status.ok()) return troupe_status; \
  } while (false)

#define TROUPE_JOIN_INNER(a, b) a##b
#define TROUPE_JOIN(a, b) TROUPE_JOIN_INNER(a, b)
#define ASSIGN_OR_RETURN(target, expression) \
  TROUPE_ASSIGN_OR_RETURN(TROUPE_JOIN(troupe_status_or_, __LINE__), target, expression)
#define TROUPE_ASSIGN_OR_RETURN(holder, target, expression) \
  auto holder = (expression);                               \
  if (!holder.ok()) return std::move(holder).status();      \
  target = *std::move(holder)

#endif  // TROUPE_COMMON_BASE_STATUS_MACROS_H_
