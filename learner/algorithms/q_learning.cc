#include "learner/algorithms/q_learning.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_bytes.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/rank_share.h"
#include "learner/algorithms/modules/state_check.h"
#include "learner/algorithms/schedules.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

// What the run's seed is mixed with, so that no two uses share a stream.
enum SeedUse : uint64_t { kNetworkInit = 0x71, kMixerInit = 0x6d, kDraw = 0x64 };

constexpr char kStepsTensor[] = "q_learning/gradient_steps";

// Batches that come in from one checkpoint to the next, rounded up.
uint64_t BatchesOfACheckpoint(const Experiment& experiment) {
  const CollectionSettings& collection = experiment.collection();
  const uint64_t steps =
      uint64_t{collection.num_shards()} * collection.copies_per_shard() * collection.rollout_length();
  return experiment.checkpoint().interval_env_steps() / steps + 1;
}

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
      num_agents_(NumAgents(groups_)) {
  for (const ValuedGroup& group : groups_) recurrent_ |= group.policy.stack.is_recurrent();
}

absl::Status QLearning::Prepare() {
  const uint64_t seed = context_.experiment.seed();
  ChunkShape shape = ChunkShapeOf(context_.experiment, context_.policies);
  shape.copies *= static_cast<int>(context_.experiment.collection().num_shards());
  shape.half_observations = false;
  const size_t batch = ChunkBytes(context_.environment, shape, 0);
  if (batch > settings_.replay_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("q_learning.replay_bytes: ", settings_.replay_bytes(), ", but a batch alone is ", batch,
                     " bytes (collection.num_shards × copies_per_shard × rollout_length steps)"));
  }
  ReplayMemorySettings replay{
      .most_bytes = static_cast<int64_t>(settings_.replay_bytes()),
      .every = recurrent_ ? sequences().recorded_every : 1,
      .is_prioritised = settings_.priority_exponent() > 0,
      .priorities = {.exponent = settings_.priority_exponent(), .offset = settings_.priority_offset()},
      .batch_bytes = static_cast<int64_t>(batch),
      // The newest checkpoint's, and one's before it.
      .remembered_batches = 2 * BatchesOfACheckpoint(context_.experiment) + 4,
      .tell = context_.tell,
      .warn = context_.arithmetic.warn};
  if (settings_.keep_replay()) {
    if (ranks_.size() > 1) {
      return absl::InvalidArgumentError("q_learning.keep_replay: true, but several learners train this run together");
    }
    if (context_.run_folder.empty()) {
      return absl::InvalidArgumentError("q_learning.keep_replay: true, but there is no run folder to keep it in");
    }
    replay.folder = context_.run_folder + "/replay";
    context_.tell(absl::StrCat("the replay is kept in ", replay.folder, ": at most ",
                               (ReplayMemory::MostDiskBytes(replay) >> 20) + 1, " MiB of disk"));
  }
  replay_ = std::make_unique<ReplayMemory>(std::move(replay), &ranks_);
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
  return total_ == Total::kMixer ? PrepareMixer(adam) : absl::OkStatus();
}

absl::Status QLearning::PrepareMixer(const AdamSettings& optimizer) {
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
                         .state_layer_norm = settings_.mixer_state_layer_norm(),
                         .optimizer = optimizer},
      MixKey({context_.experiment.seed(), kMixerInit}), &ranks_);
  return absl::OkStatus();
}

absl::Status QLearning::CheckOwn(const TrainingBatch& batch) const {
  RETURN_IF_ERROR(CheckBatch(context_.environment, batch, ChunkShapeOf(context_.experiment, context_.policies)));
  return CheckStreams(batch);
}

absl::StatusOr<UpdateStatistics> QLearning::Update(const TrainingBatch& batch, const UpdateProgress& progress) {
  RETURN_IF_ERROR(CheckOwn(batch));
  const RankShare of_all = FindRankShare(batch.columns, &ranks_);
  const ReplayShare share{of_all.first_column, of_all.columns, of_all.all_columns};
  ASSIGN_OR_RETURN(const bool is_finite, replay_->Add(batch));
  const ReplayStore& store = replay_->store();
  const double kept = static_cast<double>(store.end() - store.first()) * batch.rollout_length * share.all;
  const bool begins = kept >= settings_.learning_starts() || replay_->is_full();
  Figures figures;
  for (uint32_t i = 0; is_finite && begins && i < settings_.gradient_steps(); ++i) {
    Step(share, MixKey({context_.experiment.seed(), kDraw, progress.update, i}), progress, &figures);
    RETURN_IF_ERROR(ranks_.status());
  }
  return Summarize(progress, figures, kept, is_finite ? 0 : settings_.gradient_steps());
}

