// What a gradient step of Q-learning is computed from, in one form for joint steps drawn one by one and for sequences
// of them that recurrent agents are trained along.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_VALUE_SAMPLE_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_VALUE_SAMPLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/batch/training_batch.h"
#include "learner/replay/replay_sequences.h"

namespace troupe {

// States are numbered as in critic_inputs: rows 0 … T of `states` (T+1 × B), then its K final ones.
struct ValueSample {
  TrainingBatch states;                      // actions and who lived at its joint steps; what agents remembered
  std::shared_ptr<const Timeline> timeline;  // of sequences; null: joint steps one by one
  int64_t first_target = 0;                  // no estimate follows from states before
  std::vector<int64_t> next_states;          // [steps], from where estimates follow
  std::vector<float> team_rewards;           // [steps], n-step returns
  std::vector<std::vector<float>> rewards;   // [groups][steps, A], n-step returns of each agent
  std::vector<float> discounts;              // [steps], γ^k; 0 where the episode terminated
  std::vector<float> weights;                // [steps]; 0: not trained on

  int64_t steps() const { return states.env_steps(); }
  int64_t num_states() const {
    return int64_t{states.rollout_length + 1} * states.columns + static_cast<int64_t>(states.truncated_at.size()) / 2;
  }
  // Joint steps that are trained on.
  int64_t num_trained() const;
};

// Of joint steps at `places`; `weights` of each, or empty: all 1.
ValueSample SampleSteps(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                        const std::vector<float>& weights, const ReturnSettings& settings);

// Of sequences that begin at `places`, their first `burn_in` steps not trained on.
ValueSample SampleSequences(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                            const std::vector<float>& weights, const SequenceSettings& settings, int burn_in);

// What prioritised replay goes by, of each sequence (column) of a sample: of the sizes of its trained steps' errors
// [steps] the largest, `max_share` of it, and their mean for the rest (R2D2, section 2.3); none without trained steps.
std::vector<std::optional<double>> ColumnErrors(const ValueSample& sample, const std::vector<float>& errors,
                                                double max_share);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_VALUE_SAMPLE_H_
