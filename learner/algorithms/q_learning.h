// Deep Q-learning of a team from a replay: IQL, VDN (arXiv:1706.05296) and QMIX (arXiv:1803.11485).
//
// One update: the batch joins the replay (modules/replay_memory.h); once that holds enough, gradient_steps times
//   drawn joint steps ─► n-step returns (replay/replay_sample.h) ─► values of all actions there and, by the target
//   networks, in the states estimates follow from ─► y = R + γ^k · total of the best next actions ─► the slope of
//   ½ w (total − y)² by each agent's chosen value ─► a step of every group's network and of the mixer
// then target networks follow. What joins agents' values to a total is all that the three differ in:
//   iql   nothing: every agent's own value, own reward
//   vdn   the sum over living agents
//   qmix  a mixing network of the global state (autograd/monotonic_mixer.h); a dead agent's value counts as 0
// The best next action is the trained network's choice and the target's value (double Q-learning, arXiv:1509.06461),
// among the allowed ones; a dead agent's next value is 0.
//
// Where some group's agents are recurrent, sequences are drawn instead (replay/replay_sequences.h): trained and target
// networks both go along them from what agents remembered when they acted (stored state and burn-in: R2D2, ICLR 2019,
// section 3), and losses are means over the joint steps of them that are trained on. No gradient goes into that memory;
// one goes through burn-in's steps.
// With priority_exponent the replay is prioritised, and w is the importance weight; else w is 1. The error of a joint
// step is the team's, or with iql the mean size of the living agents'.
//
// Otherwise than in the papers: where agents are feed-forward joint steps are drawn, not episodes; sequences may begin
// and end anywhere in episodes; each parameter set and the mixer has a gradient norm of its own; Adam instead of
// RMSprop.
//
// Workers act ε-greedily with the exported scalar "epsilon". What the replay holds is part of the state only with
// keep_replay: other runs that go on from a checkpoint fill it anew before they train on.
#ifndef TROUPE_LEARNER_ALGORITHMS_Q_LEARNING_H_
#define TROUPE_LEARNER_ALGORITHMS_Q_LEARNING_H_

#include <memory>
#include <string>
#include <vector>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/modules/action_values.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/algorithms/modules/replay_memory.h"
#include "learner/algorithms/modules/value_sample.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/autograd/monotonic_mixer.h"

namespace troupe {

class QLearning : public Algorithm {
 public:
  // INVALID_ARGUMENT naming the setting that it cannot train: a replay that holds no batch, or that several learners
  // would keep on disk; agents of several teams.
  static absl::StatusOr<std::unique_ptr<Algorithm>> Create(const AlgorithmContext& context);

  absl::StatusOr<UpdateStatistics> Update(const TrainingBatch& batch, const UpdateProgress& progress) override;
  std::string arithmetic() const override { return arithmetic_->description(); }
  std::string bits() const override { return arithmetic_->bits(); }
  PolicySnapshot ExportPolicy(const UpdateProgress& progress) const override;
  std::vector<HostTensor> SaveState() const override;
  absl::Status LoadState(absl::Span<const HostTensor> state) override;
  absl::Status GoBackTo(absl::Span<const HostTensor> state) override;
  std::vector<std::string> actor_prefixes() const override { return {"values/", "target/"}; }

 private:
  enum class Total { kEachAgent, kSum, kMixer };
  // What a gradient step came to, or their sums over an update.
  struct Figures {
    double squared_errors = 0, chosen = 0, targets = 0, errors = 0;  // sums; of how many errors
    double mixer_norm = 0, mixer_steps = 0, mixer_skipped = 0;

    // Returns value − target.
    float Note(float value, float target) {
      const float error = value - target;
      squared_errors += error * error;
      chosen += value;
      targets += target;
      errors += 1;
      return error;
    }
  };

  explicit QLearning(const AlgorithmContext& context);
  absl::Status Prepare();
  absl::Status PrepareMixer(const AdamSettings& optimizer);
  absl::Status CheckOwn(const TrainingBatch& batch) const;

  size_t TargetNetwork(size_t group) const { return groups_.size() + group; }
  double EpsilonOf(const UpdateProgress& progress) const;
  double LearningRateOf(const UpdateProgress& progress) const;
  SequenceSettings sequences() const;
  // Joint steps, or sequences, of a gradient step by all learners.
  int64_t num_drawn() const;
  // Takes one gradient step on what is drawn with `key`.
  void Step(const ReplayShare& share, uint64_t key, const UpdateProgress& progress, Figures* figures);

  // q_learning_sample.cc: what a sample is turned into.

  ValueSample Sample(const ReplayMemory::Drawn& drawn) const;
  // Sends the sample's rows to where networks are stepped: of the trained networks those of all states, of the targets
  // those that estimates may follow from.
  void SendRows(const ValueSample& sample);
  // The values of chosen actions, and the targets' of the best next ones, [steps, n].
  void InferValues(const ValueSample& sample, std::vector<float>* chosen, std::vector<float>* next);
  // The slopes [steps, n] of the loss by the chosen values, and each joint step's error [steps].
  struct Slopes {
    std::vector<float> slopes, errors;
  };
  Slopes FindSlopes(const ValueSample& sample, const std::vector<float>& chosen, const std::vector<float>& next,
                    Figures* figures);
  Slopes AgentsSlopes(const ValueSample& sample, const std::vector<float>& chosen, const std::vector<float>& next,
                      Figures* figures) const;

  void NoteErrors(const ReplayMemory::Drawn& drawn, const ValueSample& sample, const std::vector<float>& errors);
  void FollowWithTargets();
  UpdateStatistics Summarize(const UpdateProgress& progress, Figures figures, double env_steps_kept, double left_out);

  AlgorithmContext context_;
  Collective& ranks_;
  const QLearningSettings& settings_;
  const Total total_;
  const std::vector<ValuedGroup> groups_;
  const int64_t num_agents_;
  bool recurrent_ = false;     // whether some group's agents are
  CriticLayout state_layout_;  // the global state as a critic would see it
  std::unique_ptr<Arithmetic> arithmetic_;
  std::unique_ptr<MonotonicMixer> mixer_;  // QMIX alone
  std::unique_ptr<ReplayMemory> replay_;
  uint64_t steps_taken_ = 0;  // gradient steps of the whole run
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_Q_LEARNING_H_
