// Order-up-to rules and the optimum of one warehouse against numbers that others computed:
// tests/golden/retail/record.py.
//
// TROUPE_RETAIL_TUNING=1 build/release/bin/environments_tests --gtest_filter=RetailTuning.* prints what the search
// finds at the defaults, and what it costs on other seeds.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/environments/retail/base_stock.h"
#include "actor_worker/environments/retail/retail_optimum.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

// The lines of numbers.txt that begin with `kind`, without it.
std::vector<std::vector<double>> Recorded(const std::string& kind) {
  std::ifstream file(TROUPE_SOURCE_DIR "/tests/golden/retail/numbers.txt");
  std::vector<std::vector<double>> lines;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first != kind) continue;
    lines.emplace_back();
    for (double number; words >> number;) lines.back().push_back(number);
  }
  return lines;
}

struct Measured {
  double mean = 0, standard_error = 0;
};
Measured Measure(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value, squares += value * value;
  const double n = values.size(), mean = sum / n;
  return {mean, std::sqrt((squares / n - mean * mean) / (n - 1))};
}

std::vector<double> Costs(const EnvironmentEntry& entry, const SettingsMap& settings, const std::string& player,
                          int episodes) {
  for (const Player& candidate : BaselinePlayers(entry, settings)) {
    if (candidate.name != player) continue;
    const auto results = RunEpisodes(
        {.environment = &entry, .settings = settings, .first_seed = 1, .episodes = episodes, .threads = 1}, candidate);
    EXPECT_TRUE(results.ok()) << results.status();
    std::vector<double> costs;
    for (const EpisodeResult& result : *results) costs.push_back(result.statistics[0]);
    return costs;
  }
  ADD_FAILURE() << "no player " << player;
  return {0, 0};
}

// One warehouse, customers who want one unit each and wait: the level that the search finds is stockpyl's, and a step
// costs what stockpyl says.
TEST(BaseStockTest, SearchFindsTheLevelsOfStockpyl) {
  int cases = 0;
  for (const std::vector<double>& numbers : Recorded("newsvendor")) {
    ASSERT_EQ(numbers.size(), 6);
    RetailSettings settings;
    settings.warehouses = 20;  // twenty copies of the same one
    settings.transfers = false;
    settings.backordered = true;
    settings.season_amplitude = 0;
    settings.demand_lot = 1;
    settings.capacity = 1000;
    settings.episode_steps = 2600;
    settings.holding_cost = numbers[0];
    settings.stock_out_cost = numbers[1];
    settings.demand_mean = numbers[2];
    settings.lead_time = static_cast<int>(numbers[3]);
    const double level = numbers[4], cost = numbers[5];
    settings.initial_stock = level - settings.lead_time * settings.demand_mean;
    EXPECT_NEAR(TuneBaseStock(settings).level, level, 0.5) << level;
    EXPECT_NEAR(MeanCost(settings, {.level = level}, 1, 10) / settings.episode_steps, cost, 0.02 * cost) << level;
    ++cases;
  }
  EXPECT_EQ(cases, 4);
}

TEST(RetailOptimumTest, HasTheValueOfAnotherProgram) {
  int cases = 0;
  for (const std::vector<double>& numbers : Recorded("optimum")) {
    ASSERT_EQ(numbers.size(), 4);
    RetailSettings settings;
    settings.warehouses = 1;
    settings.lead_time = static_cast<int>(numbers[0]);
    settings.season_amplitude = numbers[1];
    settings.episode_steps = static_cast<int>(numbers[2]);
    const auto optimum = RetailOptimum::Solve(settings);
    ASSERT_NE(optimum, nullptr);
    EXPECT_NEAR(optimum->value(), numbers[3], 1e-6);
    ++cases;
  }
  EXPECT_EQ(cases, 4);
}

TEST(RetailOptimumTest, CostsInPlayWhatItShouldAndNoRuleCostsLess) {
  const EnvironmentEntry& entry = **FindEnvironment("retail");
  RetailSettings settings;
  settings.warehouses = 1;
  const double value = RetailOptimum::Solve(settings)->value();
  const SettingsMap one = {{"warehouses", "1"}};
  const Measured optimal = Measure(Costs(entry, one, "optimal", 4000));
  EXPECT_NEAR(optimal.mean, value, 3 * optimal.standard_error);
  EXPECT_LT(optimal.standard_error, 0.02 * value);
  const Measured base_stock = Measure(Costs(entry, one, "base_stock", 4000));
  const Measured seasonal = Measure(Costs(entry, one, "seasonal", 4000));
  std::printf("optimal %.2f ± %.2f (value %.2f), base_stock %.2f, seasonal %.2f\n", optimal.mean,
              optimal.standard_error, value, base_stock.mean, seasonal.mean);
  // The same customers come to all three.
  EXPECT_GT(base_stock.mean, optimal.mean);
  EXPECT_GT(seasonal.mean, optimal.mean);
  EXPECT_LT(base_stock.mean, 1.15 * optimal.mean);
  EXPECT_LT(seasonal.mean, 1.05 * optimal.mean);
}

TEST(RetailOptimumTest, IsNotOfferedWhereItWouldNotBeExact) {
  RetailSettings settings;
  EXPECT_EQ(RetailOptimum::Solve(settings), nullptr) << "five warehouses";
  settings.warehouses = 1;
  settings.capacity = 1.5001;
  EXPECT_EQ(RetailOptimum::Solve(settings), nullptr) << "no common unit";
  settings.capacity = 1.5;
  settings.backordered = true;
  EXPECT_EQ(RetailOptimum::Solve(settings), nullptr) << "owed";
  settings.backordered = false;
  settings.lead_time = 12;
  EXPECT_EQ(RetailOptimum::Solve(settings), nullptr) << "too many states";
}

TEST(RetailTuning, AtTheDefaults) {
  if (std::getenv("TROUPE_RETAIL_TUNING") == nullptr) GTEST_SKIP() << "set TROUPE_RETAIL_TUNING=1 to search";
  const RetailSettings settings;
  const TunedRules rules = TuneRules(settings);
  for (double level = 8; level <= 28; ++level) {
    std::printf("level %4.1f  tuning seeds %.2f\n", level,
                MeanCost(settings, {.level = level}, kRetailTuningSeed, 100));
  }
  for (const OrderRule* rule : {&rules.base_stock, &rules.seasonal, &rules.seasonal_shipping}) {
    std::printf("level %.1f horizon %d safety %.2f look %d keep %.1f: tuning seeds %.2f, others %.2f\n", rule->level,
                rule->horizon, rule->safety, rule->look, rule->keep, MeanCost(settings, *rule, kRetailTuningSeed, 100),
                MeanCost(settings, *rule, 2'000'000, 1000));
  }
  // A finer grid of levels on ten times as many episodes finds nothing that is much better.
  for (double level = 8; level <= 28; level += 0.5) {
    EXPECT_GT(MeanCost(settings, {.level = level}, kRetailTuningSeed + 1000, 1000),
              0.99 * MeanCost(settings, rules.base_stock, kRetailTuningSeed + 1000, 1000))
        << level;
  }
}

}  // namespace
}  // namespace troupe
