#include "learner/algorithms/q_learning.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/finite.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_bytes.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/rank_share.h"
#include "learner/algorithms/modules/state_check.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

// What the run's seed is mixed with, so that no two uses share a stream.
enum SeedUse : uint64_t { kNetworkInit = 0x71, kMixerInit = 0x6d, kDraw = 0x64 };

constexpr char kStepsTensor[] = "q_learning/gradient_steps";

// Numbers that are not finite would be drawn for as long as the replay keeps them.
bool IsFinite(const TrainingBatch& batch) {
  bool finite = true;
  const auto check = [&](const TrajectoryField&, const auto& values) {
    if constexpr (std::is_same_v<std::decay_t<decltype(values)>, std::vector<float>>) {
      finite = finite && AllFinite(values);
    }
  };
  ForEachField(check, batch);
  for (const GroupBatch& group : batch.groups) ForEachField(check, group);
  return finite;
}

Choices ChoicesOf(const GroupBatch& group) { return {group.discrete_actions.data(), group.alive.data()}; }

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> QLearning::Create(const AlgorithmContext& context) {
  std::unique_ptr<QLearning> made(new QLearning(context));
  RETURN_IF_ERROR(made->Prepare());
  return made;
}

QLearning::QLearning(const AlgorithmContext& context)
    : context_(context),
      ranks_(*context_.ranks),
      settings_(context_.experiment.q_learning()),
      total_(context_.experiment.algorithm().name() == "iql"   ? Total::kEachAgent
             : context_.experiment.algorithm().name() == "vdn" ? Total::kSum
                                                               : Total::kMixer),
      groups_(ValuedGroups(context_.policies)),
      num_agents_(NumAgents(groups_)),
      replay_(static_cast<int64_t>(settings_.replay_bytes())) {}

absl::Status QLearning::Prepare() {
  if (total_ != Total::kEachAgent) {
    RETURN_IF_ERROR(CheckOneTeam(context_.environment, context_.experiment.algorithm().name()));
  }
  const uint64_t seed = context_.experiment.seed();
  ChunkShape shape = ChunkShapeOf(context_.experiment, context_.policies);
  shape.copies *= static_cast<int>(context_.experiment.collection().num_shards());
  shape.half_observations = false;
  if (const size_t batch = ChunkBytes(context_.environment, shape, 0); batch > settings_.replay_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("q_learning.replay_bytes: ", settings_.replay_bytes(), ", but a batch alone is ", batch,
                     " bytes (collection.num_shards × copies_per_shard × rollout_length steps)"));
  }
  const AdamSettings adam{.epsilon = settings_.adam_epsilon(), .max_gradient_norm = settings_.max_gradient_norm()};
  std::vector<NetworkPlan> plans;
  for (const bool is_target : {false, true}) {
    for (size_t g = 0; g < groups_.size(); ++g) {
      // Targets begin as copies: drawn with the same key.
      plans.push_back(ValuePlan(groups_[g], is_target ? "target" : "values", MixKey({seed, kNetworkInit, g}),
                                /*is_stepped=*/!is_target, adam));
    }
  }
  ArithmeticOptions options = context_.arithmetic;
  options.compute = context_.experiment.compute();
  ASSIGN_OR_RETURN(arithmetic_, CreateArithmetic(std::move(plans), options, &ranks_));
  if (total_ == Total::kMixer) {
    CriticSettings sees_all;
    sees_all.set_input(GLOBAL_STATE);
    sees_all.set_heads(TEAM);
    ASSIGN_OR_RETURN(const std::vector<CriticLayout> layouts, MakeCriticLayouts(sees_all, context_.environment));
    state_layout_ = layouts.front();
    if (context_.environment.state_size() == 0) {
      return absl::InvalidArgumentError(absl::StrCat("algorithm.name: qmix mixes by the global state, and \"",
                                                     context_.environment.name, "\" has none; expected vdn or iql"));
    }
    mixer_ = std::make_unique<MonotonicMixer>(
        MonotonicMixerSpec{.agents = static_cast<int>(num_agents_),
                           .state_size = context_.environment.state_size(),
                           .embedding = static_cast<int>(settings_.mixer_embedding()),
                           .hypernetwork_size = static_cast<int>(settings_.hypernetwork_size()),
                           .optimizer = adam},
        MixKey({seed, kMixerInit}), &ranks_);
  }
  return absl::OkStatus();
}

