// MAPPO and IPPO (arXiv:2103.01955): actors per agent group, critics that may see the global state, PPO on both.
//
// One update:
//   batch ─► ActorRows, critic inputs (once) ─► values of all states ─► [π of all actions, when correcting for lag]
//         ─► advantages and targets (modules/advantages) ─► ValueNorm ─► normalised advantages
//         ─► epochs × minibatches of joint steps: actor step of every group, critic step of every critic
// On a CPU with AVX2 or AVX-512, without layer norms, all networks of a minibatch are stepped at once out of blocks of
// rows (arithmetic/blocks/block_step.h), in float32 or bfloat16; elsewhere on a CPU one after another through autograd
// (arithmetic/networks/dense_stack.h). On a GPU a minibatch is one recorded sequence of operations
// (arithmetic/gpu/device_step.h), and the next batch is brought there while the update still runs. Differences between
// IPPO and MAPPO are settings of the critic (modules/critic_layout.h). Every gradient step is one flat Adam step;
// nothing is read back from the device before the update ends, target_kl excepted (once an epoch).
#ifndef TROUPE_LEARNER_ALGORITHMS_MAPPO_H_
#define TROUPE_LEARNER_ALGORITHMS_MAPPO_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/modules/actor_rows.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/algorithms/modules/rank_share.h"
#include "learner/algorithms/modules/value_norm.h"
#include "learner/arithmetic/blocks/block_step.h"
#include "learner/arithmetic/gpu/device_step.h"
#include "learner/arithmetic/gpu/device_stream.h"
#include "learner/arithmetic/gpu/upload_buffers.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/networks/flat_adam.h"
#include "learner/arithmetic/networks/update_totals.h"
#include "learner/arithmetic/objectives/losses.h"

namespace troupe {

class Mappo : public Algorithm {
 public:
  // INVALID_ARGUMENT naming the setting or group that this version cannot train (continuous actions).
  static absl::StatusOr<std::unique_ptr<Algorithm>> Create(const AlgorithmContext& context);

  absl::StatusOr<UpdateStatistics> Update(const TrainingBatch& batch, const UpdateProgress& progress) override;
  void PrefetchFrom(NextBatch next_batch) override { next_batch_ = std::move(next_batch); }
  std::string arithmetic() const override { return arithmetic_; }
  PolicyWeights ExportPolicy(uint64_t policy_version) const override;
  std::vector<HostTensor> SaveState() const override;
  absl::Status LoadState(absl::Span<const HostTensor> state) override;

 private:
  struct Actor {
    PolicySpec policy;
    DenseStack stack;
    FlatAdam optimizer;
  };
  struct Critic {
    CriticLayout layout;
    DenseStack stack;
    FlatAdam optimizer;
    ValueNorm value_norm;
  };
  // What of a batch does not depend on the networks, on the device.
  struct BatchInputs {
    std::vector<ActorRows> actors;
    std::vector<at::Tensor> critics;  // [states, rows_per_step · input] each
  };
  // What training on a device needs beside the networks.
  struct DeviceSide {
    DeviceStream stream;
    UploadBuffers uploads;
    DeviceStep step;  // the actors, then the critics
    bool tf32 = false;
    std::optional<std::pair<const TrainingBatch*, BatchInputs>> prefetched;
  };
  // A batch's values and what is learnt from them, on the host.
  struct CriticData {
    at::Tensor inputs;          // [states, rows_per_step · input], on the device
    std::vector<float> values;  // [states, columns], the network's outputs
    ValueStreams streams;
    AdvantageEstimates estimates;
    std::vector<int32_t> active_per_step;
    at::Tensor rows;  // [steps, columns · ValueRow::kCount], on the device
  };

  Mappo(const AlgorithmContext& context, std::vector<CriticLayout> layouts);

