// λ-returns of a maximising learner, Peng's Q(λ) (arXiv:2407.04811, section 3; Sutton and Barto, "Reinforcement
// Learning", section 12.10): a target goes on with what really followed, and by 1 − λ with the best that the estimates
// know. Plain host code; pure.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_LAMBDA_RETURNS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_LAMBDA_RETURNS_H_

#include <cstdint>
#include <vector>

namespace troupe {

// Row-major [steps, columns].
struct ReturnStreams {
  int64_t steps = 0, columns = 0;
  std::vector<float> rewards;
  // The best value in the state that followed each step: 0 where the episode terminated, the final state's where it was
  // truncated.
  std::vector<float> next_values;
  std::vector<uint8_t> continues;  // 1 = row t+1 belongs to the same episode
};

// G_t = r_t + γ · ((1 − λ) · V_{t+1} + λ · G_{t+1}); where nothing of the episode follows in the streams, r_t + γ ·
// V_{t+1}.
std::vector<float> LambdaReturns(const ReturnStreams& streams, double discount, double lambda);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_LAMBDA_RETURNS_H_
