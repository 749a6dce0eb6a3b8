#include "common/metrics/metrics.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/command_line/version.h"
#include "common/metrics/process_collector.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace troupe {

std::vector<double> StageSecondsBuckets() {
  std::vector<double> buckets;
  for (int decade = -4; decade < 2; ++decade) {
    for (const double step : {1.0, 2.0, 5.0}) buckets.push_back(step * std::pow(10.0, decade));
  }
  buckets.push_back(100.0);
  return buckets;
}

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {
  SetInfo("troupe_build_info", "What this program was built from; always 1.",
          {{"version", ProjectVersion()}, {"compiler", __VERSION__}});
  AddCollectable(std::make_shared<ProcessCollector>());
}

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help,
                                          const std::vector<double>& buckets, const MetricLabels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_).Add(labels, buckets);
}

void Metrics::SetInfo(const std::string& name, const std::string& help, const MetricLabels& labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
  prometheus::Gauge* const gauge = &family.Add(labels);
  gauge->Set(1);
  absl::MutexLock lock(&mutex_);
  prometheus::Gauge*& shown = infos_[name];
  if (shown != nullptr && shown != gauge) family.Remove(shown);
  shown = gauge;
}

void Metrics::AddCollectable(std::shared_ptr<prometheus::Collectable> collectable) {
  absl::MutexLock lock(&mutex_);
  collectables_.push_back(std::move(collectable));
}

std::string Metrics::Page() const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  std::vector<std::shared_ptr<prometheus::Collectable>> collectables;
  {
    absl::MutexLock lock(&mutex_);
    collectables = collectables_;
  }
  for (const auto& collectable : collectables) {
    for (prometheus::MetricFamily& family : collectable->Collect()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

absl::StatusOr<int> Metrics::Serve(const std::string& address) {
  absl::StatusOr<std::unique_ptr<PageServer>> server =
      PageServer::Start(address, {{"/metrics", [this] { return Page(); }}, {"/health", [] { return "OK\n"; }}});
  if (!server.ok()) return absl::UnavailableError(absl::StrCat("metrics: ", server.status().message()));
  server_ = *std::move(server);
  return server_->port();
}

void Metrics::AwaitScrape(const std::function<bool()>& stop) {
  if (server_ != nullptr) server_->AwaitScrape(stop);
}

}  // namespace troupe
