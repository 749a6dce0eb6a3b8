#include "learner/algorithms/mappo.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/config/ppo_settings.h"
#include "common/config/self_play_settings.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/minibatches.h"
#include "learner/algorithms/modules/policy_objective.h"
#include "learner/algorithms/modules/state_check.h"
#include "learner/algorithms/modules/trained_rows.h"
#include "learner/algorithms/modules/update_figures.h"
#include "learner/algorithms/schedules.h"
#include "learner/arithmetic/objectives/clipped_value.h"
#include "learner/arithmetic/objectives/gaussian_rows.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

// What the run's seed is mixed with, so that no two uses share a stream.
enum SeedUse : uint64_t { kActorInit = 0x61, kCriticInit = 0x63, kShuffle = 0x73 };

// How long the next batch is waited for before the device is asked again whether it has finished.
constexpr absl::Duration kPoll = absl::Milliseconds(1);

double CountAt(const std::vector<int32_t>& per_step, const std::vector<int64_t>& steps) {
  int64_t count = 0;
  for (const int64_t step : steps) count += per_step[step];
  return static_cast<double>(count);
}

// Means over the steps that sets of networks [first, last) took, those that are wanted.
struct MeanFigures {
  MeanFigures(
      const UpdateFigures& figures, size_t first, size_t last,
      const std::function<bool(size_t)>& wanted = [](size_t) { return true; }) {
    double steps = 0, sets = 0;
    for (size_t n = first; n < last; ++n) {
      if (!wanted(n)) continue;
      for (const SetFigures& set : figures[n]) {
        for (size_t i = 0; i < mean.size(); ++i) mean[i] += set.sums[i], first_minibatch[i] += set.first[i];
        gradient_norm += set.gradient_norm;
        steps += set.steps;
        sets += 1;
      }
    }
    steps = std::max(1.0, steps);
    for (double& value : mean) value /= steps;
    for (double& value : first_minibatch) value /= sets;
    gradient_norm /= steps;
  }

  Objective::Figures mean{}, first_minibatch{};
  double gradient_norm = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> Mappo::Create(const AlgorithmContext& context) {
  if (context.policies.size() != context.environment.groups.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(context.policies.size(), " policies for ", context.environment.groups.size(), " agent groups"));
  }
  OptionView options(context.environment, context.policies);
  ASSIGN_OR_RETURN(std::vector<CriticLayout> layouts,
                   MakeCriticLayouts(context.experiment.critic(), options.environment()));
  std::unique_ptr<Mappo> mappo(new Mappo(context, std::move(options), std::move(layouts)));
  RETURN_IF_ERROR(mappo->PrepareArithmetic());
  return mappo;
}

Mappo::Mappo(const AlgorithmContext& context, OptionView options, std::vector<CriticLayout> layouts)
    : context_(context),
      ranks_(*context_.ranks),
      ppo_(context_.experiment.ppo()),
      lag_correction_(ppo_.lag_correction()),
      options_(std::move(options)) {
  for (size_t g = 0; g < context_.policies.size(); ++g) {
    frozen_.push_back(IsFrozen(context_.experiment, context_.policies[g].group) ? 1 : 0);
    unmanaged_.push_back(options_.has_manager(static_cast<int>(g)) ? frozen_.back() : 1);
  }
  for (const OptionView::Actor& actor : options_.actors()) {
    actors_.push_back({actor, SlotMap(actor.policy), frozen_[actor.group] != 0});
  }
  const auto add = [&](CriticLayout layout, bool of_managers) {
    const int64_t remembered = int64_t{layout.rows_per_step} * layout.stack.state_size();
    const bool frozen = IsFrozen(layout, LeftOut(of_managers));
    critics_.push_back(
        {std::move(layout), ValueNorm(ppo_.value_normalization()), StreamStates(remembered), of_managers, frozen});
  };
  for (const CriticLayout& layout : layouts) add(layout, false);
  for (CriticLayout& layout : layouts) {
    if (!options_.HasManager(layout)) continue;
    layout.name = "managers/" + layout.name;
    add(std::move(layout), true);
  }
  for (const Actor& actor : actors_) recurrent_ |= actor.policy.stack.is_recurrent();
  for (const Critic& critic : critics_) recurrent_ |= critic.layout.stack.is_recurrent();
}

