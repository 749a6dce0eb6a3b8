#include "learner/algorithms/maddpg.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/state_check.h"
#include "learner/algorithms/schedules.h"
#include "learner/arithmetic/objectives/chosen_output.h"
#include "learner/arithmetic/objectives/pushed_outputs.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

// What the run's seed is mixed with, so that no two uses share a stream.
enum SeedUse : uint64_t { kActorInit = 0x61, kCriticInit = 0x63, kDraw = 0x64 };

constexpr char kStepsTensor[] = "maddpg/gradient_steps";

}  // namespace

absl::StatusOr<std::unique_ptr<Algorithm>> Maddpg::Create(const AlgorithmContext& context) {
  std::unique_ptr<Maddpg> made(new Maddpg(context));
  RETURN_IF_ERROR(made->Prepare());
  return made;
}

Maddpg::Maddpg(const AlgorithmContext& context)
    : context_(context),
      ranks_(*context_.ranks),
      settings_(context_.experiment.maddpg()),
      has_twins_(context_.experiment.algorithm().name() == "matd3"),
      groups_(ValuedGroups(context_.policies)),
      layout_(groups_),
      replay_(static_cast<int64_t>(settings_.replay_bytes())) {}

absl::Status Maddpg::Prepare() {
  RETURN_IF_ERROR(CheckReplayHoldsABatch(context_.experiment, context_.environment, context_.policies,
                                         "maddpg.replay_bytes", settings_.replay_bytes()));
  ASSIGN_OR_RETURN(critic_, MakeJointCritic(context_.experiment.critic(), context_.environment, layout_.size()));
  const uint64_t seed = context_.experiment.seed();
  const AdamSettings adam{.epsilon = settings_.adam_epsilon(), .max_gradient_norm = settings_.max_gradient_norm()};
  std::vector<NetworkPlan> actors, critics;
  for (const bool is_target : {false, true}) {
    // Targets begin as copies: drawn with the same key.
    const std::string kind = is_target ? "target_" : "";
    for (size_t g = 0; g < groups_.size(); ++g) {
      actors.push_back({.name = absl::StrCat(kind, "actor/", groups_[g].policy.group),
                        .stack = groups_[g].policy.stack,
                        .initial_key = MixKey({seed, kActorInit, g}),
                        .rows_per_step = groups_[g].map.slots,
                        .objective = is_target ? nullptr : std::make_shared<PushedOutputsObjective>(),
                        .optimizer = adam});
    }
    for (size_t k = 0; k < num_critics(); ++k) {
      critics.push_back({.name = absl::StrCat(kind, "critic/", k == 0 ? "first" : "second"),
                         .stack = critic_.stack,
                         .initial_key = MixKey({seed, kCriticInit, k}),
                         .objective = is_target ? nullptr : std::make_shared<ChosenOutputObjective>(),
                         .optimizer = adam});
    }
  }
  ArithmeticOptions options = context_.arithmetic;
  options.compute = context_.experiment.compute();
  ASSIGN_OR_RETURN(actors_, CreateArithmetic(std::move(actors), options, &ranks_));
  ASSIGN_OR_RETURN(critics_, CreateArithmetic(std::move(critics), options, &ranks_));
  return absl::OkStatus();
}

absl::StatusOr<UpdateStatistics> Maddpg::Update(const TrainingBatch& batch, const UpdateProgress& progress) {
  RETURN_IF_ERROR(CheckBatch(context_.environment, batch, ChunkShapeOf(context_.experiment, context_.policies)));
  ASSIGN_OR_RETURN(const ReplayIntake intake, TakeIn(batch, settings_.learning_starts(), &ranks_, &replay_));
  Figures figures;
  for (uint32_t i = 0; intake.is_finite && intake.begins && i < settings_.gradient_steps(); ++i) {
    Step(intake.share, MixKey({context_.experiment.seed(), kDraw, progress.update, i}), DecayOf(progress), &figures);
    RETURN_IF_ERROR(ranks_.status());
  }
  return Summarize(progress, figures, intake.env_steps, intake.is_finite ? 0 : settings_.gradient_steps());
}

double Maddpg::DecayOf(const UpdateProgress& progress) const {
  return LearningRateDecay(progress, settings_.anneal_learning_rate(), progress.total_env_steps);
}

