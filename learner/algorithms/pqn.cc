// One update:
//   batch ─► values of all actions in all states ─► V = the sum of living agents' best allowed values ─► λ-returns of
//   the team's reward (modules/lambda_returns.h) ─► epochs × minibatches: values of the chosen actions as they now are
//   ─► the slope of ½ (their sum − return)² ─► a step of every group's network
// A dead agent's value counts as 0. Targets are those of the update's start throughout its epochs.
// Recurrent agents go along sequences of collection.sequence_length steps, from what they remembered when they acted;
// minibatches take sequences whole.
//
// Otherwise than in the paper: Adam instead of RAdam; each parameter set has a gradient norm of its own. That networks
// are layer-normalised, which the paper's argument rests on, is policy.hidden_layer_norm.
//
// Workers act ε-greedily with the exported scalar "epsilon".
#include "learner/algorithms/pqn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/action_values.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/lambda_returns.h"
#include "learner/algorithms/modules/minibatches.h"
#include "learner/algorithms/modules/rank_share.h"
#include "learner/algorithms/modules/sequence_cut.h"
#include "learner/algorithms/modules/state_check.h"
#include "learner/algorithms/modules/timeline.h"
#include "learner/algorithms/schedules.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/select/create_arithmetic.h"
#include "learner/batch/team_reward.h"

namespace troupe {
namespace {

// What the run's seed is mixed with, so that no two uses share a stream.
enum SeedUse : uint64_t { kNetworkInit = 0x70, kShuffle = 0x73 };

class Pqn final : public Algorithm {
 public:
  static absl::StatusOr<std::unique_ptr<Algorithm>> Create(const AlgorithmContext& context) {
    std::unique_ptr<Pqn> made(new Pqn(context));
    std::vector<NetworkPlan> plans;
    for (size_t g = 0; g < made->groups_.size(); ++g) {
      plans.push_back(ValuePlan(
          made->groups_[g], "values", MixKey({context.experiment.seed(), kNetworkInit, g}),
          /*is_stepped=*/true,
          {.epsilon = made->settings_.adam_epsilon(), .max_gradient_norm = made->settings_.max_gradient_norm()}));
    }
    ArithmeticOptions options = context.arithmetic;
    options.compute = context.experiment.compute();
    ASSIGN_OR_RETURN(made->arithmetic_, CreateArithmetic(std::move(plans), options, &made->ranks_));
    return made;
  }

  absl::StatusOr<UpdateStatistics> Update(const TrainingBatch& batch, const UpdateProgress& progress) override {
    RETURN_IF_ERROR(CheckBatch(context_.environment, batch, ChunkShapeOf(context_.experiment, context_.policies)));
    if (recurrent_) RETURN_IF_ERROR(CheckStreams(batch));
    const RankShare share = FindRankShare(batch.columns, &ranks_);
    if (recurrent_) {
      timeline_ = MakeTimeline(batch, context_.experiment.collection().sequence_length());
      packing_.emplace(batch);
      packed_ = packing_->Pack(batch);
    }
    const std::vector<float> targets = Targets(batch);
    const double learning_rate =
        settings_.learning_rate() *
        LearningRateDecay(progress, settings_.anneal_learning_rate(), progress.total_env_steps);
    Figures figures;
    for (uint32_t epoch = 0; epoch < settings_.epochs(); ++epoch) {
      const uint64_t key = MixKey({context_.experiment.seed(), kShuffle, progress.update, epoch});
      for (const Minibatch& minibatch : DealEpoch(batch, share, key)) {
        Step(batch, minibatch, targets, learning_rate, &figures);
        RETURN_IF_ERROR(ranks_.status());
      }
    }
    return Summarize(progress, learning_rate, figures);
  }

  std::string arithmetic() const override { return arithmetic_->description(); }
  std::string bits() const override { return arithmetic_->bits(); }

  PolicySnapshot ExportPolicy(const UpdateProgress& progress) const override {
    return ExportValues(*arithmetic_, groups_, progress.update, EpsilonOf(progress));
  }

  std::vector<HostTensor> SaveState() const override {
    std::vector<HostTensor> state;
    for (size_t g = 0; g < groups_.size(); ++g) arithmetic_->Save(g, &state);
    return state;
  }

  absl::Status LoadState(absl::Span<const HostTensor> given) override {
    ASSIGN_OR_RETURN(const std::vector<HostTensor> state, CheckState(SaveState(), given));
    for (size_t g = 0; g < groups_.size(); ++g) arithmetic_->Load(g, state);
    return absl::OkStatus();
  }

  std::vector<std::string> actor_prefixes() const override { return {"values/"}; }

 private:
  // Sums over the joint steps of an update's minibatches.
  struct Figures {
    double squared_errors = 0, chosen = 0, errors = 0;
  };

  // This rank's part of a minibatch.
  struct Minibatch {
    std::vector<int64_t> numbers;  // of joint steps, or of sequences
    double size = 0;               // joint steps of all ranks
  };