absl::Status Mappo::PrepareArithmetic() {
  const uint64_t seed = context_.experiment.seed();
  const AdamSettings adam{.epsilon = ppo_.adam_epsilon(),
                          .weight_decay = ppo_.weight_decay(),
                          .max_gradient_norm = ppo_.max_gradient_norm()};
  const auto value_loss =
      std::make_shared<ClippedValueObjective>(ValueLossSettings{.huber = ppo_.value_loss() != SQUARED,
                                                                .huber_delta = ppo_.huber_delta(),
                                                                .clip_value = ppo_.clip_value(),
                                                                .clip = ppo_.clip(),
                                                                .coefficient = ppo_.value_coefficient()});
  std::vector<NetworkPlan> plans;
  for (size_t g = 0; g < actors_.size(); ++g) {
    const Actor& actor = actors_[g];
    plans.push_back({.name = "actor/" + actor.policy.group,
                     .stack = actor.policy.stack,
                     .initial_key = MixKey({seed, kActorInit, g}),
                     .rows_per_step = actor.map.slots,
                     .objective = MakePolicyObjective(actor.policy, ppo_.clip()),
                     .optimizer = adam,
                     .free = FreeParametersOf(actor.policy),
                     .hears = PlacesHeard(actor.policy, actor.map)});
  }
  for (size_t c = 0; c < critics_.size(); ++c) {
    const CriticLayout& layout = critics_[c].layout;
    plans.push_back({.name = "critic/" + layout.name,
                     .stack = layout.stack,
                     .initial_key = MixKey({seed, kCriticInit, c}),
                     .rows_per_step = layout.rows_per_step,
                     .objective = value_loss,
                     .optimizer = adam,
                     .finds_states = true});
  }
  ArithmeticOptions options = context_.arithmetic;
  options.compute = context_.experiment.compute();
  ASSIGN_OR_RETURN(arithmetic_, CreateArithmetic(std::move(plans), options, &ranks_));
  return absl::OkStatus();
}

absl::Status Mappo::Check(const TrainingBatch& batch) const {
  RETURN_IF_ERROR(CheckBatch(context_.environment, batch, ChunkShapeOf(context_.experiment, context_.policies)));
  return recurrent_ ? CheckStreams(batch) : absl::OkStatus();
}

absl::StatusOr<UpdateStatistics> Mappo::Update(const TrainingBatch& batch, const UpdateProgress& progress) {
  if (const absl::Status status = Check(batch); !status.ok()) {
    sent_ahead_ = nullptr;
    return status;
  }
  return options_.any() ? TrainOn(options_.See(batch), progress) : TrainOn(batch, progress);
}

