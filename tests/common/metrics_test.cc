#include "common/metrics/metrics.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/threads/named_thread.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "tests/support/loopback.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::HttpGet;

TEST(MetricsTest, GivesTheSameSeriesForTheSameNameAndLabels) {
  Metrics metrics;
  EXPECT_EQ(&metrics.Counter("troupe_a_total", "A."), &metrics.Counter("troupe_a_total", "A."));
  EXPECT_NE(&metrics.Counter("troupe_a_total", "A.", {{"result", "x"}}),
            &metrics.Counter("troupe_a_total", "A.", {{"result", "y"}}));
  EXPECT_EQ(&metrics.Gauge("troupe_b", "B."), &metrics.Gauge("troupe_b", "B."));
  EXPECT_EQ(&metrics.Histogram("troupe_c_seconds", "C.", StageSecondsBuckets()),
            &metrics.Histogram("troupe_c_seconds", "C.", StageSecondsBuckets()));
}

TEST(MetricsTest, ServesEverySeries) {
  Metrics metrics;
  const auto port = metrics.Serve("127.0.0.1:0");
  ASSERT_TRUE(port.ok()) << port.status();
  metrics.Counter("troupe_chunks_total", "Chunks.", {{"result", "admitted"}}).Increment(3);
  metrics.Gauge("troupe_policy_version", "Version.").Set(17);
  metrics.Histogram("troupe_stage_seconds", "Time.", {0.1, 1}).Observe(0.5);
  EXPECT_THAT(HttpGet(*port, "/metrics"),
              AllOf(HasSubstr("200 OK"), HasSubstr("troupe_chunks_total{result=\"admitted\"} 3"),
                    HasSubstr("# HELP troupe_policy_version Version."), HasSubstr("troupe_policy_version 17"),
                    HasSubstr("troupe_stage_seconds_bucket{le=\"0.1\"} 0"),
                    HasSubstr("troupe_stage_seconds_bucket{le=\"1\"} 1"), HasSubstr("troupe_stage_seconds_count 1")));
}

TEST(MetricsTest, ServesWhatCollectablesSayAndTheProcesssOwnFigures) {
  class Collectable final : public prometheus::Collectable {
   public:
    std::vector<prometheus::MetricFamily> Collect() const override {
      prometheus::MetricFamily family{"troupe_room_bytes", "Room.", prometheus::MetricType::Gauge, {}};
      family.metric.emplace_back().gauge.value = 7;
      return {family};
    }
  };
  Metrics metrics;
  metrics.AddCollectable(std::make_shared<Collectable>());
  const auto port = metrics.Serve("127.0.0.1:0");
  ASSERT_TRUE(port.ok()) << port.status();
  const std::string series = HttpGet(*port, "/metrics");
  EXPECT_THAT(series, AllOf(HasSubstr("troupe_room_bytes 7"), HasSubstr("troupe_build_info{compiler=")));
  const auto value_of = [&series](const std::string& name) {
    const size_t at = series.find(absl::StrCat("\n", name, " "));
    return at == std::string::npos ? -1 : std::stod(series.substr(at + name.size() + 2));
  };
  EXPECT_GE(value_of("process_cpu_seconds_total"), 0);
  EXPECT_GT(value_of("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(value_of("process_virtual_memory_bytes"), value_of("process_resident_memory_bytes"));
  EXPECT_GT(value_of("troupe_memory_used_bytes"), 0);
  EXPECT_GE(value_of("troupe_memory_limit_bytes"), value_of("troupe_memory_used_bytes"));
  EXPECT_GE(value_of("process_threads"), 2);
  EXPECT_GT(value_of("process_open_fds"), 3);
  EXPECT_GE(value_of("process_max_fds"), value_of("process_open_fds"));
  EXPECT_NEAR(value_of("process_start_time_seconds"), absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()), 3600);
}

TEST(MetricsTest, AnInfoTakesThePlaceOfTheOneBefore) {
  Metrics metrics;
  metrics.SetInfo("troupe_a_info", "A.", {{"run", "one"}});
  metrics.SetInfo("troupe_a_info", "A.", {{"run", "two"}});
  metrics.SetInfo("troupe_a_info", "A.", {{"run", "two"}});
  const std::string series = prometheus::TextSerializer().Serialize(metrics.registry()->Collect());
  EXPECT_THAT(series, HasSubstr("troupe_a_info{run=\"two\"} 1"));
  EXPECT_THAT(series, ::testing::Not(HasSubstr("one")));
}

TEST(MetricsTest, IsUnavailableWhereItCannotListen) {
  Metrics first, second;
  const auto port = first.Serve("127.0.0.1:0");
  ASSERT_TRUE(port.ok());
  const std::string address = absl::StrCat("127.0.0.1:", *port);
  const auto refused = second.Serve(address);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(address));
  EXPECT_EQ(second.Serve("nonsense").status().code(), absl::StatusCode::kUnavailable);
}

TEST(MetricsTest, CountsExactlyFromManyThreads) {
  Metrics metrics;
  {
    std::vector<NamedThread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back("counter", [&] {
        for (int i = 0; i < 1000; ++i) metrics.Counter("troupe_a_total", "A.").Increment();
      });
    }
  }
  EXPECT_EQ(metrics.Counter("troupe_a_total", "A.").Value(), 4000);
}

TEST(StageSecondsBucketsTest, HasThreeStepsPerDecade) {
  const std::vector<double> buckets = StageSecondsBuckets();
  ASSERT_EQ(buckets.size(), 19);
  EXPECT_DOUBLE_EQ(buckets.front(), 1e-4);
  EXPECT_DOUBLE_EQ(buckets[3], 1e-3);
  EXPECT_DOUBLE_EQ(buckets.back(), 100);
  EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end()));
}

}  // namespace
}  // namespace troupe
