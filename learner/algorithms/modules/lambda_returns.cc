#include "learner/algorithms/modules/lambda_returns.h"

namespace troupe {

std::vector<float> LambdaReturns(const ReturnStreams& streams, double discount, double lambda) {
  std::vector<float> returns(streams.rewards.size());
  for (int64_t t = streams.steps - 1; t >= 0; --t) {
    for (int64_t i = t * streams.columns; i < (t + 1) * streams.columns; ++i) {
      double after = streams.next_values[i];
      if (streams.continues[i] != 0 && t + 1 < streams.steps) {
        after += lambda * (returns[i + streams.columns] - after);
      }
      returns[i] = static_cast<float>(streams.rewards[i] + discount * after);
    }
  }
  return returns;
}

}  // namespace troupe
