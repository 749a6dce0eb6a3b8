// Whether what a process is about to allocate fits the memory it may use, with the arithmetic for people.
#ifndef TROUPE_COMMON_METRICS_MEMORY_BUDGET_H_
#define TROUPE_COMMON_METRICS_MEMORY_BUDGET_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/metrics/memory_use.h"

namespace troupe {

struct MemoryTerm {
  std::string what;  // "two batches of 1,048,576 steps"
  double bytes = 0;
};

double SumOf(const std::vector<MemoryTerm>& terms);

// RESOURCE_EXHAUSTED when `terms` together are more than `use` leaves; the message names the limit, what is in use,
// every term, and ends with `advice`. OK where the kernel says of no limit.
absl::Status CheckMemory(const std::vector<MemoryTerm>& terms, const std::optional<MemoryUse>& use,
                         const std::string& advice);

}  // namespace troupe

#endif  // TROUPE_COMMON_METRICS_MEMORY_BUDGET_H_
