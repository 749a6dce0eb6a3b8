// MAPPO and IPPO (arXiv:2103.01955): actors per agent group, critics that may see the global state, PPO on both.
//
// One update:
//   batch ─► actors' rows, critics' inputs (once) ─► values of all states ─► [π of all actions, when correcting for lag
//   or
//         stopping at target_kl] ─► advantages and targets (modules/advantages) ─► ValueNorm ─► normalised advantages
//         ─► epochs × minibatches of joint steps: a step of every group's actor and of every critic
// How networks are stepped is the arithmetic's business (arithmetic/arithmetic.h): the actors are its first networks,
// the critics follow. Differences between IPPO and MAPPO are settings of the critic (modules/critic_layout.h).
// Recurrent networks are trained along sequences of collection.sequence_length steps, which minibatches take whole. An
// actor's begin with what it remembered when it acted; a critic's with what the newest critic remembers there, carried
// on from batch to batch.
// With ppo.update_order SEQUENTIAL it is HAPPO (arXiv:2109.11251, section 4.2; arXiv:2304.09870): parameter sets take
// their epochs one after another, in an order drawn for every update, each with the advantages times what the sets
// before it have changed (modules/sequential_factor.h); then the critics take theirs. Otherwise than there a set may be
// of several agents, who change together.
// Frozen groups and their critics are neither stepped nor looked at; where a saved version of the actors plays a team,
// that team's rows and values are left out, and the others' are trained on (modules/trained_rows.h).
// Where a group follows options (common/specs/option_policies.h) its manager is one more actor, with critics and
// returns of its own over whole options (modules/option_view.h). Parameter sets of one group are policies of their own:
// each has its own loss, gradient norm, guard against NaN, and stop at target_kl. Groups may have different
// distributions (modules/policy_objective.h).
//
// Where workers sample from a Gaussian with its deviations scaled (ppo.noise_scale, a scalar of the exported policy),
// the recorded log-probability is the scaled one's, and what is trained is the policy without the scale: the policy at
// the update's start is the proximal one of the decoupled objective, so ratios begin at 1, where the clip is, and the
// weight π/μ makes samples of the scaled Gaussian count as often as the policy would have drawn them.
#ifndef TROUPE_LEARNER_ALGORITHMS_MAPPO_H_
#define TROUPE_LEARNER_ALGORITHMS_MAPPO_H_

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/modules/actor_rows.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/algorithms/modules/option_view.h"
#include "learner/algorithms/modules/rank_share.h"
#include "learner/algorithms/modules/stream_states.h"
#include "learner/algorithms/modules/target_sums.h"
#include "learner/algorithms/modules/value_norm.h"
#include "learner/arithmetic/arithmetic.h"

namespace troupe {

class Mappo : public Algorithm {
 public:
  // INVALID_ARGUMENT naming the setting that it cannot train. The registry has held the environment and its groups'
  // distributions to the card.
  static absl::StatusOr<std::unique_ptr<Algorithm>> Create(const AlgorithmContext& context);

  absl::StatusOr<UpdateStatistics> Update(const TrainingBatch& batch, const UpdateProgress& progress) override;
  void PrefetchFrom(NextBatch next_batch) override {
    if (!options_.any()) next_batch_ = std::move(next_batch);
  }
  std::string arithmetic() const override { return arithmetic_->description(); }
  std::string bits() const override { return arithmetic_->bits(); }
  PolicySnapshot ExportPolicy(const UpdateProgress& progress) const override;
  std::vector<HostTensor> SaveState() const override;
  absl::Status LoadState(absl::Span<const HostTensor> state) override;

 private:
  struct Actor : OptionView::Actor {
    SlotMap map;
    bool frozen = false;
    // Of the batch: the rows that are trained on [steps, agents] and their number [sets][steps]; log π(action) before
    // the first step [steps, agents], where it is wanted; where the decoupled objective is, π/μ, of which `capped` rows
    // were cut.
    std::vector<uint8_t> trained{};
    std::vector<std::vector<int32_t>> living{};
    std::vector<float> start_log_probabilities{}, importance{};
    double capped = 0;
    std::vector<float> advantages{};  // [steps, agents], normalised as the settings say
  };
  struct Critic {
    CriticLayout layout;
    ValueNorm value_norm;
    StreamStates states;  // remembered where the next batch's columns begin
    bool of_managers = false;
    bool frozen = false;  // no group that it is of is trained
    // Of the batch.
    std::vector<float> values{};  // [states, columns], the network's outputs
    ValueStreams streams{};
    AdvantageEstimates estimates{};
    std::vector<int32_t> active{};  // [steps]
  };
  // Where the schedules stand.
  struct Rates {
    double actor = 0, critic = 0, entropy_coefficient = 0, manager_entropy_coefficient = 0, noise_scale = 1;
  };
  // What the epochs of an update came to.
  struct EpochsDone {
    uint32_t epochs = 0;
    double update_kl = 0;   // KL(π before ‖ π now), mean over sets; 0 without target_kl
    UpdateFigures figures;  // those that the arithmetic no longer has
  };
  // Which sets epochs move, [networks][sets], 1: it does; [networks][0]: all of the network's.
  using Movers = std::vector<std::vector<uint8_t>>;