absl::StatusOr<UpdateStatistics> QLearning::Update(const TrainingBatch& batch, const UpdateProgress& progress) {
  RETURN_IF_ERROR(CheckBatch(context_.environment, batch, ChunkShapeOf(context_.experiment, context_.policies)));
  RETURN_IF_ERROR(CheckStreams(batch));
  const RankShare of_all = FindRankShare(batch.columns, &ranks_);
  const ReplayShare share{of_all.first_column, of_all.columns, of_all.all_columns};
  std::array<double, 2> sums = {static_cast<double>(ReplayStore::Bytes(batch)), IsFinite(batch) ? 0.0 : 1.0};
  ranks_.Sum(absl::MakeSpan(sums));
  RETURN_IF_ERROR(ranks_.status());
  const bool is_finite = sums[1] == 0;
  if (is_finite) RETURN_IF_ERROR(replay_.Add(batch, static_cast<int64_t>(sums[0])));
  const double kept = static_cast<double>(replay_.end() - replay_.first()) * batch.rollout_length * share.all;
  const bool begins = kept >= settings_.learning_starts() || replay_.first() > 0;
  Figures figures;
  for (uint32_t i = 0; is_finite && begins && i < settings_.gradient_steps(); ++i) {
    Step(share, MixKey({context_.experiment.seed(), kDraw, progress.update, i}), &figures);
    RETURN_IF_ERROR(ranks_.status());
  }
  return Summarize(progress, figures, kept, is_finite ? 0 : settings_.gradient_steps());
}

void QLearning::Step(const ReplayShare& share, uint64_t key, Figures* figures) {
  const ReplaySample sample = GatherSample(replay_, replay_.Draw(key, settings_.minibatch_size(), share),
                                           {.n = static_cast<int>(settings_.n_step()),
                                            .discount = settings_.discount(),
                                            .team_reward = context_.experiment.critic().team_reward()});
  const int64_t steps = sample.states.columns;
  SendRows(sample.states);
  std::vector<float> chosen(steps * num_agents_), next(steps * num_agents_);
  if (steps > 0) InferValues(sample, &chosen, &next);
  const std::vector<float> slopes = Slopes(sample, chosen, next, figures);
  // Losses are means over the joint steps that all ranks have drawn.
  const double drawn = settings_.minibatch_size();
  Epoch epoch;
  epoch.minibatches = {std::vector<int64_t>(steps)};
  for (size_t g = 0; g < groups_.size(); ++g) {
    WriteSlopes(groups_[g], steps, ChoicesOf(sample.states.groups[g]), slopes.data(), num_agents_,
                arithmetic_->fields(g));
    arithmetic_->LoadFields(g);
    epoch.networks.push_back(
        {.learning_rate = settings_.learning_rate(), .denominators = std::vector<double>(groups_[g].map.sets, drawn)});
  }
  epoch.networks.resize(2 * groups_.size());
  if (mixer_ != nullptr) {
    const MonotonicMixer::Step step = mixer_->TakeStep(settings_.learning_rate(), drawn);
    figures->mixer_norm += step.skipped ? 0 : step.gradient_norm;
    figures->mixer_steps += step.skipped ? 0 : 1;
  }
  arithmetic_->RunEpoch(epoch);
  ++steps_taken_;
  FollowWithTargets();
}

