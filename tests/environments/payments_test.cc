// The payment channels are M/M/c queues; what they cost, risk and take is counted as the headers say.
//
// TROUPE_PAYMENTS_TUNING=1 build/release/bin/environments_tests --gtest_filter=PaymentsTuning.* prints what the
// searches find.
#include "actor_worker/environments/payments/payments.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/payments/routing_rules.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

TEST(ChannelQueueTest, ServesFirstComeFirstServedOnAllServers) {
  ChannelQueue queue(2, 25);
  std::vector<int> pending = {3, 2};
  EXPECT_EQ(queue.Arrive(0, 30, 0), 30);
  EXPECT_EQ(queue.Arrive(5, 10, 1), 15);
  // Both are busy: the second is free first, and once it is taken the first.
  EXPECT_EQ(queue.Arrive(6, 40, 0), 55);
  EXPECT_EQ(queue.Arrive(7, 1, 1), 31);
  // Free at 31 and 55.
  EXPECT_EQ(queue.Arrive(8, 5, 0), 36);
  // Would wait for 26 ms, and gives up after 25; a ms later it would not.
  EXPECT_EQ(queue.Arrive(10, 5, 0), std::nullopt);
  EXPECT_EQ(queue.in_channel(), 5);
  queue.Settle(31, absl::MakeSpan(pending));
  EXPECT_EQ(queue.in_channel(), 2);
  EXPECT_EQ(pending, (std::vector<int>{2, 0}));
  EXPECT_EQ(queue.Arrive(31, 5, 1), 41);
  queue.Clear();
  EXPECT_EQ(queue.in_channel(), 0);
  EXPECT_EQ(queue.Arrive(0, 7, 0), 7);
}

// tests/golden/payments/erlang.py wrote them.
TEST(PaymentNetworkTest, LatencyGrowsWithLoadAsErlangsFormulaSays) {
  std::ifstream file(std::string(TROUPE_SOURCE_DIR) + "/tests/golden/payments/erlang_c.txt");
  int servers, cases = 0;
  double service_ms, rate, waits, latency_ms;
  while (file >> servers >> service_ms >> rate >> waits >> latency_ms) {
    int channel = 0;
    while (kChannelTerms[channel].service_ms != service_ms) ASSERT_LT(++channel, kNumChannels);
    PaymentsSettings settings;
    settings.servers[channel] = servers;
    settings.transactions_per_second = rate;
    settings.rate_variation = 0;
    settings.timeout_ms = 60000;
    PaymentNetwork network(settings);
    network.Reset(3);
    const std::vector<int32_t> channels(settings.routers, channel);
    // Two million payments.
    const int steps = static_cast<int>(2e6 / rate * 1000 / settings.step_ms);
    double load = 0;
    for (int step = 0; step < steps; ++step) {
      network.Step(channels);
      load += network.load(channel) / steps;
    }
    EXPECT_NEAR(network.total().payments, 2e6, 5 * std::sqrt(2e6));
    EXPECT_NEAR(network.total().mean_latency_ms(), latency_ms, 0.02 * latency_ms) << servers << " " << rate;
    // Little's law.
    EXPECT_NEAR(load, rate * latency_ms / 1000 / servers, 0.03 * load) << servers << " " << rate;
    EXPECT_EQ(network.total().failed, 0);
    ++cases;
  }
  EXPECT_EQ(cases, 7);
}

// Few payments on many servers: nobody waits.
PaymentsSettings Idle() {
  PaymentsSettings settings;
  settings.transactions_per_second = 30;
  settings.rate_variation = 0;
  settings.servers = {1000, 1000, 1000};
  return settings;
}

TEST(PaymentNetworkTest, AChannelHasItsLatencyRiskAndPrice) {
  const double expected[kNumChannels][3] = {{20, 0.03, 0.10}, {80, 0.02, 0.50}, {200, 0.01, 2.00}};
  for (int channel = 0; channel < kNumChannels; ++channel) {
    PaymentNetwork network(Idle());
    network.Reset(1);
    const std::vector<int32_t> channels(3, channel);
    for (int step = 0; step < 10000; ++step) network.Step(channels);
    // 30,000 exponential times.
    EXPECT_NEAR(network.total().mean_latency_ms(), expected[channel][0], 0.03 * expected[channel][0]);
    EXPECT_NEAR(network.total().mean_risk(), expected[channel][1], 1e-9);
    EXPECT_NEAR(network.total().mean_dollars(), expected[channel][2], 1e-9);
    EXPECT_NEAR(network.system_risk(), expected[channel][1], 1e-9);
    EXPECT_NEAR(network.last().service_ms[channel], network.last().latency_ms, 1e-6);
    EXPECT_NEAR(network.total().service_ms[channel], network.total().latency_ms, 1e-3);
  }
}

