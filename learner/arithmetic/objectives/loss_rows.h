// The fused losses of PPO: loss and gradient with respect to a network's output in one pass over rows in memory,
// without LibTorch. losses.h has the same losses over tensors and their definition. Single-threaded, no allocation but
// for policies of more than 64 actions or 16 dimensions; same arguments, same bits.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_LOSS_ROWS_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_LOSS_ROWS_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace troupe {

// What a row (one agent at one step) brings to the policy loss, packed so that one gather fetches it: [rows, kCount],
// of multi-discrete actions of D indices [rows, kAction + D].
struct PolicyRow {
  enum Column {
    kReferenceLogProb,  // of the ratio's denominator: behaviour policy, or proximal policy when decoupled
    kImportance,        // proximal / behaviour when decoupled, else 1
    kAdvantage,
    kAlive,   // 1 or 0; rows at 0 contribute nothing
    kAction,  // index, as a float; further ones follow
    kCount,
  };
};

struct PolicyLossSettings {
  double clip = 0.2;
  double entropy_coefficient = 0.01;
  double denominator = 1;  // living rows of the whole minibatch, of which these rows may be a part
};

struct PolicyLossSum {
  enum Sum { kSurrogate, kEntropy, kApproxKl, kClipFraction, kCount };
};
using PolicyLossSums = std::array<double, PolicyLossSum::kCount>;

// `sizes` [D]: choices of each index of an action, N together; of discrete actions N alone. logits and gradient [rows,
// N], a softmax for each index. Row r's fields (PolicyRow) lie at fields + index[r] · (PolicyRow::kAction + D), its
// mask (1 = allowed) at masks + index[r] · N; without index, index[r] = r. The ratio is that of the whole action,
// clipped once. Adds to `sums` what each living row contributes, not yet divided by the denominator; the gradient is.
void PolicyLossRows(const float* logits, const uint8_t* masks, const float* fields, const int64_t* index, int64_t rows,
                    absl::Span<const int> sizes, const PolicyLossSettings& settings, float* gradient,
                    PolicyLossSums* sums);

// log π(action) of a row of logits [actions], with the mask's forbidden actions (0) at probability 0.
float ActionLogProbability(const float* logits, const uint8_t* mask, int64_t actions, int64_t action);

struct ValueRow {
  enum Column { kOldValue, kTarget, kActive, kCount };  // old value and target in the normaliser's units
};

struct ValueLossSettings {
  bool huber = true;
  double huber_delta = 10;
  bool clip_value = true;
  double clip = 0.2;
  double coefficient = 1;
  double denominator = 1;  // active rows of the whole minibatch
};

// values and gradient [rows, width]. The fields (ValueRow) of row r's value j lie at fields + (index[r] · width + j) ·
// ValueRow::kCount. Adds to `sum` the loss without coefficient and denominator.
void ValueLossRows(const float* values, const float* fields, const int64_t* index, int64_t rows, int64_t width,
                   const ValueLossSettings& settings, float* gradient, double* sum);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_LOSS_ROWS_H_
