// How many files and connections this process may have open.
#ifndef TROUPE_COMMON_PROCESSES_FILE_LIMIT_H_
#define TROUPE_COMMON_PROCESSES_FILE_LIMIT_H_

#include <cstdint>

#include "absl/status/status.h"

namespace troupe {

// Raises the limit to the most that may be had without privileges (the hard limit) and returns it. Children begin with
// it too.
uint64_t RaiseFileLimit();

// RESOURCE_EXHAUSTED, naming both numbers and ulimit -n: `limit` is less than a learner needs that waits for so many
// workers, `local_workers` of them its own children. Without descriptors for them workers would wait outside.
absl::Status CheckFileLimit(uint64_t limit, int expected_workers, int local_workers);

}  // namespace troupe

#endif  // TROUPE_COMMON_PROCESSES_FILE_LIMIT_H_
