// Hand-written ways to route payments, and the searches that tune them.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_ROUTING_RULES_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_ROUTING_RULES_H_

#include <array>
#include <cstdint>
#include <functional>

#include "absl/types/span.h"
#include "actor_worker/environments/payments/payment_network.h"

namespace troupe {

// Writes a channel for each router's next batch.
using RoutingRule = std::function<void(const PaymentNetwork& network, absl::Span<int32_t> channels)>;

// Shares of the channels, which sum to 1.
using ChannelShares = std::array<double, kNumChannels>;

// Batches go to the channels in these shares, whatever happens, and as evenly as can be: batch number n, counted over
// steps and routers, takes the channel at the fractional part of n × the golden ratio.
RoutingRule StaticSplit(const ChannelShares& shares);
// Router after router, the channel whose load, with what the routers before it bring in this step, is the lowest.
RoutingRule LeastLoaded();
// The same, but the first channel whose load so counted is below its limit, in order of price; else the last.
RoutingRule SpillOver(double internal_limit, double external_limit);

// Mean return of a router over episodes first_seed, first_seed + 1, …
double MeanReturn(const PaymentsSettings& settings, const RoutingRule& rule, uint64_t first_seed, int episodes);

// The best of a grid over tuning episodes, whose seeds are none of an evaluation's. Each takes some seconds at most.
inline constexpr uint64_t kPaymentsTuningSeed = 5'000'000;
int PaymentsTuningEpisodes(const PaymentsSettings& settings);
ChannelShares TuneSplit(const PaymentsSettings& settings);
std::array<double, 2> TuneSpillOver(const PaymentsSettings& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_PAYMENTS_ROUTING_RULES_H_