void QLearning::Step(const ReplayShare& share, uint64_t key, const UpdateProgress& progress, Figures* figures) {
  const double exponent = settings_.importance_exponent();
  const ReplayMemory::Drawn drawn = replay_->Draw(
      key, num_drawn(),
      exponent + FractionDone(progress, progress.total_env_steps) * (settings_.final_importance_exponent() - exponent),
      share);
  const ValueSample sample = Sample(drawn);
  const int64_t steps = sample.steps();
  SendRows(sample);
  std::vector<float> chosen(steps * num_agents_), next(steps * num_agents_);
  if (steps > 0) InferValues(sample, &chosen, &next);
  const Slopes found = FindSlopes(sample, chosen, next, figures);
  // Losses are means over the joint steps that all ranks train on.
  double trained = static_cast<double>(num_drawn());
  if (recurrent_) {
    trained = static_cast<double>(sample.num_trained());
    ranks_.Sum(absl::MakeSpan(&trained, 1));
    trained = std::max(1.0, trained);
  }
  const double learning_rate = LearningRateOf(progress);
  Epoch epoch;
  epoch.minibatches = {std::vector<int64_t>(steps)};
  if (recurrent_) epoch.sequences = {std::vector<int64_t>(sample.timeline->num_sequences())};
  for (size_t g = 0; g < groups_.size(); ++g) {
    const GroupBatch& batch = sample.states.groups[g];
    WriteSlopes(groups_[g], steps, {batch.discrete_actions.data(), batch.alive.data()}, found.slopes.data(),
                num_agents_, arithmetic_->fields(g));
    arithmetic_->LoadFields(g);
    epoch.networks.push_back(
        {.learning_rate = learning_rate, .denominators = std::vector<double>(groups_[g].map.sets, trained)});
  }
  epoch.networks.resize(2 * groups_.size());
  if (mixer_ != nullptr) {
    const MonotonicMixer::Step step = mixer_->TakeStep(learning_rate, trained);
    figures->mixer_norm += step.skipped ? 0 : step.gradient_norm;
    figures->mixer_steps += step.skipped ? 0 : 1;
    figures->mixer_skipped += step.skipped ? 1 : 0;
    // It is one loss: what the mixer may not follow, agents may not either.
    for (size_t g = 0; step.skipped && g < groups_.size(); ++g) {
      epoch.networks[g].stepped.assign(groups_[g].map.sets, 0);
    }
  }
  arithmetic_->RunEpoch(epoch);
  NoteErrors(drawn, sample, found.errors);
  ++steps_taken_;
  FollowWithTargets();
}

void QLearning::NoteErrors(const ReplayMemory::Drawn& drawn, const ValueSample& sample,
                           const std::vector<float>& errors) {
  const std::vector<std::optional<double>> of_columns = ColumnErrors(sample, errors, settings_.priority_max_share());
  for (size_t i = 0; i < drawn.places.size(); ++i) {
    if (of_columns[i].has_value()) replay_->SetError(drawn.places[i], *of_columns[i]);
  }
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
  statistics.values.insert(statistics.values.end(),
                           {{"epsilon", EpsilonOf(progress)},
                            {"learning_rate", LearningRateOf(progress)},
                            {"replay_env_steps", env_steps_kept},
                            {"gradient_steps", static_cast<double>(steps_taken_)},
                            {"skipped_minibatches", std::max({left_out, taken.skipped, figures.mixer_skipped})}});
  return statistics;
}

double QLearning::EpsilonOf(const UpdateProgress& progress) const {
  return EpsilonAt(settings_.epsilon(), settings_.final_epsilon(), settings_.epsilon_env_steps(), progress.env_steps);
}

double QLearning::LearningRateOf(const UpdateProgress& progress) const {
  return settings_.learning_rate() *
         LearningRateDecay(progress, settings_.anneal_learning_rate(), progress.total_env_steps);
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
  replay_->Save(&state);
  return state;
}

absl::Status QLearning::GoBackTo(absl::Span<const HostTensor> given) {
  const auto without_replay = [](std::vector<HostTensor> tensors) {
    std::erase_if(tensors, &ReplayMemory::IsOwn);
    return tensors;
  };
  ASSIGN_OR_RETURN(const std::vector<HostTensor> state,
                   CheckState(without_replay(SaveState()), without_replay({given.begin(), given.end()})));
  for (size_t n = 0; n < 2 * groups_.size(); ++n) arithmetic_->Load(n, state);
  if (mixer_ != nullptr) mixer_->Load(state);
  int64_t taken = 0;
  std::memcpy(&taken, state.back().bytes.data(), sizeof(taken));
  steps_taken_ = static_cast<uint64_t>(taken);
  return absl::OkStatus();
}

absl::Status QLearning::LoadState(absl::Span<const HostTensor> given) {
  RETURN_IF_ERROR(GoBackTo(given));
  const bool has_replay = replay_->Load(given, [this](const TrainingBatch& batch) { return CheckOwn(batch); });
  // A run that begins, with other actors perhaps, has nothing to miss.
  if (!has_replay && replay_->store().end() == 0 && steps_taken_ > 0) {
    context_.arithmetic.warn(
        absl::StrCat("the replay is not part of this checkpoint and fills anew: networks are trained on when it holds ",
                     settings_.learning_starts(), " environment steps (q_learning.learning_starts)"));
  }
  return absl::OkStatus();
}

}  // namespace troupe