  Mappo(const AlgorithmContext& context, OptionView options, std::vector<CriticLayout> layouts);

  size_t CriticNetwork(size_t critic) const { return actors_.size() + critic; }

  // The actor's part of a batch.
  const GroupBatch& PartOf(const TrainingBatch& batch, size_t number) const {
    return batch.groups[actors_[number].rows];
  }
  // Groups that a critic does not count, [groups].
  const std::vector<uint8_t>& LeftOut(bool of_managers) const { return of_managers ? unmanaged_ : frozen_; }

  // mappo_targets.cc: what a batch is turned into.

  // Rows of a batch, sent to where networks are stepped.
  void SendRows(const TrainingBatch& batch);
  // Those brought ahead if they are this batch's, or sent now.
  void UseRows(const TrainingBatch& batch);
  // π/μ of each group's actions [T, B, A] for V-trace, else nothing; for the decoupled objective, sets the actors'
  // importance.
  std::vector<std::vector<float>> CorrectLag(const TrainingBatch& batch);
  void Estimate(const TrainingBatch& batch, const std::vector<std::vector<float>>& importance);
  // Each critic's targets, over all ranks.
  std::vector<TargetSums> SumTargets() const;
  // Writes the value loss's rows; targets in the units of `norms` [steps], one normaliser for each step.
  void WriteValueRows(size_t critic, const std::vector<const ValueNorm*>& norms);
  // The same for all critics where their normalisers move with every minibatch of an epoch.
  void WriteValueRowsByMinibatch(const std::vector<std::vector<int64_t>>& minibatches);
  // `advantages` [steps, agents] of the actor.
  void WriteActorTargets(size_t number, const TrainingBatch& batch, const std::vector<float>& advantages);
  // log π of the actions taken, [steps, agents], that the objective's ratio refers to.
  const std::vector<float>& ReferenceLogProbabilities(size_t number, const TrainingBatch& batch) const;
  // [steps, agents] of one actor, normalised as the settings say.
  std::vector<float> AdvantagesOf(size_t number, const TrainingBatch& batch) const;

  // mappo.cc: what is done with it.

  absl::Status PrepareArithmetic();
  // A batch as networks see it.
  absl::StatusOr<UpdateStatistics> TrainOn(const TrainingBatch& batch, const UpdateProgress& progress);
  // Whether a batch can be trained on at all.
  absl::Status Check(const TrainingBatch& batch) const;
  Rates RatesAt(const UpdateProgress& progress) const;
  // The minibatches of one epoch, this rank's part of them.
  void DealEpoch(const TrainingBatch& batch, const RankShare& share, uint64_t key, Epoch* epoch) const;
  // At most so many.
  EpochsDone RunEpochs(const TrainingBatch& batch, const RankShare& share, uint64_t update, const Rates& rates,
                       uint32_t epochs, Movers movers);
  // All but frozen networks.
  Movers TrainedNetworks() const;
  // What each minibatch's losses are divided by: trained rows of every actor's sets, then active ones of every critic,
  // over all ranks, at least 1. [networks][minibatches · sets]
  std::vector<std::vector<double>> Denominators(const std::vector<std::vector<int64_t>>& minibatches) const;
  // KL(π before ‖ π now) of the actor's sets, over all ranks: mean of (r − 1) − log r
  // (http://joschu.net/blog/kl-approx.html).
  std::vector<double> MeasureKl(size_t number, const TrainingBatch& batch);
  // Until the device has finished the update, or the next batch was found and is on its way.
  void PrefetchMeanwhile();
  // `explained_variance`: of policies' critics, of managers'.
  UpdateStatistics Summarize(const Rates& rates, EpochsDone done, const std::array<double, 2>& explained_variance,
                             double env_steps);

  // mappo_sequential.cc: how sets are moved one after another.

  Movers NoMovers() const;
  EpochsDone RunInTurn(const TrainingBatch& batch, const RankShare& share, uint64_t update, const Rates& rates);

  AlgorithmContext context_;
  Collective& ranks_;
  const PpoSettings& ppo_;
  const LagCorrection lag_correction_;
  const OptionView options_;
  std::vector<Actor> actors_;
  std::vector<Critic> critics_;
  std::vector<uint8_t> frozen_;     // [groups]
  std::vector<uint8_t> unmanaged_;  // [groups], those without a manager that is trained
  std::unique_ptr<Arithmetic> arithmetic_;
  bool recurrent_ = false;                    // whether any network is
  std::shared_ptr<const Timeline> timeline_;  // of the batch, where one is
  NextBatch next_batch_;
  const TrainingBatch* sent_ahead_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MAPPO_H_
