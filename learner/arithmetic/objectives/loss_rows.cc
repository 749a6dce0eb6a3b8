#include "learner/arithmetic/objectives/loss_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/host/vector_functions.h"
#include "learner/arithmetic/objectives/clipped_surrogate.h"

namespace troupe {
namespace {

constexpr int64_t kActionsWithoutAllocation = 64;

struct PolicyLanes : SurrogateLanes {
  Lanes action;   // of each row
  Lanes entropy;  // what each row contributes
};

// `logits` [actions] of all lanes, forbidden ones replaced; on return `gradient` holds the gradient, `scale` times.
TROUPE_VECTORIZED void ComputePolicyLanes(const Lanes* logits, int64_t actions, float clip, float entropy_coefficient,
                                          float scale, Lanes* gradient, PolicyLanes* rows) {
  Lanes highest = logits[0], total{}, log_total, chosen = logits[0], entropy{};
  for (int64_t j = 1; j < actions; ++j) {
    for (int l = 0; l < kLanes; ++l) {
      const float z = logits[j].at[l];
      highest.at[l] = z > highest.at[l] ? z : highest.at[l];
      chosen.at[l] = rows->action.at[l] == static_cast<float>(j) ? z : chosen.at[l];
    }
  }
  for (int64_t j = 0; j < actions; ++j) {
    for (int l = 0; l < kLanes; ++l) {
      const float p = ExpWithin(logits[j].at[l] - highest.at[l]);
      gradient[j].at[l] = p;
      total.at[l] += p;
    }
  }
  for (int l = 0; l < kLanes; ++l) {
    log_total.at[l] = highest.at[l] + vector_math::Log(total.at[l]);
    total.at[l] = 1.0f / total.at[l];
  }
  for (int64_t j = 0; j < actions; ++j) {
    for (int l = 0; l < kLanes; ++l) {
      const float p = gradient[j].at[l] * total.at[l];
      gradient[j].at[l] = p;
      entropy.at[l] -= p * (logits[j].at[l] - log_total.at[l]);
    }
  }
  for (int l = 0; l < kLanes; ++l) {
    ClippedSurrogate(chosen.at[l] - log_total.at[l], clip, scale, l, rows);
    rows->entropy.at[l] = entropy.at[l];
  }
  const float entropy_scale = scale * entropy_coefficient;
  for (int64_t j = 0; j < actions; ++j) {
    for (int l = 0; l < kLanes; ++l) {
      const float p = gradient[j].at[l], log_p = logits[j].at[l] - log_total.at[l];
      const float hit = rows->action.at[l] == static_cast<float>(j) ? 1.0f : 0.0f;
      gradient[j].at[l] = rows->slope.at[l] * (hit - p) + entropy_scale * p * (log_p + entropy.at[l]);
    }
  }
}

}  // namespace

void PolicyLossRows(const float* logits, const uint8_t* masks, const float* fields, const int64_t* index, int64_t rows,
                    int64_t actions, const PolicyLossSettings& settings, float* gradient, PolicyLossSums* sums) {
  Lanes few[2 * kActionsWithoutAllocation];
  std::vector<Lanes> many(actions > kActionsWithoutAllocation ? 2 * actions : 0);
  Lanes* z = many.empty() ? few : many.data();
  Lanes* slopes = z + actions;
  const auto scale = static_cast<float>(1.0 / settings.denominator);
  PolicyLanes lanes{};
  for (int64_t first = 0; first < rows; first += kLanes) {
    const int64_t count = std::min<int64_t>(kLanes, rows - first);
    for (int64_t l = 0; l < kLanes; ++l) {
      // Lanes without a row repeat the first.
      const int64_t row = first + (l < count ? l : 0), source = index == nullptr ? row : index[row];
      if (index != nullptr && row + kLanes < rows) {  // rows of a minibatch lie anywhere in memory
        __builtin_prefetch(fields + index[row + kLanes] * PolicyRow::kCount);
        __builtin_prefetch(masks + index[row + kLanes] * actions);
      }
      const float* field = fields + source * PolicyRow::kCount;
      const uint8_t* mask = masks + source * actions;
      for (int64_t j = 0; j < actions; ++j) z[j].at[l] = mask[j] != 0 ? logits[row * actions + j] : kMaskedLogit;
      lanes.action.at[l] = field[PolicyRow::kAction];
      lanes.reference.at[l] = field[PolicyRow::kReferenceLogProb];
      lanes.importance.at[l] = field[PolicyRow::kImportance];
      lanes.advantage.at[l] = field[PolicyRow::kAdvantage];
      lanes.alive.at[l] = field[PolicyRow::kAlive];
    }
    ComputePolicyLanes(z, actions, static_cast<float>(settings.clip), static_cast<float>(settings.entropy_coefficient),
                       scale, slopes, &lanes);
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
