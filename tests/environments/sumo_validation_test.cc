// The built-in simulator against SUMO's figures in tests/golden/traffic_sumo_grid_3x3.txt, and those against SUMO
// itself where it is installed. deploy/validation/validate_traffic.py makes the golden file and
// docs/traffic_validation.md.
#include "tests/environments/sumo_validation.h"

#include <cstdlib>
#include <fstream>
#include <future>

#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr double kTolerance = 0.15;
constexpr double kLeastCorrelation = 0.9;
const std::string kGolden = std::string(TROUPE_SOURCE_DIR) + "/tests/golden/traffic_sumo_grid_3x3.txt";

class TrafficValidation : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const ValidationCase& which : AllValidationCases()) {
      auto figures = RunBuiltIn(which);
      ASSERT_TRUE(figures.ok()) << figures.status();
      built_in_[which] = *std::move(figures);
    }
  }
  void SetUp() override {
    auto golden = ReadTable(kGolden);
    ASSERT_TRUE(golden.ok()) << golden.status();
    sumo_ = *std::move(golden);
    ASSERT_EQ(sumo_.size(), AllValidationCases().size());
  }

  static ValidationTable built_in_;
  ValidationTable sumo_;
};
ValidationTable TrafficValidation::built_in_;

std::string NameOf(const ValidationCase& which) {
  return which.controller + " at " + std::to_string(which.vehicles_per_hour) + " vehicles/h";
}

TEST_F(TrafficValidation, ServesTheVehiclesTheGoldenFiguresWereMadeWith) {
  for (const auto& [which, sumo] : sumo_) {
    EXPECT_EQ(built_in_[which].checksum, sumo.checksum)
        << NameOf(which) << ": other vehicles; run deploy/validation/validate_traffic.py to make new figures";
  }
}

TEST_F(TrafficValidation, WaitingAndTimeLossAreWithinFifteenPercentOfSumo) {
  for (const auto& [which, sumo] : sumo_) {
    const ValidationFigures& ours = built_in_[which];
    EXPECT_NEAR(ours.time_loss_seconds, sumo.time_loss_seconds, kTolerance * sumo.time_loss_seconds) << NameOf(which);
    EXPECT_NEAR(ours.waiting_seconds, sumo.waiting_seconds, kTolerance * sumo.waiting_seconds) << NameOf(which);
    EXPECT_NEAR(ours.finished, sumo.finished, 0.03 * sumo.finished) << NameOf(which);
  }
}

TEST_F(TrafficValidation, ApproachQueuesCorrelateWithSumos) {
  ValidationFigures all_ours, all_sumo;
  for (const auto& [which, sumo] : sumo_) {
    for (const auto& [edge, queue] : sumo.approach_queues) all_sumo.approach_queues[NameOf(which) + edge] = queue;
    for (const auto& [edge, queue] : built_in_[which].approach_queues) {
      all_ours.approach_queues[NameOf(which) + edge] = queue;
    }
  }
  EXPECT_EQ(all_sumo.approach_queues.size(), sumo_.size() * 36);
  EXPECT_GT(QueueCorrelation(all_ours, all_sumo), kLeastCorrelation);
}

TEST_F(TrafficValidation, RanksControllersAsSumoDoes) {
  for (const int demand : kValidationDemands) {
    for (const char* a : kValidationControllers) {
      for (const char* b : kValidationControllers) {
        if (sumo_[{a, demand}].time_loss_seconds >= sumo_[{b, demand}].time_loss_seconds) continue;
        EXPECT_LT((built_in_[{a, demand}].time_loss_seconds), (built_in_[{b, demand}].time_loss_seconds))
            << a << " beats " << b << " in SUMO at " << demand << " vehicles/h";
      }
    }
  }
}

TEST_F(TrafficValidation, GoldenFiguresAreWhatTheInstalledSumoGives) {
  const auto installation = FindSumo("");
  if (!installation.ok()) GTEST_SKIP() << installation.status();
  const ValidationCase which{"longest_queue_first", 1800};
  const auto live = RunSumo(which, *installation, {std::begin(kValidationSeeds), std::end(kValidationSeeds)});
  ASSERT_TRUE(live.ok()) << live.status();
  const ValidationFigures& golden = sumo_[which];
  EXPECT_EQ(live->checksum, golden.checksum);
  EXPECT_NEAR(live->time_loss_seconds, golden.time_loss_seconds, 0.02 * golden.time_loss_seconds);
  EXPECT_NEAR(live->waiting_seconds, golden.waiting_seconds, 0.02 * golden.waiting_seconds);
  EXPECT_GT(QueueCorrelation(*live, golden), 0.99);
}

// Not a test but the tool behind validate_traffic.py: writes sumo.txt and built_in.txt into the folder named. Cases of
// SUMO that are there already are kept.
TEST(TrafficValidationTool, WritesBothTables) {
  const char* const folder = std::getenv("TROUPE_TRAFFIC_VALIDATION_OUT");
  if (folder == nullptr) GTEST_SKIP() << "run by deploy/validation/validate_traffic.py";
  const auto installation = FindSumo("");
  ASSERT_TRUE(installation.ok()) << installation.status();
  const std::string sumo_path = std::string(folder) + "/sumo.txt";
  const std::vector<int> seeds(std::begin(kValidationSeeds), std::end(kValidationSeeds));
  ValidationTable sumo = ReadTable(sumo_path).value_or(ValidationTable{}), built_in;
  for (const ValidationCase& which : AllValidationCases()) {
    auto ours = RunBuiltIn(which);
    ASSERT_TRUE(ours.ok()) << ours.status();
    if (!sumo.contains(which) || sumo[which].checksum != ours->checksum) {
      std::vector<std::future<absl::StatusOr<ValidationFigures>>> runs;
      for (const int seed : seeds) {
        runs.push_back(std::async(std::launch::async, [&, seed] { return RunSumo(which, *installation, {seed}); }));
      }
      std::vector<ValidationFigures> figures;
      for (auto& run : runs) {
        auto one = run.get();
        ASSERT_TRUE(one.ok()) << one.status();
        figures.push_back(*std::move(one));
      }
      sumo[which] = MeanOf(figures);
      std::ofstream(sumo_path) << FormatTable(sumo);
    }
    built_in[which] = *std::move(ours);
  }
  std::ofstream(std::string(folder) + "/built_in.txt") << FormatTable(built_in);
}

}  // namespace
}  // namespace troupe