  explicit Pqn(const AlgorithmContext& context)
      : context_(context),
        ranks_(*context_.ranks),
        settings_(context_.experiment.pqn()),
        groups_(ValuedGroups(context_.policies)),
        num_agents_(NumAgents(groups_)) {
    for (const ValuedGroup& group : groups_) recurrent_ |= group.policy.stack.is_recurrent();
  }

  double EpsilonOf(const UpdateProgress& progress) const {
    return EpsilonAt(settings_.epsilon(), settings_.final_epsilon(), settings_.epsilon_env_steps(), progress.env_steps);
  }

  // All ranks deal the same minibatches and keep what they hold of each.
  std::vector<Minibatch> DealEpoch(const TrainingBatch& batch, const RankShare& share, uint64_t key) const {
    const int64_t size = settings_.minibatch_size();
    Timeline all{.columns = share.all_columns, .steps = batch.rollout_length};
    if (recurrent_) all.sequence_length = timeline_->sequence_length;
    const int64_t at_once = size == 0 ? 0 : std::max<int64_t>(1, size / all.sequence_length);
    std::vector<std::vector<int64_t>> dealt = DealMinibatches(all.num_sequences(), at_once, key);
    std::vector<Minibatch> minibatches;
    for (const std::vector<int64_t>& numbers : dealt) {
      Minibatch& minibatch = minibatches.emplace_back();
      for (const int64_t number : numbers) minibatch.size += static_cast<double>(all.Length(number));
    }
    dealt = OwnSteps(share, std::move(dealt));
    for (size_t m = 0; m < dealt.size(); ++m) minibatches[m].numbers = std::move(dealt[m]);
    return minibatches;
  }

  // The team's best value in every state of the batch: rows 0 … T, then the truncated episodes' final states.
  std::vector<float> BestValues(const TrainingBatch& batch) {
    const int64_t observed = int64_t{batch.rollout_length + 1} * batch.columns;
    const int64_t finals = static_cast<int64_t>(batch.truncated_at.size()) / 2, states = observed + finals;
    arithmetic_->BeginRows(timeline_);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const ValuedGroup& group = groups_[g];
      const RowMemory rows = arithmetic_->Rows(g, states, 0);
      WriteActorInputs(group.policy, group.map, batch.groups[g].observations.data(), nullptr, observed, 0, states,
                       rows.inputs);
      WriteActorInputs(group.policy, group.map, batch.groups[g].final_observations.data(), nullptr, finals, observed,
                       states, rows.inputs);
      if (rows.remembered != nullptr) {
        WriteActorStates(group.policy, group.map, batch.groups[g], timeline_->num_sequences(), rows);
      }
      arithmetic_->SendRows(g);
    }
    arithmetic_->UseRows();
    std::vector<float> best(states), outputs;
    for (size_t g = 0; g < groups_.size(); ++g) {
      const ValuedGroup& group = groups_[g];
      const GroupBatch& of = batch.groups[g];
      const int64_t agents = group.policy.num_agents, actions = group.policy.action_size;
      arithmetic_->Infer(g, &outputs);
      for (int64_t state = 0; state < states; ++state) {
        const bool is_final = state >= observed;
        const std::vector<uint8_t>& masks = is_final ? of.final_action_masks : of.action_masks;
        const std::vector<uint8_t>& alive = is_final ? of.final_alive : of.alive;
        for (int64_t agent = 0; agent < agents; ++agent) {
          const int64_t row = (is_final ? state - observed : state) * agents + agent;
          if (alive[row] == 0) continue;
          const float* const values = outputs.data() + group.ValuesAt(agent, state, states);
          best[state] += values[BestAction(values, masks.data() + row * actions, actions)];
        }
      }
    }
    return best;
  }

  // What the team's value is trained towards, [steps].
  std::vector<float> Targets(const TrainingBatch& batch) {
    const std::vector<float> best = BestValues(batch);
    const int64_t steps = batch.env_steps(), columns = batch.columns;
    ReturnStreams streams{.steps = batch.rollout_length, .columns = columns, .rewards = std::vector<float>(steps)};
    streams.next_values.assign(best.begin() + columns, best.begin() + columns + steps);
    streams.continues.assign(steps, 1);
    for (int64_t cell = 0; cell < steps; ++cell) {
      streams.rewards[cell] = static_cast<float>(settings_.reward_scale() *
                                                 TeamRewardAt(batch, cell, context_.experiment.critic().team_reward()));
      if (batch.terminated[cell] == 0 && batch.truncated[cell] == 0) continue;
      streams.continues[cell] = 0;
      streams.next_values[cell] = 0.0f;
    }
    for (size_t k = 0; 2 * k < batch.truncated_at.size(); ++k) {
      const int64_t cell = batch.truncated_at[2 * k] * columns + batch.truncated_at[2 * k + 1];
      if (batch.terminated[cell] == 0) streams.next_values[cell] = best[steps + columns + static_cast<int64_t>(k)];
    }
    return LambdaReturns(streams, settings_.discount(), settings_.lambda());
  }

