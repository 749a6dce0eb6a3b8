// Repeats the grid search behind controller_parameters.h and holds the shipped values to what it finds. Takes minutes,
// so:
//
//   TROUPE_TRAFFIC_TUNING=1 build/release/bin/environments_tests --gtest_filter=TrafficTuning.*
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "actor_worker/environments/traffic/controllers.h"
#include "tests/environments/traffic_test_support.h"

namespace troupe {
namespace {

constexpr uint64_t kFirstSeed = 50000;
constexpr int kEpisodes = 4;
constexpr double kTolerance = 1.005;  // of mean delay: less than seeds differ by

// Mean delay in seconds over the tuning seeds and both decision intervals.
double TunedDelay(Controller& controller) {
  double sum = 0;
  for (const char* interval : {"1", "5"}) {
    const std::unique_ptr<Environment> environment =
        MakeTrafficGrid({{"decision_interval_seconds", interval}, {"action_set", "CHOOSE_PHASE"}});
    for (int i = 0; i < kEpisodes; ++i) sum += PlayEpisode(*environment, controller, kFirstSeed + i)->at(1);
  }
  return sum / (2 * kEpisodes);
}

// Collects one search: the best candidate, and where the shipped one stands.
class Search {
 public:
  explicit Search(std::string controller) : controller_(std::move(controller)) {}
  void Try(const std::string& candidate, std::unique_ptr<Controller> controller) {
    const double delay = TunedDelay(*controller);
    std::printf("%-20s %-32s %.2f s\n", controller_.c_str(), candidate.c_str(), delay);
    if (delay < best_) best_ = delay, best_candidate_ = candidate;
  }
  void Judge(std::unique_ptr<Controller> shipped) {
    const double delay = TunedDelay(*shipped);
    std::printf("%-20s %-32s %.2f s, best %s %.2f s\n", controller_.c_str(), "SHIPPED", delay, best_candidate_.c_str(),
                best_);
    EXPECT_LE(delay, kTolerance * best_) << controller_ << ": better is " << best_candidate_;
  }

 private:
  const std::string controller_;
  double best_ = std::numeric_limits<double>::infinity();
  std::string best_candidate_;
};

class TrafficTuning : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("TROUPE_TRAFFIC_TUNING") == nullptr) GTEST_SKIP() << "set TROUPE_TRAFFIC_TUNING=1 to search";
  }
  static void SearchGreedy(const std::string& name,
                           const std::function<std::unique_ptr<Controller>(const GreedyParameters&)>& make,
                           const GreedyParameters& shipped) {
    Search search(name);
    for (const int green : {5, 8, 10, 15, 20}) {
      for (const float bonus : {0.f, 1.f, 2.f, 3.f, 5.f}) {
        search.Try(absl::StrFormat("min_green %d stay_bonus %.0f", green, bonus),
                   make({.min_green_seconds = green, .stay_bonus = bonus}));
      }
    }
    search.Judge(make(shipped));
  }
};

TEST_F(TrafficTuning, LongestQueueFirst) {
  SearchGreedy("longest_queue_first", MakeLongestQueueFirst, kLongestQueueFirstParameters);
}

TEST_F(TrafficTuning, MaxPressure) { SearchGreedy("max_pressure", MakeMaxPressure, kMaxPressureParameters); }

TEST_F(TrafficTuning, MaxWave) { SearchGreedy("max_wave", MakeMaxWave, kMaxWaveParameters); }

TEST_F(TrafficTuning, Actuated) {
  Search search("actuated");
  for (const int least : {5, 8}) {
    for (const int most : {6, 8, 10, 15, 20, 30}) {
      for (const double gap : {1.0, 2.0, 3.0, 4.0}) {
        search.Try(absl::StrFormat("min %d max %d gap %.0f", least, most, gap),
                   MakeActuated({.min_green_seconds = least, .max_green_seconds = most, .gap_seconds = gap}));
      }
    }
  }
  search.Judge(MakeActuated());
}

TEST_F(TrafficTuning, FixedTime) {
  Search search("fixed_time");
  for (const double factor : {0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0}) {
    search.Try(absl::StrFormat("green_factor %.2f", factor), MakeFixedTime({.green_factor = factor}));
  }
  search.Judge(MakeFixedTime());
}

}  // namespace
}  // namespace troupe
