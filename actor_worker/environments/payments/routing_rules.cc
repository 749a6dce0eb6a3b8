#include "actor_worker/environments/payments/routing_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace troupe {
namespace {

// Loads, to which routers add what they choose.
class ExpectedLoads {
 public:
  explicit ExpectedLoads(const PaymentNetwork& network) : network_(network) {
    for (int k = 0; k < kNumChannels; ++k) loads_[k] = network.load(k);
  }
  double operator[](int channel) const { return loads_[channel]; }
  // A batch of mean size, of which a channel serves some while it comes.
  void Add(int channel) {
    const PaymentsSettings& settings = network_.settings();
    const double batch = settings.transactions_per_second / 1000 * settings.step_ms / settings.routers;
    loads_[channel] +=
        batch / settings.servers[channel] * std::min(1.0, kChannelTerms[channel].service_ms / settings.step_ms);
  }

 private:
  const PaymentNetwork& network_;
  std::array<double, kNumChannels> loads_{};
};

template <typename Choose>
RoutingRule OneAfterTheOther(Choose choose) {
  return [choose](const PaymentNetwork& network, absl::Span<int32_t> channels) {
    ExpectedLoads loads(network);
    for (int32_t& channel : channels) {
      channel = choose(loads);
      loads.Add(channel);
    }
  };
}

}  // namespace

RoutingRule StaticSplit(const ChannelShares& shares) {
  return [shares](const PaymentNetwork& network, absl::Span<int32_t> channels) {
    constexpr double kGolden = 0.6180339887498949;
    const double first = static_cast<double>(network.step()) * channels.size();
    for (size_t i = 0; i < channels.size(); ++i) {
      const double turns = (first + i) * kGolden, at = turns - std::floor(turns);
      channels[i] = at < shares[kInternal]                       ? kInternal
                    : at < shares[kInternal] + shares[kExternal] ? kExternal
                                                                 : kBlockchain;
    }
  };
}

RoutingRule LeastLoaded() {
  return OneAfterTheOther([](const ExpectedLoads& loads) {
    int lowest = 0;
    for (int k = 1; k < kNumChannels; ++k) {
      if (loads[k] < loads[lowest]) lowest = k;
    }
    return lowest;
  });
}

RoutingRule SpillOver(double internal_limit, double external_limit) {
  return OneAfterTheOther([=](const ExpectedLoads& loads) {
    return loads[kInternal] < internal_limit ? kInternal : loads[kExternal] < external_limit ? kExternal : kBlockchain;
  });
}

double MeanReturn(const PaymentsSettings& settings, const RoutingRule& rule, uint64_t first_seed, int episodes) {
  PaymentNetwork network(settings);
  std::vector<int32_t> channels(settings.routers);
  double sum = 0;
  for (int episode = 0; episode < episodes; ++episode) {
    network.Reset(first_seed + episode);
    for (int step = 0; step < settings.episode_steps; ++step) {
      rule(network, absl::MakeSpan(channels));
      network.Step(channels);
      sum += network.reward();
    }
  }
  return sum / episodes;
}

int PaymentsTuningEpisodes(const PaymentsSettings& settings) {
  return std::clamp(1500 / settings.episode_steps, 1, 50);
}

ChannelShares TuneSplit(const PaymentsSettings& settings) {
  constexpr int kParts = 20;
  ChannelShares best{};
  double highest = -std::numeric_limits<double>::infinity();
  for (int internal = 0; internal <= kParts; ++internal) {
    for (int external = 0; internal + external <= kParts; ++external) {
      const double first = static_cast<double>(internal) / kParts, second = static_cast<double>(external) / kParts;
      const ChannelShares shares = {first, second, 1 - first - second};
      const double mean =
          MeanReturn(settings, StaticSplit(shares), kPaymentsTuningSeed, PaymentsTuningEpisodes(settings));
      if (mean > highest) highest = mean, best = shares;
    }
  }
  return best;
}

std::array<double, 2> TuneSpillOver(const PaymentsSettings& settings) {
  std::array<double, 2> best{};
  double highest = -std::numeric_limits<double>::infinity();
  for (double internal = 0.5; internal <= 5; internal += 0.5) {
    for (double external = 0.5; external <= 5; external += 0.5) {
      const double mean =
          MeanReturn(settings, SpillOver(internal, external), kPaymentsTuningSeed, PaymentsTuningEpisodes(settings));
      if (mean > highest) highest = mean, best = {internal, external};
    }
  }
  return best;
}

}  // namespace troupe