TEST(PaymentNetworkTest, WhatComesDependsOnTheSeedAlone) {
  PaymentNetwork first{PaymentsSettings()}, second{PaymentsSettings()};
  first.Reset(8);
  second.Reset(8);
  std::vector<double> counts;
  for (int step = 0; step < 100; ++step) {
    first.Step({0, 0, 0});
    second.Step({1, 2, step % 3});
    ASSERT_EQ(first.last().payments, second.last().payments);
    counts.push_back(first.last().payments);
  }
  EXPECT_GT(second.total().latency_ms, first.total().latency_ms);
}

TEST(PaymentNetworkTest, AnOverloadedChannelFailsPaymentsAndMissesBothTargets) {
  PaymentsSettings settings;
  settings.timeout_ms = 300;
  PaymentNetwork network(settings);
  network.Reset(2);
  for (int step = 0; step < 100; ++step) network.Step({kExternal, kExternal, kExternal});
  // Of 540 a second 200 can be served; once the line is full the others fail, with risk 1, the timeout as latency and
  // for nothing. Who is served waits for about as long, and is served for 80 ms.
  const double failed = network.last().failed / network.last().payments;
  EXPECT_NEAR(network.total().failed / network.total().payments, 1 - 200 / 540.0, 0.1);
  EXPECT_NEAR(network.last().mean_risk(), failed + (1 - failed) * 0.02, 1e-9);
  EXPECT_NEAR(network.last().mean_dollars(), (1 - failed) * 0.5, 1e-9);
  EXPECT_NEAR(network.average_latency_ms(), failed * 300 + (1 - failed) * 375, 25);
  EXPECT_TRUE(network.latency_violated());
  EXPECT_TRUE(network.risk_violated());
  EXPECT_NEAR(network.reward(), -network.last().mean_dollars() - 0.1 * network.last().mean_latency_ms() / 100 - 2,
              1e-9);
}

TEST(PaymentNetworkTest, ABurstMultipliesTheRateForItsTime) {
  PaymentsSettings settings;
  settings.rate_variation = 0;
  settings.burst_probability = 1;
  settings.burst_factor = 3;
  double inside = 0, outside = 0, steps_inside = 0;
  PaymentNetwork network(settings);
  for (uint64_t seed = 0; seed < 40; ++seed) {
    network.Reset(seed);
    for (int step = 0; step < 300; ++step) {
      const bool burst = network.in_burst();
      network.Step({0, 1, 2});
      (burst ? inside : outside) += network.last().payments;
      steps_inside += burst;
    }
  }
  EXPECT_EQ(steps_inside, 40 * 60);
  EXPECT_NEAR(inside / steps_inside, 3 * 54, 2);
  EXPECT_NEAR(outside / (40 * 240), 54, 1);
}

TEST(PaymentsTest, ARouterSeesItsOwnPendingPaymentsAndTheSystem) {
  Payments payments{PaymentsSettings()};
  EnvironmentBuffers buffers(payments.spec());
  ASSERT_TRUE(payments.Reset(5).ok());
  const std::vector<int32_t> channels = {0, 1, 2};
  std::vector<float> rewards(3);
  StepOutcome outcome;
  outcome.rewards.push_back(absl::MakeSpan(rewards));
  JointAction action;
  action.groups.push_back({.discrete = channels});
  for (int step = 0; step < 20; ++step) ASSERT_TRUE(payments.Step(action, outcome).ok());
  buffers.Begin();
  buffers.Observe(payments);
  const std::vector<float> seen = buffers.Everything();
  const PaymentNetwork& network = payments.network();
  for (int i = 0; i < 3; ++i) {
    // All that a router has pending is in its channel; 180 a second come to it, 18 within the target of 100 ms.
    EXPECT_EQ(network.pending(i), std::lround(network.load(i) * network.settings().servers[i]));
    const std::vector<double> expected = {network.pending(i) / 18.0, 100 * network.system_risk() / 5,
                                          network.load(0) / 2,       network.load(1) / 2,
                                          network.load(2) / 2,       network.average_latency_ms() / 100};
    for (int k = 0; k < 6; ++k) EXPECT_NEAR(seen[i * 6 + k], expected[k], 1e-5) << i << " " << k;
    EXPECT_EQ(rewards[i], static_cast<float>(network.reward()));
  }
}

TEST(RoutingRulesTest, AStaticSplitSendsTheSharesItIsMadeOf) {
  PaymentNetwork network{PaymentsSettings()};
  network.Reset(1);
  const RoutingRule rule = StaticSplit({0.6, 0.3, 0.1});
  std::map<int, double> shares;
  std::vector<int32_t> channels(3);
  for (int step = 0; step < 1000; ++step) {
    rule(network, absl::MakeSpan(channels));
    for (const int channel : channels) shares[channel] += 1 / 3000.0;
    network.Step(channels);
  }
  EXPECT_NEAR(shares[kInternal], 0.6, 0.005);
  EXPECT_NEAR(shares[kExternal], 0.3, 0.005);
  EXPECT_NEAR(shares[kBlockchain], 0.1, 0.005);
}

