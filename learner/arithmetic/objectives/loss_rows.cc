#include "learner/arithmetic/objectives/loss_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/host/vector_functions.h"
#include "learner/arithmetic/objectives/clipped_surrogate.h"

namespace troupe {
namespace {

constexpr int64_t kActionsWithoutAllocation = 64, kIndicesWithoutAllocation = 16;

struct PolicyLanes : SurrogateLanes {
  Lanes entropy;  // what each row contributes
};

// One index of the action, of all lanes.
struct IndexLanes {
  Lanes action;  // of each row
  Lanes log_total, entropy;
};

// `logits` [N] of all lanes, forbidden ones replaced, of `count` indices with `sizes` choices each; on return
// `gradient` [N] holds the gradient, `scale` times.
TROUPE_VECTORIZED void ComputePolicyLanes(const Lanes* logits, const int* sizes, int64_t count, float clip,
                                          float entropy_coefficient, float scale, Lanes* gradient, IndexLanes* indices,
                                          PolicyLanes* rows) {
  Lanes log_probability{}, entropies{};
  const Lanes* z = logits;
  Lanes* slopes = gradient;
  for (int64_t i = 0; i < count; z += sizes[i], slopes += sizes[i], ++i) {
    IndexLanes& of = indices[i];
    Lanes highest = z[0], total{}, chosen = z[0], entropy{};
    for (int64_t j = 1; j < sizes[i]; ++j) {
      for (int l = 0; l < kLanes; ++l) {
        const float logit = z[j].at[l];
        highest.at[l] = logit > highest.at[l] ? logit : highest.at[l];
        chosen.at[l] = of.action.at[l] == static_cast<float>(j) ? logit : chosen.at[l];
      }
    }
    for (int64_t j = 0; j < sizes[i]; ++j) {
      for (int l = 0; l < kLanes; ++l) {
        const float p = ExpWithin(z[j].at[l] - highest.at[l]);
        slopes[j].at[l] = p;
        total.at[l] += p;
      }
    }
    for (int l = 0; l < kLanes; ++l) {
      of.log_total.at[l] = highest.at[l] + vector_math::Log(total.at[l]);
      total.at[l] = 1.0f / total.at[l];
    }
    for (int64_t j = 0; j < sizes[i]; ++j) {
      for (int l = 0; l < kLanes; ++l) {
        const float p = slopes[j].at[l] * total.at[l];
        slopes[j].at[l] = p;
        entropy.at[l] -= p * (z[j].at[l] - of.log_total.at[l]);
      }
    }
    for (int l = 0; l < kLanes; ++l) {
      log_probability.at[l] += chosen.at[l] - of.log_total.at[l];
      of.entropy.at[l] = entropy.at[l];
      entropies.at[l] += entropy.at[l];
    }
  }
  for (int l = 0; l < kLanes; ++l) {
    ClippedSurrogate(log_probability.at[l], clip, scale, l, rows);
    rows->entropy.at[l] = entropies.at[l];
  }
  const float entropy_scale = scale * entropy_coefficient;
  z = logits;
  slopes = gradient;
  for (int64_t i = 0; i < count; z += sizes[i], slopes += sizes[i], ++i) {
    const IndexLanes& of = indices[i];
    for (int64_t j = 0; j < sizes[i]; ++j) {
      for (int l = 0; l < kLanes; ++l) {
        const float p = slopes[j].at[l], log_p = z[j].at[l] - of.log_total.at[l];
        const float hit = of.action.at[l] == static_cast<float>(j) ? 1.0f : 0.0f;
        slopes[j].at[l] = rows->slope.at[l] * (hit - p) + entropy_scale * p * (log_p + of.entropy.at[l]);
      }
    }
  }
}

}  // namespace

void PolicyLossRows(const float* logits, const uint8_t* masks, const float* fields, const int64_t* index, int64_t rows,
                    absl::Span<const int> sizes, const PolicyLossSettings& settings, float* gradient,
                    PolicyLossSums* sums) {
  const int64_t actions = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  const auto num_indices = static_cast<int64_t>(sizes.size()), num_fields = PolicyRow::kAction + num_indices;
  Lanes few[2 * kActionsWithoutAllocation];
  std::vector<Lanes> many(actions > kActionsWithoutAllocation ? 2 * actions : 0);
  Lanes* z = many.empty() ? few : many.data();
  Lanes* slopes = z + actions;
  IndexLanes few_indices[kIndicesWithoutAllocation];
  std::vector<IndexLanes> many_indices(num_indices > kIndicesWithoutAllocation ? num_indices : 0);
  IndexLanes* const indices = many_indices.empty() ? few_indices : many_indices.data();
  const auto scale = static_cast<float>(1.0 / settings.denominator);
  PolicyLanes lanes{};
  for (int64_t first = 0; first < rows; first += kLanes) {
    const int64_t count = std::min<int64_t>(kLanes, rows - first);
    for (int64_t l = 0; l < kLanes; ++l) {
      // Lanes without a row repeat the first.
      const int64_t row = first + (l < count ? l : 0), source = index == nullptr ? row : index[row];
      if (index != nullptr && row + kLanes < rows) {  // rows of a minibatch lie anywhere in memory
        __builtin_prefetch(fields + index[row + kLanes] * num_fields);
        __builtin_prefetch(masks + index[row + kLanes] * actions);
      }
      const float* field = fields + source * num_fields;
      const uint8_t* mask = masks + source * actions;
      for (int64_t j = 0; j < actions; ++j) z[j].at[l] = mask[j] != 0 ? logits[row * actions + j] : kMaskedLogit;
      for (int64_t i = 0; i < num_indices; ++i) indices[i].action.at[l] = field[PolicyRow::kAction + i];
      lanes.reference.at[l] = field[PolicyRow::kReferenceLogProb];
      lanes.importance.at[l] = field[PolicyRow::kImportance];
      lanes.advantage.at[l] = field[PolicyRow::kAdvantage];
      lanes.alive.at[l] = field[PolicyRow::kAlive];
    }
    ComputePolicyLanes(z, sizes.data(), num_indices, static_cast<float>(settings.clip),
                       static_cast<float>(settings.entropy_coefficient), scale, slopes, indices, &lanes);
    for (int64_t l = 0; l < count; ++l) {
      float* to = gradient + (first + l) * actions;
      if (lanes.alive.at[l] == 0.0f) {
        std::fill_n(to, actions, 0.0f);
        continue;
      }
      const uint8_t* mask = masks + (index == nullptr ? first + l : index[first + l]) * actions;
      for (int64_t j = 0; j < actions; ++j) to[j] = mask[j] == 0 ? 0.0f : slopes[j].at[l];
      (*sums)[PolicyLossSum::kSurrogate] += lanes.surrogate.at[l];
      (*sums)[PolicyLossSum::kEntropy] += lanes.entropy.at[l];
      (*sums)[PolicyLossSum::kApproxKl] += lanes.approx_kl.at[l];
      (*sums)[PolicyLossSum::kClipFraction] += lanes.outside.at[l];
    }
  }
}

float ActionLogProbability(const float* logits, const uint8_t* mask, int64_t actions, int64_t action) {
  // In the order of ComputePolicyLanes, so that a policy's ratio to itself is 1.
  const auto logit = [&](int64_t j) { return mask[j] != 0 ? logits[j] : kMaskedLogit; };
  float highest = logit(0), total = 0;
  for (int64_t j = 1; j < actions; ++j) highest = logit(j) > highest ? logit(j) : highest;
  for (int64_t j = 0; j < actions; ++j) total += ExpWithin(logit(j) - highest);
  return logit(action) - (highest + vector_math::Log(total));
}

void ValueLossRows(const float* values, const float* fields, const int64_t* index, int64_t rows, int64_t width,
                   const ValueLossSettings& settings, float* gradient, double* sum) {
  const auto delta = static_cast<float>(settings.huber_delta), clip = static_cast<float>(settings.clip);
  const auto scale = static_cast<float>(settings.coefficient / settings.denominator);
  const auto loss = [&](float error) {
    const float size = std::fabs(error);
    return settings.huber && size > delta ? delta * (size - 0.5f * delta) : 0.5f * error * error;
  };
  const auto slope = [&](float error) { return settings.huber ? std::clamp(error, -delta, delta) : error; };
  for (int64_t i = 0; i < rows * width; ++i) {
    const int64_t source = index == nullptr ? i : index[i / width] * width + i % width;
    const float* field = fields + source * ValueRow::kCount;
    gradient[i] = 0;
    if (field[ValueRow::kActive] == 0.0f) continue;
    const float error = values[i] - field[ValueRow::kTarget];
    const float change = values[i] - field[ValueRow::kOldValue];
    const float plain = loss(error);
    const float clipped = loss(error - change + std::clamp(change, -clip, clip));
    const bool by_clipped = settings.clip_value && clipped > plain;
    // Where the clipped loss is the larger one, it is constant in the value unless the change is within the clip.
    if (!by_clipped || std::fabs(change) <= clip) gradient[i] = scale * slope(error);
    *sum += by_clipped ? clipped : plain;
  }
}

}  // namespace troupe
