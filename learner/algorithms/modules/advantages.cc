#include "learner/algorithms/modules/advantages.h"

#include <algorithm>

namespace troupe {
namespace {

template <typename Clip>
AdvantageEstimates Recur(const ValueStreams& streams, double discount, double lambda, Clip&& clip) {
  const int64_t columns = streams.columns;
  AdvantageEstimates estimates;
  estimates.advantages.resize(streams.steps * columns);
  estimates.targets.resize(streams.steps * columns);
  std::vector<double> trace(columns, 0.0);  // v_{t+1} − V_{t+1}
  for (int64_t t = streams.steps - 1; t >= 0; --t) {
    for (int64_t n = 0; n < columns; ++n) {
      const int64_t i = t * columns + n;
      const bool continues = streams.continues[i] != 0;
      const auto has_value = [&](int64_t at) { return streams.bootstrap_inactive || streams.active[at] != 0; };
      const bool next_inactive = continues && !has_value(i + columns);
      const double value = has_value(i) ? streams.values[i] : 0.0;
      const double next_value = next_inactive ? 0.0 : streams.next_values[i];
      const double delta = streams.rewards[i] + discount * next_value - value;
      const double carried = continues ? discount * (next_inactive ? 1.0 : lambda) * trace[n] : 0.0;
      const auto [rho, c] = clip(i);
      trace[n] = rho * delta + c * carried;
      estimates.advantages[i] = static_cast<float>(delta + carried);
      estimates.targets[i] = static_cast<float>(value + trace[n]);
    }
  }
  return estimates;
}

}  // namespace

AdvantageEstimates GeneralizedAdvantages(const ValueStreams& streams, double discount, double lambda) {
  return Recur(streams, discount, lambda, [](int64_t) { return std::pair(1.0, 1.0); });
}

AdvantageEstimates VTrace(const ValueStreams& streams, double discount, double lambda, double rho_clip, double c_clip) {
  return Recur(streams, discount, lambda, [&](int64_t i) {
    const double importance = streams.importance[i];
    return std::pair(std::min(rho_clip, importance), std::min(c_clip, importance));
  });
}

}  // namespace troupe