absl::StatusOr<UpdateStatistics> Mappo::TrainOn(const TrainingBatch& batch, const UpdateProgress& progress) {
  const RankShare share = FindRankShare(batch.columns, &ranks_);
  UseRows(batch);
  Estimate(batch, CorrectLag(batch));
  // Explained by the values as they were acted on, before the normaliser moves.
  const std::vector<TargetSums> targets = SumTargets();
  std::array<double, 2> explained_variance{}, critics{};  // of policies', of managers' critics
  for (size_t c = 0; c < critics_.size(); ++c) {
    explained_variance[critics_[c].of_managers] += targets[c].ExplainedVariance();
    critics[critics_[c].of_managers] += 1;
    if (ppo_.value_norm_update() == PER_MINIBATCH) continue;  // moves in RunEpochs
    critics_[c].value_norm.Update(targets[c]);
    WriteValueRows(c, std::vector<const ValueNorm*>(batch.env_steps(), &critics_[c].value_norm));
  }
  for (size_t i = 0; i < critics.size(); ++i) explained_variance[i] /= std::max(1.0, critics[i]);
  for (size_t n = 0; n < actors_.size(); ++n) {
    actors_[n].advantages = AdvantagesOf(n, batch);
    WriteActorTargets(n, batch, actors_[n].advantages);
  }
  const Rates rates = RatesAt(progress);
  EpochsDone done = ppo_.update_order() == SEQUENTIAL
                        ? RunInTurn(batch, share, progress.update, rates)
                        : RunEpochs(batch, share, progress.update, rates, ppo_.epochs(), TrainedNetworks());
  RETURN_IF_ERROR(ranks_.status());
  PrefetchMeanwhile();
  return Summarize(rates, std::move(done), explained_variance, static_cast<double>(batch.env_steps()));
}

Mappo::Rates Mappo::RatesAt(const UpdateProgress& progress) const {
  const uint64_t span = ppo_.schedule_env_steps() != 0 ? ppo_.schedule_env_steps() : progress.total_env_steps;
  const double done = FractionDone(progress, span);
  const double decay = LearningRateDecay(progress, ppo_.anneal_learning_rate(), span);
  Rates rates{.actor = ppo_.actor_learning_rate() * decay,
              .critic = ppo_.critic_learning_rate() * decay,
              .entropy_coefficient = ppo_.entropy_coefficient(),
              .noise_scale = ppo_.noise_scale()};
  if (ppo_.has_final_entropy_coefficient()) {
    rates.entropy_coefficient += done * (ppo_.final_entropy_coefficient() - ppo_.entropy_coefficient());
  }
  rates.manager_entropy_coefficient =
      ppo_.has_manager_entropy_coefficient() ? ppo_.manager_entropy_coefficient() : rates.entropy_coefficient;
  if (ppo_.has_final_noise_scale()) rates.noise_scale += done * (ppo_.final_noise_scale() - ppo_.noise_scale());
  return rates;
}

Mappo::Movers Mappo::TrainedNetworks() const {
  Movers movers(actors_.size() + critics_.size());
  for (size_t g = 0; g < actors_.size(); ++g) {
    if (actors_[g].frozen) movers[g].assign(actors_[g].map.sets, 0);
  }
  for (size_t c = 0; c < critics_.size(); ++c) {
    if (critics_[c].frozen) movers[CriticNetwork(c)] = {0};
  }
  return movers;
}

std::vector<std::vector<double>> Mappo::Denominators(const std::vector<std::vector<int64_t>>& minibatches) const {
  std::vector<double> counts;
  for (const Actor& actor : actors_) {
    for (const std::vector<int64_t>& minibatch : minibatches) {
      for (const std::vector<int32_t>& living : actor.living) counts.push_back(CountAt(living, minibatch));
    }
  }
  for (const Critic& critic : critics_) {
    for (const std::vector<int64_t>& minibatch : minibatches) counts.push_back(CountAt(critic.active, minibatch));
  }
  ranks_.Sum(absl::MakeSpan(counts));
  for (double& count : counts) count = std::max(1.0, count);
  std::vector<std::vector<double>> denominators;
  auto next = counts.begin();
  const auto take = [&](size_t sets) {
    const auto begin = next;
    next += static_cast<int64_t>(minibatches.size() * sets);
    denominators.emplace_back(begin, next);
  };
  for (const Actor& actor : actors_) take(actor.living.size());
  for (size_t c = 0; c < critics_.size(); ++c) take(1);
  return denominators;
}

