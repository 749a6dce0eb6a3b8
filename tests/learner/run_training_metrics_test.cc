#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "learner/reporting/training_metrics.h"

namespace troupe {
namespace {

TEST(TrainingMetricsTest, AnEnvironmentDecidesNotHowManySeriesThereAre) {
  Metrics metrics;
  TrainingMetrics training(&metrics, 0, absl::UnixEpoch());
  UpdateRecord record;
  record.episodes.count = 1;
  for (size_t i = 0; i < TrainingMetrics::kMostSeries; ++i) {
    record.episodes.statistics.emplace_back(absl::StrCat("s", i), 1.0);
    record.episodes.agent_statistics.push_back({absl::StrCat("agent", i), "queue", 1.0});
  }
  training.OnUpdate(record);
  size_t shown = 0;
  for (const prometheus::MetricFamily& family : metrics.registry()->Collect()) {
    if (family.name == "troupe_episode_statistic" || family.name == "troupe_episode_agent_statistic") {
      shown += family.metric.size();
    }
  }
  EXPECT_EQ(shown, TrainingMetrics::kMostSeries);
  EXPECT_EQ(metrics.Gauge("troupe_series_left_out", "", {{"of", "troupe_episode"}}).Value(),
            TrainingMetrics::kMostSeries);
}

}  // namespace
}  // namespace troupe
