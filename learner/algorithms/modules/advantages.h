// Advantages and value targets from rewards and values: GAE (arXiv:1506.02438, equation 16) and V-trace
// (arXiv:1802.01561, section 4.1, with λ in the trace coefficients as its remark 2 allows). Plain host code; pure
// functions.
//
// A column is one value stream: a batch column of a critic's head. A column is active at a step when its agent lives
// (for a team: when any does). The recursion runs on through inactive steps with the critic's values there, as in
// MAPPO's official code, and losses leave those steps out. Without bootstrap_inactive an inactive step has no value
// estimate: its value counts as 0, rewards that still arrive are summed without λ, so that they reach the last active
// step undiluted, and nothing about the dead agent's input matters.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_ADVANTAGES_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_ADVANTAGES_H_

#include <cstdint>
#include <vector>

namespace troupe {

// Row-major [T, N] unless said otherwise, N columns.
struct ValueStreams {
  int64_t steps = 0;    // T
  int64_t columns = 0;  // N
  bool bootstrap_inactive = true;
  std::vector<float> rewards;
  std::vector<float> values;  // of the state acted in, in reward units
  std::vector<float>
      next_values;  // of the state that followed: 0 where the episode terminated, the final state's where truncated
  std::vector<uint8_t> continues;  // 1 = row t+1 belongs to the same episode
  std::vector<uint8_t> active;     // [T+1, N]
  std::vector<float> importance;   // π/μ of the actions taken; V-trace only
};

struct AdvantageEstimates {
  std::vector<float> advantages;  // [T, N]; meaningless where inactive
  std::vector<float> targets;     // [T, N]
};

AdvantageEstimates GeneralizedAdvantages(const ValueStreams& streams, double discount, double lambda);

// Targets v_s with ρ clipped at `rho_clip` and c at `c_clip`; advantages r + γ (λ v_{s+1} + (1 − λ) V_{s+1}) − V_s
// without a factor ρ, which the surrogate's own ratio supplies. With importance 1 and clips ≥ 1 both equal GAE.
AdvantageEstimates VTrace(const ValueStreams& streams, double discount, double lambda, double rho_clip, double c_clip);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_ADVANTAGES_H_
