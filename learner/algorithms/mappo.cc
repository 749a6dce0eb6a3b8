#include "learner/algorithms/mappo.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/minibatches.h"
#include "learner/arithmetic/networks/update_totals.h"

namespace troupe {
namespace {

// What the run's seed is mixed with, so that no two uses share a stream.
enum SeedUse : uint64_t { kActorInit = 0x61, kCriticInit = 0x63, kShuffle = 0x73 };

LagCorrection ResolveLagCorrection(const Experiment& experiment) {
  if (experiment.ppo().lag_correction() != LAG_CORRECTION_UNSPECIFIED) return experiment.ppo().lag_correction();
  return experiment.collection().mode() == ASYNCHRONOUS ? DECOUPLED : NONE;
}

FlatAdam::Options OptimizerOptions(const PpoSettings& ppo) {
  return {
      .epsilon = ppo.adam_epsilon(), .weight_decay = ppo.weight_decay(), .max_gradient_norm = ppo.max_gradient_norm()};
}

UpdateStatistics Summarize(const UpdateTotals& totals, double explained_variance, uint32_t epochs) {
  const at::Tensor actor_host = totals.actor.to(at::kCPU), critic_host = totals.critic.to(at::kCPU);
  const float* actor = actor_host.const_data_ptr<float>();
  const float* critic = critic_host.const_data_ptr<float>();
  const double actor_steps = std::max(1.0f, actor[PolicyLossResult::kCount + 1]),
               critic_steps = std::max(1.0f, critic[2]);
  UpdateStatistics statistics;
  statistics.values = {{"policy_loss", actor[PolicyLossResult::kSurrogate] / actor_steps},
                       {"value_loss", critic[0] / critic_steps},
                       {"entropy", actor[PolicyLossResult::kEntropy] / actor_steps},
                       {"approx_kl", actor[PolicyLossResult::kApproxKl] / actor_steps},
                       {"clip_fraction", actor[PolicyLossResult::kClipFraction] / actor_steps},
                       {"explained_variance", explained_variance},
                       {"actor_gradient_norm", actor[PolicyLossResult::kCount] / actor_steps},
                       {"critic_gradient_norm", critic[1] / critic_steps},
                       {"learning_rate", totals.actor_learning_rate},
                       {"critic_learning_rate", totals.critic_learning_rate},
                       {"entropy_coefficient", totals.entropy_coefficient},
                       {"epochs", static_cast<double>(epochs)},
                       {"skipped_minibatches", totals.skipped.item<float>()}};
  return statistics;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> Mappo::Create(const AlgorithmContext& context) {
  if (context.policies.size() != context.environment.groups.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(context.policies.size(), " policies for ", context.environment.groups.size(), " agent groups"));
  }
  for (const PolicySpec& policy : context.policies) {
    if (policy.action_kind == ActionKind::kDiscrete) continue;
    return absl::InvalidArgumentError(absl::StrCat("group \"", policy.group,
                                                   "\" has continuous actions, which algorithm.name \"mappo\" does not "
                                                   "support in this version; expected discrete actions"));
  }
  ASSIGN_OR_RETURN(std::vector<CriticLayout> layouts,
                   MakeCriticLayouts(context.experiment.critic(), context.environment));
  std::unique_ptr<Mappo> mappo(new Mappo(context, std::move(layouts)));
  RETURN_IF_ERROR(mappo->PrepareArithmetic());
  return mappo;
}

Mappo::Mappo(const AlgorithmContext& context, std::vector<CriticLayout> layouts)
    : context_(context),
      ranks_(*context_.ranks),
      ppo_(context_.experiment.ppo()),
      lag_correction_(ResolveLagCorrection(context_.experiment)),
      device_(context_.device) {
  const uint64_t seed = context_.experiment.seed();
  for (size_t g = 0; g < context_.policies.size(); ++g) {
    DenseStack stack(context_.policies[g].stack, MixKey({seed, kActorInit, g}), device_);
    FlatAdam optimizer(stack.parameters(), OptimizerOptions(ppo_));
    actors_.push_back({context_.policies[g], std::move(stack), std::move(optimizer)});
  }
  for (size_t c = 0; c < layouts.size(); ++c) {
    DenseStack stack(layouts[c].stack, MixKey({seed, kCriticInit, c}), device_);
    FlatAdam optimizer(stack.parameters(), OptimizerOptions(ppo_));
    critics_.push_back(
        {std::move(layouts[c]), std::move(stack), std::move(optimizer), ValueNorm(ppo_.value_normalization())});
  }
}

UpdateTotals Mappo::StartTotals(const UpdateProgress& progress) const {
  const double done = progress.total_env_steps == 0
                          ? 0.0
                          : std::min(1.0, static_cast<double>(progress.env_steps) / progress.total_env_steps);
  const double decay = ppo_.anneal_learning_rate() ? 1.0 - done : 1.0;
  UpdateTotals totals = device_side_ != nullptr ? device_side_->step.ClearTotals() : UpdateTotals(device_);
  totals.actor_learning_rate = ppo_.actor_learning_rate() * decay;
  totals.critic_learning_rate = ppo_.critic_learning_rate() * decay;
  totals.entropy_coefficient = ppo_.entropy_coefficient();
  if (ppo_.has_final_entropy_coefficient()) {
    totals.entropy_coefficient += done * (ppo_.final_entropy_coefficient() - ppo_.entropy_coefficient());
  }
  return totals;
}

void Mappo::StepMinibatches(const std::vector<ActorRows>& actor_rows, const std::vector<CriticData>& data,
                            const std::vector<std::vector<int64_t>>& minibatches, UpdateTotals* totals) {
  const std::vector<std::vector<double>> denominators = Denominators(minibatches, actor_rows, data);
  if (device_side_ != nullptr) return device_side_->step.RunEpoch(minibatches, denominators, *totals);
  const bool whole = minibatches.size() == 1;
  for (size_t m = 0; m < minibatches.size(); ++m) {
    const double* denominator = denominators[m].data();
    if (blocks_ != nullptr) {
      StepBlocks(actor_rows, data, minibatches[m], whole, denominator, totals);
    } else {
      for (size_t g = 0; g < actors_.size(); ++g) {
        StepActor(&actors_[g], actor_rows[g], minibatches[m], whole, *denominator++, totals);
      }
      for (size_t c = 0; c < critics_.size(); ++c) {
        StepCritic(&critics_[c], data[c], minibatches[m], whole, *denominator++, totals);
      }
    }
    totals->EndMinibatch();
    if (!ranks_.status().ok()) return;
  }
}

uint32_t Mappo::RunEpochs(const std::vector<ActorRows>& actor_rows, const std::vector<CriticData>& data,
                          const RankShare& share, int64_t rollout_length, uint64_t update, UpdateTotals* totals) {
  const uint64_t seed = context_.experiment.seed();
  for (uint32_t epoch = 0; epoch < ppo_.epochs(); ++epoch) {
    const at::Tensor before = totals->actor.clone();
    const auto minibatches = OwnSteps(share, DealMinibatches(rollout_length * share.all_columns, ppo_.minibatch_size(),
                                                             MixKey({seed, kShuffle, update, epoch})));
    StepMinibatches(actor_rows, data, minibatches, totals);
    if (!ranks_.status().ok()) return epoch;
    if (ppo_.target_kl() <= 0) continue;
    const at::Tensor in_epoch = (totals->actor - before).to(at::kCPU);
    const float* sums = in_epoch.const_data_ptr<float>();
    if (sums[PolicyLossResult::kApproxKl] > ppo_.target_kl() * sums[PolicyLossResult::kCount + 1]) return epoch + 1;
  }
  return ppo_.epochs();
}

absl::StatusOr<UpdateStatistics> Mappo::Update(const TrainingBatch& batch, const UpdateProgress& progress) {
  if (const absl::Status status = CheckBatch(context_.environment, batch); !status.ok()) {
    if (device_side_ != nullptr) device_side_->prefetched.reset();
    return status;
  }
  std::optional<DeviceStream::Scope> scope;
  if (device_side_ != nullptr) scope.emplace(device_side_->stream);
  const RankShare share = FindRankShare(batch.columns, &ranks_);
  BatchInputs inputs = TakeInputs(batch);
  std::vector<ActorRows>& actor_rows = inputs.actors;
  const std::vector<std::vector<float>> importance = CorrectLag(batch, &actor_rows);
  std::vector<CriticData> data;
  if (blocks_ != nullptr) blocks_->Repack();
  for (size_t c = 0; c < critics_.size(); ++c) {
    data.push_back(Evaluate(c, inputs.critics[c]));
    Estimate(critics_[c], batch, importance, &data[c]);
  }
  const std::vector<TargetSums> targets = SumTargets(data);
  double explained_variance = 0;
  for (size_t c = 0; c < critics_.size(); ++c) {
    explained_variance += targets[c].ExplainedVariance() / critics_.size();
    FinishTargets(targets[c], &critics_[c], &data[c]);
  }
  for (size_t g = 0; g < actors_.size(); ++g) {
    actor_rows[g].SetColumn(PolicyRow::kAdvantage, GroupAdvantages(g, batch, data));
  }
  if (device_side_ != nullptr) LoadDevice(actor_rows, data, batch.env_steps());
  UpdateTotals totals = StartTotals(progress);
  const uint32_t epochs = RunEpochs(actor_rows, data, share, batch.rollout_length, progress.update, &totals);
  RETURN_IF_ERROR(ranks_.status());
  if (device_side_ != nullptr) PrefetchMeanwhile();
  return Summarize(totals, explained_variance, epochs);
}

}  // namespace troupe