void QLearning::SendRows(const TrainingBatch& states) {
  const int64_t steps = states.columns;
  arithmetic_->BeginRows(nullptr);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ValuedGroup& group = groups_[g];
    const float* const observations = states.groups[g].observations.data();
    // Row 0 of the sample, where gradients are taken, and row 1.
    const RowMemory own = arithmetic_->Rows(g, 2 * steps, steps);
    WriteActorInputs(group.policy, group.map, observations, nullptr, 2 * steps, 0, 2 * steps, own.inputs);
    arithmetic_->SendRows(g);
    const int64_t first = steps * group.policy.num_agents * group.policy.observation_size;
    const RowMemory targets = arithmetic_->Rows(TargetNetwork(g), steps, 0);
    WriteActorInputs(group.policy, group.map, observations + first, nullptr, steps, 0, steps, targets.inputs);
    arithmetic_->SendRows(TargetNetwork(g));
  }
  arithmetic_->UseRows();
}

void QLearning::InferValues(const ReplaySample& sample, std::vector<float>* chosen, std::vector<float>* next) {
  const int64_t steps = sample.states.columns;
  std::vector<float> own, targets;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ValuedGroup& group = groups_[g];
    const GroupBatch& batch = sample.states.groups[g];
    const int64_t agents = group.policy.num_agents, actions = group.policy.action_size;
    arithmetic_->Infer(g, &own);
    arithmetic_->Infer(TargetNetwork(g), &targets);
    ReadChosen(group, own, 2 * steps, steps, ChoicesOf(batch), num_agents_, chosen->data());
    for (int64_t step = 0; step < steps; ++step) {
      for (int64_t agent = 0; agent < agents; ++agent) {
        const int64_t row = (steps + step) * agents + agent;
        const float* const by_target = targets.data() + group.ValuesAt(agent, step, steps);
        const float* const by_own = own.data() + group.ValuesAt(agent, steps + step, 2 * steps);
        const int64_t best =
            BestAction(settings_.double_q() ? by_own : by_target, batch.action_masks.data() + row * actions, actions);
        (*next)[step * num_agents_ + group.first + agent] = batch.alive[row] != 0 ? by_target[best] : 0.0f;
      }
    }
  }
}

std::vector<float> QLearning::Slopes(const ReplaySample& sample, const std::vector<float>& chosen,
                                     const std::vector<float>& next, Figures* figures) {
  const int64_t steps = sample.states.columns;
  const auto scale = static_cast<float>(settings_.reward_scale());
  const auto note = [&](float value, float target) {
    figures->squared_errors += (value - target) * (value - target);
    figures->chosen += value;
    figures->targets += target;
    figures->errors += 1;
    return value - target;
  };
  std::vector<float> slopes(chosen.size());
  if (total_ == Total::kEachAgent) {
    for (const ValuedGroup& group : groups_) {
      const GroupBatch& batch = sample.states.groups[&group - groups_.data()];
      const int64_t agents = group.policy.num_agents;
      for (int64_t i = 0; i < steps * agents; ++i) {
        if (batch.alive[i] == 0) continue;
        const int64_t at = i / agents * num_agents_ + group.first + i % agents;
        slopes[at] = note(chosen[at], scale * batch.rewards[i] + sample.discounts[i / agents] * next[at]);
      }
    }
    return slopes;
  }
  // The team's values: sums, or what the mixing networks make of them.
  const auto sums_of = [&](const std::vector<float>& values) {
    std::vector<float> sums(steps);
    for (size_t i = 0; i < values.size(); ++i) sums[i / num_agents_] += values[i];
    return sums;
  };
  std::vector<float> states(mixer_ == nullptr ? 0 : 2 * steps * state_layout_.stack.input_size);
  std::vector<float> targets;
  if (mixer_ == nullptr) {
    targets = sums_of(next);
  } else {
    WriteCriticInputs(state_layout_, context_.environment, sample.states, states.data());
    targets = mixer_->TargetTotals({next.data(), states.data() + states.size() / 2, steps});
  }
  for (int64_t i = 0; i < steps; ++i) {
    targets[i] = scale * sample.team_rewards[i] + sample.discounts[i] * targets[i];
  }
  if (mixer_ != nullptr) {
    MonotonicMixer::Gradient gradient = mixer_->Differentiate({chosen.data(), states.data(), steps}, targets);
    for (int64_t i = 0; i < steps; ++i) note(gradient.totals[i], targets[i]);
    return std::move(gradient.slopes);
  }
  const std::vector<float> totals = sums_of(chosen);
  for (int64_t i = 0; i < steps; ++i) {
    std::fill_n(slopes.begin() + i * num_agents_, num_agents_, note(totals[i], targets[i]));
  }
  return slopes;
}

