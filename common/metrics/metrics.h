// The process's Prometheus series and the HTTP port that shows them, and that the process lives.
//
// Names are an interface: troupe_ prefix, base units, _total for counters (the list is in docs/metrics.md). Every
// process also shows troupe_build_info and the series of process_collector.h.
#ifndef TROUPE_COMMON_METRICS_METRICS_H_
#define TROUPE_COMMON_METRICS_METRICS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/metrics/page_server.h"
#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace troupe {

using MetricLabels = std::map<std::string, std::string>;

// Buckets for stage times: 100 µs … 100 s, three per decade.
std::vector<double> StageSecondsBuckets();

// Thread-safe. The references it returns live as long as it does and may be used from any thread; asking again for the
// same name and labels returns the same series.
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
  // Shows what `collectable` says at each scrape, too.
  void AddCollectable(std::shared_ptr<prometheus::Collectable> collectable);

  // Serves /metrics at "HOST:PORT" (port 0: any) until destruction, and /health, which says OK as long as the process
  // lives; returns the port. Peers that say nothing delay nobody (page_server.h). UNAVAILABLE when it cannot listen.
  // Call once, before threads that may call AwaitScrape.
  absl::StatusOr<int> Serve(const std::string& address);
  // Waits until a Prometheus that scrapes regularly has seen the series as they are now, so that what a process says
  // last is known; see PageServer::AwaitScrape.
  void AwaitScrape(const std::function<bool()>& stop);

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  std::string Page() const ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<prometheus::Registry> registry_;
  mutable absl::Mutex mutex_;
  std::vector<std::shared_ptr<prometheus::Collectable>> collectables_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, prometheus::Gauge*> infos_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<PageServer> server_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_METRICS_METRICS_H_