  // π/μ of each group's actions [T, B, A] for V-trace, else nothing; for the decoupled objective, sets the rows'
  // proximal policy.
  std::vector<std::vector<float>> CorrectLag(const TrainingBatch& batch, std::vector<ActorRows>* actor_rows) const;
  BatchInputs MakeInputs(const TrainingBatch& batch) const;
  CriticData Evaluate(size_t critic, const at::Tensor& inputs);
  void Estimate(const Critic& critic, const TrainingBatch& batch, const std::vector<std::vector<float>>& importance,
                CriticData* data) const;
  // Each critic's targets, over all ranks.
  std::vector<TargetSums> SumTargets(const std::vector<CriticData>& data) const;
  void FinishTargets(const TargetSums& sums, Critic* critic, CriticData* data) const;
  // [steps, agents] of one group, normalised as the settings say.
  std::vector<float> GroupAdvantages(int group, const TrainingBatch& batch, const std::vector<CriticData>& data) const;

  // Learning rates and entropy coefficient at `progress`; sums 0.
  UpdateTotals StartTotals(const UpdateProgress& progress) const;
  // Returns the number of epochs run, fewer than set when target_kl stopped them.
  uint32_t RunEpochs(const std::vector<ActorRows>& actor_rows, const std::vector<CriticData>& data,
                     const RankShare& share, int64_t rollout_length, uint64_t update, UpdateTotals* totals);
  // A gradient step of every network along each minibatch; stops early when ranks_ is no longer OK.
  void StepMinibatches(const std::vector<ActorRows>& actor_rows, const std::vector<CriticData>& data,
                       const std::vector<std::vector<int64_t>>& minibatches, UpdateTotals* totals);
  // What each minibatch's losses are divided by: living rows of every actor, then active ones of every critic, over all
  // ranks, at least 1. [minibatches][actors + critics]
  std::vector<std::vector<double>> Denominators(const std::vector<std::vector<int64_t>>& minibatches,
                                                const std::vector<ActorRows>& actor_rows,
                                                const std::vector<CriticData>& data) const;
  void StepActor(Actor* actor, const ActorRows& rows, const std::vector<int64_t>& steps, bool whole, double denominator,
                 UpdateTotals* totals);
  void StepCritic(Critic* critic, const CriticData& data, const std::vector<int64_t>& steps, bool whole,
                  double denominator, UpdateTotals* totals);
  // A network's gradient and a step's figures, over all ranks.
  void SumOverRanks(const DenseStack& stack, at::Tensor* figures);
  // Sets arithmetic_, and device_side_ where networks are stepped as on a GPU, or blocks_ where all networks can be
  // stepped out of blocks; FAILED_PRECONDITION where compute.precision cannot be had.
  absl::Status PrepareArithmetic();
  absl::Status PrepareBlocks();
  void PrepareDevice();
  // Those brought ahead if they are this batch's, or made now.
  BatchInputs TakeInputs(const TrainingBatch& batch);
  // Makes `rows` and `data` what device_side_ steps on.
  void LoadDevice(const std::vector<ActorRows>& rows, const std::vector<CriticData>& data, int64_t steps);
  // Until the device has finished the update, or the next batch was found and is on its way.
  void PrefetchMeanwhile();
  // The step of all networks at once, where blocks_ is set. denominators [actors + critics].
  void StepBlocks(const std::vector<ActorRows>& actor_rows, const std::vector<CriticData>& data,
                  const std::vector<int64_t>& steps, bool whole, const double* denominators, UpdateTotals* totals);
  PolicyLossSettings PolicyLossWith(double denominator, const UpdateTotals& totals) const;
  ValueLossSettings ValueLossWith(double denominator) const;

  AlgorithmContext context_;
  Collective& ranks_;
  const PpoSettings& ppo_;
  LagCorrection lag_correction_;
  at::Device device_;
  std::vector<Actor> actors_;
  std::vector<Critic> critics_;
  std::string arithmetic_;
  std::unique_ptr<BlockStep> blocks_;  // the critics, then the actors; null where blocks cannot be used
  std::unique_ptr<DeviceSide> device_side_;
  NextBatch next_batch_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MAPPO_H_