void QLearning::FollowWithTargets() {
  const bool by_rate = settings_.has_target_rate();
  if (!by_rate && steps_taken_ % settings_.target_interval() != 0) return;
  const double rate = by_rate ? settings_.target_rate() : 1.0;
  for (size_t g = 0; g < groups_.size(); ++g) arithmetic_->Blend(g, TargetNetwork(g), rate);
  if (mixer_ != nullptr) mixer_->BlendTarget(rate);
}

UpdateStatistics QLearning::Summarize(const UpdateProgress& progress, Figures figures, double env_steps_kept,
                                      double left_out) {
  std::array<double, 4> sums = {figures.squared_errors, figures.chosen, figures.targets, figures.errors};
  ranks_.Sum(absl::MakeSpan(sums));
  const double errors = std::max(1.0, sums[3]);
  const StepsTaken taken = SumUpSteps(arithmetic_->TakeFigures(), groups_.size());
  UpdateStatistics statistics{{{"value_loss", sums[0] / errors},
                               {"chosen_value", sums[1] / errors},
                               {"target_value", sums[2] / errors},
                               {"actor_gradient_norm", taken.gradient_norm}}};
  if (mixer_ != nullptr) {
    statistics.values.emplace_back("mixer_gradient_norm", figures.mixer_norm / std::max(1.0, figures.mixer_steps));
  }
  statistics.values.insert(statistics.values.end(), {{"epsilon", EpsilonOf(progress)},
                                                     {"learning_rate", settings_.learning_rate()},
                                                     {"replay_env_steps", env_steps_kept},
                                                     {"gradient_steps", static_cast<double>(steps_taken_)},
                                                     {"skipped_minibatches", std::max(left_out, taken.skipped)}});
  return statistics;
}

double QLearning::EpsilonOf(const UpdateProgress& progress) const {
  return EpsilonAt(settings_.epsilon(), settings_.final_epsilon(), settings_.epsilon_env_steps(), progress.env_steps);
}

PolicySnapshot QLearning::ExportPolicy(const UpdateProgress& progress) const {
  return ExportValues(*arithmetic_, groups_, progress.update, EpsilonOf(progress));
}

std::vector<HostTensor> QLearning::SaveState() const {
  std::vector<HostTensor> state;
  for (size_t n = 0; n < 2 * groups_.size(); ++n) arithmetic_->Save(n, &state);
  if (mixer_ != nullptr) mixer_->Save(&state);
  HostTensor steps{.name = kStepsTensor, .data_type = DataType::kInt64, .shape = {1}, .bytes = {}};
  const auto taken = static_cast<int64_t>(steps_taken_);
  steps.bytes.resize(sizeof(taken));
  std::memcpy(steps.bytes.data(), &taken, sizeof(taken));
  state.push_back(std::move(steps));
  return state;
}

absl::Status QLearning::LoadState(absl::Span<const HostTensor> given) {
  ASSIGN_OR_RETURN(const std::vector<HostTensor> state, CheckState(SaveState(), given));
  for (size_t n = 0; n < 2 * groups_.size(); ++n) arithmetic_->Load(n, state);
  if (mixer_ != nullptr) mixer_->Load(state);
  int64_t taken = 0;
  std::memcpy(&taken, state.back().bytes.data(), sizeof(taken));
  steps_taken_ = static_cast<uint64_t>(taken);
  // A run that begins, with other actors perhaps, has nothing to miss.
  if (replay_.end() == 0 && steps_taken_ > 0) {
    context_.arithmetic.warn(
        absl::StrCat("the replay is not part of checkpoints and fills anew: networks are trained on when it holds ",
                     settings_.learning_starts(), " environment steps (q_learning.learning_starts)"));
  }
  return absl::OkStatus();
}

}  // namespace troupe