TEST(RoutingRulesTest, TheLeastLoadedChannelIsChosenWithWhatOthersBring) {
  PaymentNetwork network{PaymentsSettings()};
  network.Reset(1);
  std::vector<int32_t> channels(3);
  // Of empty channels the first; a batch of 18 makes its 10 servers 0.36 busy (a fifth of it is there at a time), 16
  // external ones 0.9, 40 of the blockchain 0.45.
  LeastLoaded()(network, absl::MakeSpan(channels));
  EXPECT_EQ(channels, (std::vector<int32_t>{0, 1, 2}));
  SpillOver(0.5, 0.5)(network, absl::MakeSpan(channels));
  EXPECT_EQ(channels, (std::vector<int32_t>{0, 0, 1}));
  SpillOver(0.3, 0.5)(network, absl::MakeSpan(channels));
  EXPECT_EQ(channels, (std::vector<int32_t>{0, 1, 2}));
}

// Golden playthrough: any change to the rules or the seeding shows here. TROUPE_UPDATE_GOLDEN=1 writes it anew.
TEST(PaymentsTest, PlaysTheGoldenEpisode) {
  const EnvironmentEntry& entry = **FindEnvironment("payments");
  const auto environment = *entry.create({{"burst_probability", "1"}});
  EnvironmentBuffers buffers(environment->spec());
  RandomStream random(7);
  ASSERT_TRUE(environment->Reset(7).ok());
  buffers.Begin();
  std::string text = "payments seed 7, random actions, every 50 steps\n";
  for (int step = 1; step <= 300; ++step) {
    buffers.Observe(*environment);
    buffers.ChooseRandomly(random);
    buffers.Step(*environment);
    if (step % 50 == 0) absl::StrAppend(&text, environment->Render());
  }
  EXPECT_TRUE(buffers.over());
  std::vector<double> statistics(environment->spec().num_statistics());
  environment->EpisodeStatistics(absl::MakeSpan(statistics));
  for (size_t i = 0; i < statistics.size(); ++i) {
    absl::StrAppendFormat(&text, "%s %.6f\n", environment->spec().statistics[i], statistics[i]);
  }
  const std::string path = std::string(TROUPE_SOURCE_DIR) + "/tests/golden/payments/playthrough.txt";
  if (std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream golden(path);
  EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(golden), {}));
}

TEST(PaymentsTest, RefusesSettingsOutOfRangeByName) {
  const EnvironmentEntry& entry = **FindEnvironment("payments");
  for (const auto& [name, value] : SettingsMap{{"routers", "0"}, {"step_ms", "0"}, {"internal_servers", "x"}}) {
    const auto refused = entry.create({{name, value}});
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_NE(refused.status().message().find("environment.settings." + name), std::string::npos) << refused.status();
  }
}

TEST(PaymentsTuning, AtTheDefaultsAndInBursts) {
  if (std::getenv("TROUPE_PAYMENTS_TUNING") == nullptr) GTEST_SKIP() << "set TROUPE_PAYMENTS_TUNING=1 to search";
  for (const double bursts : {0.0, 0.5, 1.0}) {
    PaymentsSettings settings;
    settings.burst_probability = bursts;
    const ChannelShares shares = TuneSplit(settings);
    const std::array<double, 2> limits = TuneSpillOver(settings);
    std::printf(
        "burst_probability %.1f: split %.2f %.2f %.2f return %.2f; spill over at %.1f and %.1f return %.2f (tuning "
        "seeds)\n",
        bursts, shares[0], shares[1], shares[2], MeanReturn(settings, StaticSplit(shares), kPaymentsTuningSeed, 10),
        limits[0], limits[1], MeanReturn(settings, SpillOver(limits[0], limits[1]), kPaymentsTuningSeed, 10));
    const double best = MeanReturn(settings, StaticSplit(shares), kPaymentsTuningSeed + 100, 20);
    for (const auto& [from, to] : {std::pair{0, 1}, {1, 0}, {0, 2}, {1, 2}}) {
      ChannelShares moved = shares;
      const double share = std::min(moved[from], 0.1);
      moved[from] -= share;
      moved[to] += share;
      EXPECT_LT(MeanReturn(settings, StaticSplit(moved), kPaymentsTuningSeed + 100, 20), best + 0.05 * std::abs(best));
    }
  }
}

}  // namespace
}  // namespace troupe
