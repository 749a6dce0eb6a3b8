// The process's Prometheus series and the HTTP port that shows them.
//
// Names are an interface: troupe_ prefix, base units, _total for counters (the list is in docs/metrics.md). Every process
// also shows troupe_build_info and the series of process_collector.h.
#ifndef TROUPE_COMMON_METRICS_METRICS_H_
#define TROUPE_COMMON_METRICS_METRICS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace troupe {

using MetricLabels = std::map<std::string, std::string>;

// Buckets for stage times: 100 µs … 100 s, three per decade.
std::vector<double> StageSecondsBuckets();

// Thread-safe. The references it returns live as long as it does and may be used from any thread; asking again for the same name
// and labels returns the same series.
class Metrics {
 public:
  Metrics();

  prometheus::Counter& Counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                                   const MetricLabels& labels = {});

  // A gauge of value 1 whose labels say something about the process (troupe_run_info). It is the only series of its
  // name: labels given before go.
  void SetInfo(const std::string& name, const std::string& help, const MetricLabels& labels);
  // Shows what `collectable` says at each scrape, too. Call before Serve.
  void AddCollectable(std::shared_ptr<prometheus::Collectable> collectable);

  // Serves /metrics at "HOST:PORT" (port 0: any) until destruction; returns the port. UNAVAILABLE when it cannot listen.
  absl::StatusOr<int> Serve(const std::string& address);

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::vector<std::shared_ptr<prometheus::Collectable>> collectables_;
  absl::Mutex mutex_;
  std::map<std::string, prometheus::Gauge*> infos_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_METRICS_METRICS_H_
