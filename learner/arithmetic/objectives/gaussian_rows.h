// PPO's clipped surrogate with an entropy bonus for Gaussian policies, fused: loss and gradient in one pass over rows
// in memory, without LibTorch. clipped_gaussian.h has the definition. Single-threaded, no allocation but for more than
// 32 dimensions; same arguments, same bits.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_GAUSSIAN_ROWS_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_GAUSSIAN_ROWS_H_

#include <array>
#include <cstdint>

#include "common/specs/distribution_spec.h"
#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

// What a row (one agent at one step) brings to the loss of a policy of N dimensions: [rows, kSample + N].
struct GaussianRow {
  enum Column {
    // Log density of u itself, before any squashing, under the policy of the ratio's denominator (PolicyRow). What
    // squashing adds to a log-probability is the same for every policy and cancels in the ratio.
    kReferenceLogDensity,
    kImportance,
    kAdvantage,
    kAlive,   // 1 or 0; rows at 0 contribute nothing
    kSample,  // u [N]
  };
};

// The figures of a policy's loss, whatever its distribution, and after them a Gaussian's own.
struct GaussianLossSum {
  enum Sum { kDeviation = PolicyLossSum::kCount, kCount };  // σ, mean over dimensions
};

struct GaussianLossSettings {
  double clip = 0.2;
  double entropy_coefficient = 0.01;
  double denominator = 1;  // living rows of the whole minibatch, of which these rows may be a part
};

// Of Gauss and Hermite's quadrature for the standard normal distribution, E f(ε) ≈ Σ weight · f(node): the nodes above
// 0 of sixteen; those below 0 have the same weights.
struct NormalNode {
  double node, weight;
};
inline constexpr std::array<NormalNode, 8> kNormalNodes = {{
    {0.38676060450055738, 0.28656852123801202},
    {1.1638291005549648, 0.1583383727509497},
    {1.9519803457163334, 0.04728475235401406},
    {2.7602450476307014, 0.0072669376011847489},
    {3.6008736241715487, 0.0005259849265739087},
    {4.4929553025200111, 1.530003216248732e-05},
    {5.4722257059493433, 1.3094732162868171e-07},
    {6.6308781983931286, 1.4978147231618412e-10},
}};

// Rows as ObjectiveRows, with outputs and gradient [rows, distribution.NumOutputs(size)]. Adds to `sums` what each
// living row contributes, not yet divided by the denominator; the gradients are.
void GaussianLossRows(const DistributionSpec& distribution, int64_t size, const ObjectiveRows& rows,
                      const GaussianLossSettings& settings, float* gradient, Objective::Figures* sums);

// log π of the action that the sample u [size] stands for; outputs and free parameters of its row.
float GaussianLogProbability(const DistributionSpec& distribution, int64_t size, const float* outputs,
                             const float* log_std, const float* sample);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_GAUSSIAN_ROWS_H_
