// A batch whose groups follow options (common/specs/option_policies.h) as networks see it: a group's policy and its
// manager are two actors, each with rows of its own, and critics see what is followed. Host code.
//
//   actor       observes                    acts                  counts
//   policy      onehot(z), x                the action            as ever
//   manager     held(z, a), x               the option            where it chooses
//   critics     held(z, a), x for x, of every agent
// so that a value never depends on a choice that is still to be made, and is known where a batch ends.
//
// Managers' returns are those of a semi-Markov decision process (Sutton, Precup, Singh 1999, section 3): a reward j
// steps after a choice counts γ^j, the next choice's value γ^k, λ carries from choice to choice. Where a team has one
// value a choice is whenever any manager of it chooses. A batch ends as if another choice were made there.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_OPTION_VIEW_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_OPTION_VIEW_H_

#include <cstdint>
#include <vector>

#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/algorithms/modules/advantages.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// Immutable. Without options everything is as it was given.
class OptionView {
 public:
  struct Actor {
    PolicySpec policy;  // without options
    int group = 0;      // of the environment
    int rows = 0;       // group of the batch seen
    bool manages = false;
  };

  OptionView(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies);

  // Of every group its policy, then its manager where it has one.
  const std::vector<Actor>& actors() const { return actors_; }
  // As critics see it.
  const EnvironmentSpec& environment() const { return environment_; }
  bool any() const { return actors_.size() > environment_.groups.size(); }
  bool has_manager(int group) const { return options_[group].count > 0; }
  // Whether a critic values agents of a group that has one.
  bool HasManager(const CriticLayout& critic) const;

  // The batch as networks see it, `batch` having been checked. Its first groups are the environment's, for critics; an
  // actor's are at its `rows`.
  TrainingBatch See(const TrainingBatch& batch) const;

  // Of each column of a critic whether a manager of its agents chooses, [T+1, columns], 1 at the last row. `seen`: of
  // See.
  std::vector<uint8_t> Choices(const CriticLayout& critic, const TrainingBatch& seen) const;

 private:
  std::vector<OptionSpec> options_;  // per group
  std::vector<Actor> actors_;
  EnvironmentSpec environment_;
};

// Advantages of choices and targets of all steps; `streams` are those of every step, of which `choices` [T+1, N] are
// choices. Advantages elsewhere mean nothing.
AdvantageEstimates ChoiceAdvantages(ValueStreams streams, std::vector<uint8_t> choices, double discount, double lambda);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_OPTION_VIEW_H_
