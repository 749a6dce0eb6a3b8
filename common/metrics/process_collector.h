// The figures every Prometheus client shows of its own process, read from /proc at each scrape:
//
//   process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_threads,
//   process_open_fds, process_max_fds, process_start_time_seconds
//
// and, of the memory that it may use: troupe_memory_used_bytes, troupe_memory_limit_bytes (memory_use.h).
#ifndef TROUPE_COMMON_METRICS_PROCESS_COLLECTOR_H_
#define TROUPE_COMMON_METRICS_PROCESS_COLLECTOR_H_

#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace troupe {

// Thread-safe. What cannot be read is left out.
class ProcessCollector final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_METRICS_PROCESS_COLLECTOR_H_
