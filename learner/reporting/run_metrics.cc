#include "learner/reporting/run_metrics.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace troupe {
namespace {

class DiskCollector final : public prometheus::Collectable {
 public:
  explicit DiskCollector(std::string folder) : folder_(std::move(folder)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(folder_, error);
    if (error) return {};
    return {Gauge("troupe_run_folder_free_bytes", "Room left on the disk of the run folder.", space.available),
            Gauge("troupe_run_folder_size_bytes", "Size of the disk of the run folder.", space.capacity)};
  }

 private:
  static prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, uintmax_t bytes) {
    prometheus::MetricFamily family{name, help, prometheus::MetricType::Gauge, {}};
    family.metric.emplace_back().gauge.value = static_cast<double>(bytes);
    return family;
  }

  const std::string folder_;
};

std::string LastPart(const std::string& path) {
  std::error_code error;
  std::filesystem::path normal = std::filesystem::absolute(path, error).lexically_normal();
  if (error) normal = std::filesystem::path(path).lexically_normal();
  return normal.has_filename() ? normal.filename().string() : normal.parent_path().filename().string();
}

double MaxPolicyLag(const CollectionSettings& collection) {
  switch (collection.mode()) {
    case SYNCHRONOUS:
      return 0;
    case ASYNCHRONOUS:
      return collection.max_policy_lag();
    default:
      return 1;
  }
}

}  // namespace

void ShowRun(const Experiment& experiment, const std::string& run_folder, const std::string& run_id,
             int expected_workers, Metrics* metrics) {
  metrics->SetInfo("troupe_run_info", "The run this learner trains; always 1.",
                   {{"run", LastPart(run_folder)},
                    {"run_id", run_id},
                    {"experiment", experiment.name()},
                    {"environment", experiment.environment().name()},
                    {"algorithm", experiment.algorithm().name()}});
  metrics->Gauge("troupe_target_env_steps", "Environment steps after which the run is complete.")
      .Set(static_cast<double>(experiment.total_env_steps()));
  metrics->Gauge("troupe_expected_workers", "Workers the run was started for.").Set(expected_workers);
  metrics->Gauge("troupe_max_policy_lag", "Largest policy lag of a chunk that is trained on.")
      .Set(MaxPolicyLag(experiment.collection()));
  metrics->AddCollectable(std::make_shared<DiskCollector>(run_folder));
}

}  // namespace troupe