void Mappo::DealEpoch(const TrainingBatch& batch, const RankShare& share, uint64_t key, Epoch* epoch) const {
  const int64_t size = ppo_.minibatch_size();
  if (!recurrent_) {
    epoch->minibatches = OwnSteps(share, DealMinibatches(batch.rollout_length * share.all_columns, size, key));
    return;
  }
  // Sequences are dealt as steps are elsewhere, and each brings its steps along.
  const Timeline& timeline = *timeline_;
  const int64_t sequences = timeline.sequences_per_column() * share.all_columns;
  const int64_t at_once = size == 0 ? 0 : std::max<int64_t>(1, size / timeline.sequence_length);
  epoch->sequences = OwnSteps(share, DealMinibatches(sequences, at_once, key));
  epoch->minibatches.clear();
  for (const std::vector<int64_t>& minibatch : epoch->sequences) {
    std::vector<int64_t>& steps = epoch->minibatches.emplace_back();
    for (const int64_t sequence : minibatch) {
      const int64_t first = timeline.FirstStep(sequence);
      for (int64_t t = 0; t < timeline.Length(sequence); ++t) steps.push_back(first + t * timeline.columns);
    }
  }
  // A minibatch of all steps has them in order.
  if (epoch->minibatches.size() == 1) std::ranges::sort(epoch->minibatches.front());
}

Mappo::EpochsDone Mappo::RunEpochs(const TrainingBatch& batch, const RankShare& share, uint64_t update,
                                   const Rates& rates, uint32_t epochs, Movers movers) {
  const auto is_moved = [&](size_t n) {
    return movers[n].empty() || std::ranges::find(movers[n], 1) != movers[n].end();
  };
  bool any_actor = false, any_critic = false;
  for (size_t n = 0; n < movers.size(); ++n) (n < actors_.size() ? any_actor : any_critic) |= is_moved(n);
  const uint64_t seed = context_.experiment.seed();
  EpochsDone done;
  Epoch epoch;
  epoch.networks.resize(actors_.size() + critics_.size());
  for (size_t n = 0; n < epoch.networks.size(); ++n) {
    epoch.networks[n].learning_rate = n < actors_.size() ? rates.actor : rates.critic;
    if (n < actors_.size()) {
      epoch.networks[n].scalars[kEntropyCoefficient] =
          actors_[n].manages ? rates.manager_entropy_coefficient : rates.entropy_coefficient;
    }
    epoch.networks[n].stepped = movers[n];
  }
  for (uint32_t number = 0; number < epochs; ++number) {
    DealEpoch(batch, share, MixKey({seed, kShuffle, update, number}), &epoch);
    if (any_critic && ppo_.value_norm_update() == PER_MINIBATCH) WriteValueRowsByMinibatch(epoch.minibatches);
    std::vector<std::vector<double>> denominators = Denominators(epoch.minibatches);
    for (size_t n = 0; n < epoch.networks.size(); ++n) epoch.networks[n].denominators = std::move(denominators[n]);
    arithmetic_->RunEpoch(epoch);
    ++done.epochs;
    if (!ranks_.status().ok()) return done;
    if (ppo_.target_kl() <= 0 || !any_actor) continue;
    // A set that has moved far enough stays as it is; once all have, the epochs end, those of critics that are moved
    // beside them with it.
    bool any_moves = false;
    double sum = 0, sets = 0;
    for (size_t g = 0; g < actors_.size(); ++g) {
      if (!is_moved(g)) continue;
      const std::vector<double> kl = MeasureKl(g, batch);
      std::vector<uint8_t>& stepped = epoch.networks[g].stepped;
      stepped.resize(kl.size(), 1);
      for (size_t set = 0; set < kl.size(); ++set) {
        if (!movers[g].empty() && movers[g][set] == 0) continue;
        if (!(kl[set] <= ppo_.target_kl())) stepped[set] = 0;
        any_moves |= stepped[set] != 0;
        sum += kl[set];
        sets += 1;
      }
    }
    done.update_kl = sum / sets;
    if (!any_moves) return done;
  }
  return done;
}

