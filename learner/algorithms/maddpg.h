// Multi-agent deterministic policy gradients from a replay: MADDPG (arXiv:1706.02275, algorithm 1) and MATD3, the same
// with what arXiv:1802.09477 adds (twin critics, delayed actors, smoothed targets).
//
// One update: the batch joins the replay (replay/replay_store.h); once that holds enough, gradient_steps times
//   drawn joint steps ─► n-step returns R (replay/replay_sample.h) ─► what the target actors do in the states that
//   estimates follow from ─► y = R + γ^k · Q'(s', a') ─► a step of every critic along ½ (Q(s, a) − y)²
//   ─► what the actors do in the drawn states ─► ∂Q/∂a there, followed through the actors ─► a step of every actor up Q
// then target networks follow by target_rate. Critics see the global state and all agents' actions (joint_actions.h):
//   critic.heads EACH_AGENT   a critic of its own for every agent, towards the agent's reward, as in the paper
//   critic.heads TEAM         one for all, towards critic.team_reward
// An actor's slope is taken where its own action is what it now says, the others' as the replay has them, or, with
// joint_actions_of_actors, as their actors say.
// MATD3: two critics of different first parameters; y is of the smaller; actors climb the first; they and all targets
// take a step after every policy_delay of the critics'; target actors' continuous actions have clipped noise.
//
// Discrete actions with discrete_gradient EXPECTED: instead of ∂Q/∂a at the one action taken, the critic's values of
// all of an agent's actions there, whose mean under the softmax is climbed.
//
// How actions follow from outputs, and what actors of discrete actions are differentiated through, is told in
// joint_actions.h. A dead agent's action is zeros; with a critic of its own, its value is 0 and in no loss.
//
// Otherwise than in the papers: other agents' policies are known, not estimated; noise is white; losses are means over
// joint steps (and, of actors, the agents of a parameter set); each set has a gradient norm of its own.
//
// Workers act with the exported scalars "epsilon", "action_noise" and "action_noise_correlation". What the replay holds
// is not part of the state: a run that goes on from a checkpoint fills it anew before it trains on.
#ifndef TROUPE_LEARNER_ALGORITHMS_MADDPG_H_
#define TROUPE_LEARNER_ALGORITHMS_MADDPG_H_

#include <memory>
#include <string>
#include <vector>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/modules/action_values.h"
#include "learner/algorithms/modules/joint_actions.h"
#include "learner/algorithms/modules/joint_critic.h"
#include "learner/algorithms/modules/replay_intake.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/replay/replay_sample.h"
#include "learner/replay/replay_store.h"

namespace troupe {

class Maddpg : public Algorithm {
 public:
  // INVALID_ARGUMENT naming the setting that it cannot train: a replay that holds no batch, and as MakeJointCritic.
  static absl::StatusOr<std::unique_ptr<Algorithm>> Create(const AlgorithmContext& context);

  absl::StatusOr<UpdateStatistics> Update(const TrainingBatch& batch, const UpdateProgress& progress) override;
  std::string arithmetic() const override { return critics_->description(); }
  std::string bits() const override;
  PolicySnapshot ExportPolicy(const UpdateProgress& progress) const override;
  std::vector<HostTensor> SaveState() const override;
  absl::Status LoadState(absl::Span<const HostTensor> state) override;
  std::vector<std::string> actor_prefixes() const override { return {"actor/", "target_actor/"}; }

 private:
  // Sums over a gradient step's rows, or an update's.
  struct Figures {
    double squared_errors = 0, chosen = 0, targets = 0, errors = 0;
    double policy_values = 0, policy_rows = 0;
  };
  // Joint steps that were drawn.
  struct Drawn {
    ReplaySample sample;
    std::vector<uint64_t> keys;  // [steps], of each one's own noise
    std::vector<float> states;   // [2 · steps, global state]: at the joint steps, then what estimates follow from
    std::vector<float> actions;  // [steps, W], as recorded
    int64_t steps() const { return static_cast<int64_t>(keys.size()); }
  };

  explicit Maddpg(const AlgorithmContext& context);
  absl::Status Prepare();

  size_t num_critics() const { return has_twins_ ? 2 : 1; }
  size_t TargetActor(size_t group) const { return groups_.size() + group; }
  size_t TargetCritic(size_t critic) const { return num_critics() + critic; }
  bool MovesActors() const { return steps_taken_ % (has_twins_ ? settings_.policy_delay() : 1) == 0; }

  // How far the run has decayed the learning rates.
  double DecayOf(const UpdateProgress& progress) const;
  // Takes one gradient step on drawn joint steps, with learning rates of `decay` times the settings'.
  void Step(const ReplayShare& share, uint64_t key, double decay, Figures* figures);
  Drawn Draw(const ReplayShare& share, uint64_t key) const;
  // Sends the observations that actors and their targets act on.
  void SendActorRows(const Drawn& drawn);
  // What the target actors do in the states that estimates follow from, [steps, W].
  std::vector<float> TargetActions(const Drawn& drawn);
  // y [sets, steps] out of the target critics' values.
  std::vector<float> Targets(const Drawn& drawn);
  void StepCritics(const Drawn& drawn, double decay, Figures* figures);
  void StepActors(const Drawn& drawn, double decay, Figures* figures);

  // maddpg_slopes.cc: what actors follow, where they do `acted` [steps, W].

  bool FollowsValues(const ValuedGroup& group) const;
  // What the critics make of each agent's own action, [steps, W]: ∂Q/∂a, or, where FollowsValues, the value of each
  // choice.
  std::vector<float> ActionSlopes(const Drawn& drawn, const std::vector<float>& acted, Figures* figures);
  void DifferentiateByActions(const Drawn& drawn, const std::vector<float>& acted, std::vector<float>* slopes,
                              Figures* figures);
  void ValueActions(const Drawn& drawn, const std::vector<float>& acted, std::vector<float>* slopes, Figures* figures);
  void FollowWithTargets();

  // The scalars that the groups' ways of acting ask for.
  std::vector<NamedScalar> Exploration(const UpdateProgress& progress) const;
  UpdateStatistics Summarize(const UpdateProgress& progress, const Figures& figures, double env_steps_kept,
                             double left_out);

  AlgorithmContext context_;
  Collective& ranks_;
  const MaddpgSettings& settings_;
  const bool has_twins_;  // MATD3
  const std::vector<ValuedGroup> groups_;
  const JointActionLayout layout_;
  JointCriticSpec critic_;
  std::unique_ptr<Arithmetic> actors_;   // of every group, then their targets
  std::unique_ptr<Arithmetic> critics_;  // one or two, then their targets
  ReplayStore replay_;
  uint64_t steps_taken_ = 0;  // gradient steps of the whole run
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MADDPG_H_