std::vector<NamedScalar> Maddpg::Exploration(const UpdateProgress& progress) const {
  std::vector<NamedScalar> scalars;
  const auto any_acts_by = [&](DistributionKind kind) {
    return std::ranges::any_of(groups_, [&](const auto& group) { return group.policy.distribution.kind == kind; });
  };
  const auto add = [&](DistributionKind kind, const char* name, double first, double last) {
    if (!any_acts_by(kind)) return;
    scalars.push_back({name, EpsilonAt(first, last, settings_.exploration_env_steps(), progress.env_steps)});
  };
  add(DistributionKind::kEpsilonGreedy, kEpsilonScalar, settings_.epsilon(), settings_.final_epsilon());
  add(DistributionKind::kDeterministic, kActionNoiseScalar, settings_.action_noise(), settings_.final_action_noise());
  if (settings_.action_noise_correlation() > 0 && any_acts_by(DistributionKind::kDeterministic)) {
    scalars.push_back({kActionNoiseCorrelationScalar, settings_.action_noise_correlation()});
  }
  return scalars;
}

PolicySnapshot Maddpg::ExportPolicy(const UpdateProgress& progress) const {
  PolicySnapshot snapshot{progress.update, {}, Exploration(progress)};
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (HostTensor& tensor : actors_->Export(g, groups_[g].policy.group)) {
      snapshot.tensors.push_back(std::move(tensor));
    }
  }
  return snapshot;
}

UpdateStatistics Maddpg::Summarize(const UpdateProgress& progress, const Figures& figures, double env_steps_kept,
                                   double left_out) {
  std::array<double, 6> sums = {figures.squared_errors, figures.chosen,        figures.targets,
                                figures.errors,         figures.policy_values, figures.policy_rows};
  ranks_.Sum(absl::MakeSpan(sums));
  const double errors = std::max(1.0, sums[3]);
  const StepsTaken critics = SumUpSteps(critics_->TakeFigures(), num_critics());
  const StepsTaken actors = SumUpSteps(actors_->TakeFigures(), groups_.size());
  UpdateStatistics statistics{{{"value_loss", sums[0] / errors},
                               {"chosen_value", sums[1] / errors},
                               {"target_value", sums[2] / errors},
                               {"policy_value", sums[4] / std::max(1.0, sums[5])},
                               {"actor_gradient_norm", actors.gradient_norm},
                               {"critic_gradient_norm", critics.gradient_norm}}};
  for (const NamedScalar& scalar : Exploration(progress)) {
    statistics.values.emplace_back(scalar.name, scalar.value);
  }
  statistics.values.insert(statistics.values.end(),
                           {{"learning_rate", DecayOf(progress) * settings_.actor_learning_rate()},
                            {"replay_env_steps", env_steps_kept},
                            {"gradient_steps", static_cast<double>(steps_taken_)},
                            {"skipped_minibatches", std::max({left_out, actors.skipped, critics.skipped})}});
  return statistics;
}

std::string Maddpg::bits() const {
  return actors_->bits() == critics_->bits() ? critics_->bits()
                                             : absl::StrCat(actors_->bits(), "; critics ", critics_->bits());
}

std::vector<HostTensor> Maddpg::SaveState() const {
  std::vector<HostTensor> state;
  for (size_t n = 0; n < 2 * groups_.size(); ++n) actors_->Save(n, &state);
  for (size_t n = 0; n < 2 * num_critics(); ++n) critics_->Save(n, &state);
  HostTensor steps{.name = kStepsTensor, .data_type = DataType::kInt64, .shape = {1}, .bytes = {}};
  const auto taken = static_cast<int64_t>(steps_taken_);
  steps.bytes.resize(sizeof(taken));
  std::memcpy(steps.bytes.data(), &taken, sizeof(taken));
  state.push_back(std::move(steps));
  return state;
}

absl::Status Maddpg::LoadState(absl::Span<const HostTensor> given) {
  ASSIGN_OR_RETURN(const std::vector<HostTensor> state, CheckState(SaveState(), given));
  for (size_t n = 0; n < 2 * groups_.size(); ++n) actors_->Load(n, state);
  for (size_t n = 0; n < 2 * num_critics(); ++n) critics_->Load(n, state);
  int64_t taken = 0;
  std::memcpy(&taken, state.back().bytes.data(), sizeof(taken));
  steps_taken_ = static_cast<uint64_t>(taken);
  // A run that begins, with other actors perhaps, has nothing to miss.
  if (replay_.end() == 0 && steps_taken_ > 0) {
    context_.arithmetic.warn(
        absl::StrCat("the replay is not part of checkpoints and fills anew: networks are trained on when it holds ",
                     settings_.learning_starts(), " environment steps (maddpg.learning_starts)"));
  }
  return absl::OkStatus();
}

}  // namespace troupe