std::vector<double> Mappo::MeasureKl(size_t number, const TrainingBatch& batch) {
  const Actor& actor = actors_[number];
  const GroupBatch& of = PartOf(batch, number);
  const int64_t agents = actor.policy.num_agents, steps = batch.env_steps();
  std::vector<float> outputs;
  arithmetic_->Infer(number, &outputs);
  const std::vector<float> now =
      ActionLogProbabilities(actor.policy, actor.map, of, steps, outputs, arithmetic_->Free(number));
  std::vector<double> sums(2 * actor.living.size());  // of every set: the estimates' sum, the living rows
  for (int64_t i = 0; i < steps * agents; ++i) {
    if (actor.trained[i] == 0) continue;
    double* const of_set = sums.data() + 2 * actor.policy.set_of_agent[i % agents];
    const double log_ratio = static_cast<double>(now[i]) - actor.start_log_probabilities[i];
    of_set[0] += std::expm1(log_ratio) - log_ratio;
    of_set[1] += 1;
  }
  ranks_.Sum(absl::MakeSpan(sums));
  std::vector<double> kl;
  for (size_t set = 0; set < actor.living.size(); ++set) {
    kl.push_back(sums[2 * set] / std::max(1.0, sums[2 * set + 1]));
  }
  return kl;
}

void Mappo::PrefetchMeanwhile() {
  if (!next_batch_ || !arithmetic_->runs_ahead()) return;
  absl::Duration timeout = absl::ZeroDuration();
  do {
    const TrainingBatch* const next = next_batch_(timeout);
    if (next != nullptr) {
      if (!Check(*next).ok()) return;  // its Update says why
      SendRows(*next);
      sent_ahead_ = next;
      return;
    }
    timeout = kPoll;
  } while (arithmetic_->IsBusy());
}

UpdateStatistics Mappo::Summarize(const Rates& rates, EpochsDone done, const std::array<double, 2>& explained_variance,
                                  double env_steps) {
  AddFigures(arithmetic_->TakeFigures(), &done.figures);
  const UpdateFigures& figures = done.figures;
  const auto of_actors = [&](bool manage) {
    return MeanFigures(figures, 0, actors_.size(),
                       [&](size_t n) { return !actors_[n].frozen && actors_[n].manages == manage; });
  };
  const auto of_critics = [&](bool of_managers) {
    return MeanFigures(figures, actors_.size(), figures.size(), [&](size_t n) {
      const Critic& critic = critics_[n - actors_.size()];
      return !critic.frozen && critic.of_managers == of_managers;
    });
  };
  const MeanFigures actor = of_actors(false), critic = of_critics(false);
  const auto is_gaussian = [](const PolicySpec& policy) { return policy.distribution.is_gaussian(); };
  // Minibatches of the set that left out most: a NaN in a batch is usually one for several networks.
  double skipped = 0;
  for (const std::vector<SetFigures>& network : figures) {
    for (const SetFigures& set : network) skipped = std::max(skipped, set.skipped);
  }
  UpdateStatistics statistics;
  statistics.values = {{"policy_loss", actor.mean[PolicyLossSum::kSurrogate]},
                       {"value_loss", critic.mean[ClippedValueObjective::kLoss]},
                       {"entropy", actor.mean[PolicyLossSum::kEntropy]},
                       {"approx_kl", actor.mean[PolicyLossSum::kApproxKl]},
                       {"clip_fraction", actor.mean[PolicyLossSum::kClipFraction]},
                       {"first_approx_kl", actor.first_minibatch[PolicyLossSum::kApproxKl]},
                       {"first_clip_fraction", actor.first_minibatch[PolicyLossSum::kClipFraction]},
                       {"explained_variance", explained_variance[0]},
                       {"actor_gradient_norm", actor.gradient_norm},
                       {"critic_gradient_norm", critic.gradient_norm},
                       {"learning_rate", rates.actor},
                       {"critic_learning_rate", rates.critic},
                       {"entropy_coefficient", rates.entropy_coefficient},
                       {"epochs", static_cast<double>(done.epochs)},
                       {"skipped_minibatches", skipped}};
  if (ppo_.target_kl() > 0) statistics.values.emplace_back("update_kl", done.update_kl);
  if (options_.any()) {
    const MeanFigures manager = of_actors(true), managers_critic = of_critics(true);
    for (const auto& [name, value] :
         {std::pair("policy_loss", manager.mean[PolicyLossSum::kSurrogate]),
          std::pair("value_loss", managers_critic.mean[ClippedValueObjective::kLoss]),
          std::pair("entropy", manager.mean[PolicyLossSum::kEntropy]),
          std::pair("approx_kl", manager.mean[PolicyLossSum::kApproxKl]),
          std::pair("clip_fraction", manager.mean[PolicyLossSum::kClipFraction]),
          std::pair("explained_variance", explained_variance[1]), std::pair("gradient_norm", manager.gradient_norm)}) {
      statistics.values.emplace_back(absl::StrCat("manager_", name), value);
    }
  }
  if (std::any_of(context_.policies.begin(), context_.policies.end(), is_gaussian)) {
    const MeanFigures gaussian(figures, 0, actors_.size(), [&](size_t n) { return is_gaussian(actors_[n].policy); });
    statistics.values.emplace_back("action_std", gaussian.mean[GaussianLossSum::kDeviation]);
  }
  if (lag_correction_ == DECOUPLED) {
    std::array<double, 2> sums{};  // rows whose weight was cut, all rows
    for (const Actor& each : actors_) {
      if (!each.manages) sums[0] += each.capped, sums[1] += env_steps * each.policy.num_agents;
    }
    ranks_.Sum(absl::MakeSpan(sums));
    statistics.values.emplace_back("capped_importance_fraction", sums[0] / sums[1]);
  }
  return statistics;
}

