#include "learner/arithmetic/objectives/gaussian_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "learner/arithmetic/host/vector_functions.h"
#include "learner/arithmetic/objectives/clipped_surrogate.h"

namespace troupe {
namespace {

constexpr int64_t kDimensionsWithoutAllocation = 32;
// ½ log 2π, and ½ log 2πe.
constexpr float kHalfLogTwoPi = 0.918938533f, kHalfLogTwoPiE = 1.41893853f;
constexpr float kLow = kMinLogStd, kHigh = kMaxLogStd;

// Of one dimension: what goes in, and d loss / d (μ, log σ). Between them, derivatives of the log density.
struct Dimension {
  Lanes mean, log_std, sample;
  Lanes mean_slope, std_slope;
  Lanes entropy_mean_slope, entropy_std_slope;
};

struct GaussianLanes : SurrogateLanes {
  Lanes entropy, deviation;
};

inline float Clamped(float log_std) { return log_std < kLow ? kLow : log_std > kHigh ? kHigh : log_std; }

// What E log(1 − tanh²(u)) adds to the entropy of a dimension and to its derivatives.
TROUPE_VECTORIZED void AddSquashEntropy(Dimension* dimension, Lanes* entropy) {
  Lanes total{}, by_mean{}, by_node{}, deviation;
  for (int l = 0; l < kLanes; ++l) deviation.at[l] = ExpWithin(Clamped(dimension->log_std.at[l]));
  for (const NormalNode& of : kNormalNodes) {
    for (const float node : {static_cast<float>(of.node), static_cast<float>(-of.node)}) {
      const auto weight = static_cast<float>(of.weight);
      for (int l = 0; l < kLanes; ++l) {
        const float u = dimension->mean.at[l] + deviation.at[l] * node, size = std::fabs(u);
        const float e = ExpWithin(-2.0f * size), tanh_size = (1.0f - e) / (1.0f + e);
        const float slope = -2.0f * weight * (u < 0.0f ? -tanh_size : tanh_size);
        total.at[l] += 2.0f * weight * (0.693147181f - size - vector_math::Log(1.0f + e));
        by_mean.at[l] += slope;
        by_node.at[l] += slope * node;
      }
    }
  }
  for (int l = 0; l < kLanes; ++l) {
    entropy->at[l] += total.at[l];
    dimension->entropy_mean_slope.at[l] = by_mean.at[l];
    dimension->entropy_std_slope.at[l] += by_node.at[l] * deviation.at[l];
  }
}

TROUPE_VECTORIZED void ComputeGaussianLanes(int64_t size, bool squashes, float clip, float entropy_coefficient,
                                            float scale, Dimension* dimensions, GaussianLanes* rows) {
  Lanes log_density{}, entropy{}, deviation{};
  for (int64_t j = 0; j < size; ++j) {
    Dimension& of = dimensions[j];
    for (int l = 0; l < kLanes; ++l) {
      const float log_std = Clamped(of.log_std.at[l]);
      const float reciprocal = ExpWithin(-log_std), distance = (of.sample.at[l] - of.mean.at[l]) * reciprocal;
      log_density.at[l] -= 0.5f * distance * distance + log_std + kHalfLogTwoPi;
      entropy.at[l] += log_std + kHalfLogTwoPiE;
      deviation.at[l] += ExpWithin(log_std);
      of.mean_slope.at[l] = distance * reciprocal;
      of.std_slope.at[l] = distance * distance - 1.0f;
      of.entropy_mean_slope.at[l] = 0.0f;
      of.entropy_std_slope.at[l] = 1.0f;
    }
    if (squashes) AddSquashEntropy(&of, &entropy);
  }
  const float mean_of_dimensions = 1.0f / static_cast<float>(size);
  for (int l = 0; l < kLanes; ++l) {
    ClippedSurrogate(log_density.at[l], clip, scale, l, rows);
    rows->entropy.at[l] = entropy.at[l];
    rows->deviation.at[l] = deviation.at[l] * mean_of_dimensions;
  }
  const float entropy_scale = scale * entropy_coefficient;
  for (int64_t j = 0; j < size; ++j) {
    Dimension& of = dimensions[j];
    for (int l = 0; l < kLanes; ++l) {
      const float slope = rows->slope.at[l];
      of.mean_slope.at[l] = slope * of.mean_slope.at[l] - entropy_scale * of.entropy_mean_slope.at[l];
      // Where log σ is held at a bound it does not move.
      const bool held = of.log_std.at[l] < kLow || of.log_std.at[l] > kHigh;
      of.std_slope.at[l] = held ? 0.0f : slope * of.std_slope.at[l] - entropy_scale * of.entropy_std_slope.at[l];
    }
  }
}

}  // namespace

void GaussianLossRows(const DistributionSpec& distribution, int64_t size, const ObjectiveRows& rows,
                      const GaussianLossSettings& settings, float* gradient, Objective::Figures* sums) {
  Dimension few[kDimensionsWithoutAllocation];
  std::vector<Dimension> many(size > kDimensionsWithoutAllocation ? size : 0);
  Dimension* const dimensions = many.empty() ? few : many.data();
  const int64_t width = distribution.NumOutputs(static_cast<int>(size)), num_fields = GaussianRow::kSample + size;
  const bool by_state = distribution.state_dependent_std;
  const auto scale = static_cast<float>(1.0 / settings.denominator);
  GaussianLanes lanes{};
  for (int64_t first = 0; first < rows.rows; first += kLanes) {
    const int64_t count = std::min<int64_t>(kLanes, rows.rows - first);
    for (int64_t l = 0; l < kLanes; ++l) {
      // Lanes without a row repeat the first.
      const int64_t row = first + (l < count ? l : 0), source = rows.index == nullptr ? row : rows.index[row];
      if (rows.index != nullptr && row + kLanes < rows.rows) {  // rows of a minibatch lie anywhere in memory
        __builtin_prefetch(rows.fields + rows.index[row + kLanes] * num_fields);
      }
      const float* const field = rows.fields + source * num_fields;
      const float* const output = rows.outputs + row * width;
      for (int64_t j = 0; j < size; ++j) {
        dimensions[j].mean.at[l] = output[j];
        dimensions[j].log_std.at[l] = by_state ? output[size + j] : rows.free[j];
        dimensions[j].sample.at[l] = field[GaussianRow::kSample + j];
      }
      lanes.reference.at[l] = field[GaussianRow::kReferenceLogDensity];
      lanes.importance.at[l] = field[GaussianRow::kImportance];
      lanes.advantage.at[l] = field[GaussianRow::kAdvantage];
      lanes.alive.at[l] = field[GaussianRow::kAlive];
    }
    ComputeGaussianLanes(size, distribution.kind == DistributionKind::kSquashedGaussian,
                         static_cast<float>(settings.clip), static_cast<float>(settings.entropy_coefficient), scale,
                         dimensions, &lanes);
    for (int64_t l = 0; l < count; ++l) {
      float* const to = gradient + (first + l) * width;
      if (lanes.alive.at[l] == 0.0f) {
        std::fill_n(to, width, 0.0f);
        continue;
      }
      for (int64_t j = 0; j < size; ++j) {
        to[j] = dimensions[j].mean_slope.at[l];
        if (by_state) {
          to[size + j] = dimensions[j].std_slope.at[l];
        } else {
          rows.free_gradient[j] += dimensions[j].std_slope.at[l];
        }
      }
      (*sums)[PolicyLossSum::kSurrogate] += lanes.surrogate.at[l];
      (*sums)[PolicyLossSum::kEntropy] += lanes.entropy.at[l];
      (*sums)[PolicyLossSum::kApproxKl] += lanes.approx_kl.at[l];
      (*sums)[PolicyLossSum::kClipFraction] += lanes.outside.at[l];
      (*sums)[GaussianLossSum::kDeviation] += lanes.deviation.at[l];
    }
  }
}

float GaussianLogProbability(const DistributionSpec& distribution, int64_t size, const float* outputs,
                             const float* log_std, const float* sample) {
  const float* const own = distribution.state_dependent_std ? outputs + size : log_std;
  double log_probability = 0;
  float log_density = 0;
  for (int64_t j = 0; j < size; ++j) {
    // In the order of ComputeGaussianLanes, so that a policy's ratio to itself is 1 but for the last bit.
    const float held = Clamped(own[j]), distance = (sample[j] - outputs[j]) * ExpWithin(-held);
    log_density -= 0.5f * distance * distance + held + kHalfLogTwoPi;
    if (distribution.kind == DistributionKind::kSquashedGaussian) log_probability -= LogSquashSlope(sample[j]);
  }
  return static_cast<float>(log_probability + log_density);
}

}  // namespace troupe