  // A gradient step on a minibatch.
  void Step(const TrainingBatch& batch, const Minibatch& minibatch, const std::vector<float>& targets,
            double learning_rate, Figures* figures) {
    SequenceCut cut;
    if (recurrent_) cut = CutSequences(batch, *packing_, packed_, *timeline_, minibatch.numbers);
    const std::vector<int64_t>& numbers = recurrent_ ? cut.steps : minibatch.numbers;
    const int64_t steps = static_cast<int64_t>(numbers.size());
    std::vector<float> outputs, chosen(steps * num_agents_), slopes(steps * num_agents_);
    std::vector<std::vector<int32_t>> actions;
    std::vector<std::vector<uint8_t>> alive;
    arithmetic_->BeginRows(cut.timeline);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const ValuedGroup& group = groups_[g];
      const GroupBatch& from = recurrent_ ? cut.batch.groups[g] : batch.groups[g];
      const RowMemory rows = arithmetic_->Rows(g, steps, steps);
      WriteActorInputs(group.policy, group.map, from.observations.data(), recurrent_ ? nullptr : numbers.data(), steps,
                       0, steps, rows.inputs);
      if (rows.remembered != nullptr) {
        WriteActorStates(group.policy, group.map, from, cut.timeline->num_sequences(), rows);
      }
      arithmetic_->SendRows(g);
      std::vector<int32_t>& of_group = actions.emplace_back();
      std::vector<uint8_t>& living = alive.emplace_back();
      for (int64_t i = 0; i < steps; ++i) {
        const int64_t step = recurrent_ ? i : numbers[i];
        for (int64_t row = step * group.policy.num_agents; row < (step + 1) * group.policy.num_agents; ++row) {
          of_group.push_back(from.discrete_actions[row]);
          living.push_back(from.alive[row]);
        }
      }
    }
    arithmetic_->UseRows();
    for (size_t g = 0; g < groups_.size() && steps > 0; ++g) {
      arithmetic_->Infer(g, &outputs);
      ReadChosen(groups_[g], outputs, steps, steps, {actions[g].data(), alive[g].data()}, num_agents_, chosen.data());
    }
    for (int64_t i = 0; i < steps; ++i) {
      if (numbers[i] == SequenceCut::kNone) continue;
      float total = 0;
      for (int64_t agent = 0; agent < num_agents_; ++agent) total += chosen[i * num_agents_ + agent];
      const float error = total - targets[numbers[i]];
      std::fill_n(slopes.begin() + i * num_agents_, num_agents_, error);
      if (!std::isfinite(error)) continue;  // its minibatch will be skipped
      figures->squared_errors += error * error;
      figures->chosen += total;
      figures->errors += 1;
    }
    Epoch epoch;
    epoch.minibatches = {std::vector<int64_t>(steps)};
    if (recurrent_) epoch.sequences = {minibatch.numbers};
    for (size_t g = 0; g < groups_.size(); ++g) {
      WriteSlopes(groups_[g], steps, {actions[g].data(), alive[g].data()}, slopes.data(), num_agents_,
                  arithmetic_->fields(g));
      arithmetic_->LoadFields(g);
      epoch.networks.push_back(
          {.learning_rate = learning_rate, .denominators = std::vector<double>(groups_[g].map.sets, minibatch.size)});
    }
    arithmetic_->RunEpoch(epoch);
  }

  UpdateStatistics Summarize(const UpdateProgress& progress, double learning_rate, const Figures& figures) {
    std::array<double, 3> sums = {figures.squared_errors, figures.chosen, figures.errors};
    ranks_.Sum(absl::MakeSpan(sums));
    const StepsTaken taken = SumUpSteps(arithmetic_->TakeFigures(), groups_.size());
    const double errors = std::max(1.0, sums[2]);
    return {{{"value_loss", sums[0] / errors},
             {"chosen_value", sums[1] / errors},
             {"actor_gradient_norm", taken.gradient_norm},
             {"epsilon", EpsilonOf(progress)},
             {"learning_rate", learning_rate},
             {"skipped_minibatches", taken.skipped}}};
  }

  AlgorithmContext context_;
  Collective& ranks_;
  const PqnSettings& settings_;
  const std::vector<ValuedGroup> groups_;
  const int64_t num_agents_;
  bool recurrent_ = false;  // whether some group's agents are
  // Of the batch, where they are.
  std::shared_ptr<const Timeline> timeline_;
  std::optional<StepPacking> packing_;
  std::vector<char> packed_;
  std::unique_ptr<Arithmetic> arithmetic_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> CreatePqn(const AlgorithmContext& context) { return Pqn::Create(context); }

}  // namespace troupe