PolicySnapshot Mappo::ExportPolicy(const UpdateProgress& progress) const {
  PolicySnapshot weights{progress.update, {}};
  // Absent means 1: snapshots of runs that do not scale say nothing of it.
  if (ScalesNoise(ppo_)) weights.scalars.push_back({kNoiseScaleScalar, RatesAt(progress).noise_scale});
  for (size_t g = 0; g < actors_.size(); ++g) {
    for (HostTensor& tensor : arithmetic_->Export(g, actors_[g].policy.group)) {
      weights.tensors.push_back(std::move(tensor));
    }
  }
  return weights;
}

std::vector<HostTensor> Mappo::SaveState() const {
  std::vector<HostTensor> state;
  for (size_t g = 0; g < actors_.size(); ++g) arithmetic_->Save(g, &state);
  for (size_t c = 0; c < critics_.size(); ++c) {
    arithmetic_->Save(CriticNetwork(c), &state);
    HostTensor norm{"critic/" + critics_[c].layout.name + "/value_norm",
                    DataType::kFloat64,
                    {3},
                    std::vector<char>(3 * sizeof(double))};
    std::memcpy(norm.bytes.data(), critics_[c].value_norm.state().data(), norm.bytes.size());
    state.push_back(std::move(norm));
  }
  return state;
}

absl::Status Mappo::LoadState(absl::Span<const HostTensor> given) {
  ASSIGN_OR_RETURN(const std::vector<HostTensor> state, CheckState(SaveState(), given));
  for (size_t n = 0; n < actors_.size() + critics_.size(); ++n) arithmetic_->Load(n, state);
  for (Critic& critic : critics_) {
    for (const HostTensor& tensor : state) {
      if (tensor.name != "critic/" + critic.layout.name + "/value_norm") continue;
      std::array<double, 3> moments;
      std::memcpy(moments.data(), tensor.bytes.data(), sizeof(moments));
      critic.value_norm.set_state(moments);
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
