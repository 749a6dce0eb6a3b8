#include "common/specs/distribution_spec.h"

#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr DistributionTraits kDistributions[] = {
    {DistributionKind::kCategorical, CATEGORICAL, "categorical", ActionKind::kDiscrete},
    {DistributionKind::kEpsilonGreedy, EPSILON_GREEDY, "epsilon_greedy", ActionKind::kDiscrete},
    {DistributionKind::kGaussian, GAUSSIAN, "gaussian", ActionKind::kContinuous},
    {DistributionKind::kSquashedGaussian, SQUASHED_GAUSSIAN, "squashed_gaussian", ActionKind::kContinuous},
    {DistributionKind::kMultiCategorical, MULTI_CATEGORICAL, "multi_categorical", ActionKind::kMultiDiscrete},
    {DistributionKind::kDeterministic, DETERMINISTIC, "deterministic", ActionKind::kContinuous},
};

}  // namespace

absl::Span<const DistributionTraits> AllDistributions() { return kDistributions; }

const DistributionTraits& TraitsOf(DistributionKind kind) { return kDistributions[static_cast<int>(kind)]; }

const DistributionTraits* FindDistribution(std::string_view name) {
  for (const DistributionTraits& traits : kDistributions) {
    if (traits.name == name) return &traits;
  }
  return nullptr;
}

DistributionKind DefaultDistribution(ActionKind action_kind) {
  switch (action_kind) {
    case ActionKind::kDiscrete:
      return DistributionKind::kCategorical;
    case ActionKind::kContinuous:
      return DistributionKind::kGaussian;
    case ActionKind::kMultiDiscrete:
      break;
  }
  return DistributionKind::kMultiCategorical;
}

double LogSquashSlope(double u) {
  const double magnitude = std::abs(u);
  return 2 * (std::numbers::ln2 - magnitude - std::log1p(std::exp(-2 * magnitude)));
}

std::string Describe(const DistributionSpec& distribution) {
  return absl::StrCat(std::string(TraitsOf(distribution.kind).name),
                      distribution.is_gaussian() && distribution.state_dependent_std ? ", deviations by state" : "");
}

}  // namespace troupe
