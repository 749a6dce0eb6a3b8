#include "learner/algorithms/modules/option_view.h"

#include <algorithm>
#include <utility>

#include "common/specs/option_policies.h"

namespace troupe {
namespace {

// What an agent follows before a step.
struct Followed {
  int option = 0, age = 0;
};

Followed At(const GroupBatch& group, int64_t row) {
  return {static_cast<int>(group.option_states[2 * row]), static_cast<int>(group.option_states[2 * row + 1])};
}

// `width` numbers that `write` makes of each row, then the row of `values` [rows, size].
template <typename Write>
std::vector<float> Before(int64_t width, const std::vector<float>& values, int64_t rows, int64_t size, Write&& write) {
  std::vector<float> all(rows * (width + size));
  float* to = all.data();
  for (int64_t row = 0; row < rows; ++row) {
    write(row, to);
    to = std::copy_n(values.data() + row * size, size, to + width);
  }
  return all;
}

// One group's part of a batch.
class GroupView {
 public:
  GroupView(const PolicySpec& policy, const OptionSpec& options, const TrainingBatch& batch, const GroupBatch& group)
      : options_(options),
        batch_(batch),
        group_(group),
        agents_(policy.num_agents),
        observed_(policy.observation_size),
        acted_(batch.env_steps() * agents_),
        seen_(acted_ + batch.columns * agents_) {}

  GroupBatch OfCritics() const {
    GroupBatch of = group_;
    of.observations = Held();
    of.final_observations = FinalHeld();
    return of;
  }

  GroupBatch OfPolicy() const {
    GroupBatch of = group_;
    of.observations = Before(options_.count, group_.observations, acted_, observed_,
                             [&](int64_t row, float* to) { WriteOption(options_, group_.options[row], to); });
    return of;
  }

  GroupBatch OfManager() const {
    GroupBatch of;
    of.observations = Held();
    of.discrete_actions = group_.options;
    of.log_probabilities = group_.option_log_probabilities;
    of.rewards = group_.rewards;
    of.action_masks.assign(seen_ * options_.count, 1);
    of.learns = group_.learns;
    of.alive = group_.alive;
    for (int64_t row = 0; row < seen_; ++row) of.alive[row] &= IsChoice(options_, At(group_, row).age);
    return of;
  }

 private:
  std::vector<float> Held() const {
    return Before(options_.count + 1, group_.observations, seen_, observed_, [&](int64_t row, float* to) {
      const Followed followed = At(group_, row);
      WriteHeldOption(options_, followed.option, followed.age, to);
    });
  }

  // In truncated episodes' last states, what was followed in their last steps.
  std::vector<float> FinalHeld() const {
    const auto finals = static_cast<int64_t>(batch_.truncated_at.size()) / 2;
    return Before(options_.count + 1, group_.final_observations, finals * agents_, observed_,
                  [&](int64_t row, float* to) {
                    const int32_t* const at = batch_.truncated_at.data() + row / agents_ * 2;
                    const int64_t last = (int64_t{at[0]} * batch_.columns + at[1]) * agents_ + row % agents_;
                    const int age = At(group_, last).age;
                    WriteHeldOption(options_, group_.options[last], IsChoice(options_, age) ? 1 : age + 1, to);
                  });
  }

  const OptionSpec& options_;
  const TrainingBatch& batch_;
  const GroupBatch& group_;
  const int64_t agents_, observed_, acted_, seen_;
};

}  // namespace

OptionView::OptionView(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies)
    : environment_(environment) {
  int rows = static_cast<int>(policies.size());
  for (size_t g = 0; g < policies.size(); ++g) {
    const PolicySpec& policy = policies[g];
    const int group = static_cast<int>(g);
    options_.push_back(policy.options);
    if (!policy.has_options()) {
      actors_.push_back({policy, group, group});
      continue;
    }
    actors_.push_back({UnderOptions(policy), group, rows++});
    actors_.push_back({ManagerOf(policy), group, rows++, /*manages=*/true});
    environment_.groups[g].observation_size += policy.options.count + 1;
  }
}

bool OptionView::HasManager(const CriticLayout& critic) const {
  return std::ranges::any_of(critic.team_groups, [&](int g) { return has_manager(g); }) ||
         std::ranges::any_of(critic.agents, [&](const auto& agent) { return has_manager(agent.first); });
}

TrainingBatch OptionView::See(const TrainingBatch& batch) const {
  TrainingBatch seen = batch;
  for (const Actor& actor : actors_) {
    if (!actor.manages) continue;
    const OptionSpec& options = options_[actor.group];
    PolicySpec policy = actor.policy;
    policy.observation_size -= options.count + 1;
    const GroupView view(policy, options, batch, batch.groups[actor.group]);
    seen.groups[actor.group] = view.OfCritics();
    seen.groups.push_back(view.OfPolicy());
    seen.groups.push_back(view.OfManager());
  }
  return seen;
}

std::vector<uint8_t> OptionView::Choices(const CriticLayout& critic, const TrainingBatch& seen) const {
  const int64_t columns = critic.columns(), cells = seen.env_steps();
  std::vector<uint8_t> choices((cells + seen.columns) * columns, 0);
  std::fill(choices.begin() + cells * columns, choices.end(), 1);
  const auto chooses = [&](int g, int64_t cell, int64_t agent) {
    const int64_t agents = environment_.groups[g].num_agents();
    return has_manager(g) && IsChoice(options_[g], At(seen.groups[g], cell * agents + agent).age);
  };
  for (int64_t cell = 0; cell < cells; ++cell) {
    for (int64_t column = 0; column < columns; ++column) {
      uint8_t& choice = choices[cell * columns + column];
      if (!critic.team) {
        choice = chooses(critic.agents[column].first, cell, critic.agents[column].second);
        continue;
      }
      for (const int g : critic.team_groups) {
        for (int a = 0; a < environment_.groups[g].num_agents(); ++a) choice |= chooses(g, cell, a);
      }
    }
  }
  return choices;
}

AdvantageEstimates ChoiceAdvantages(ValueStreams streams, std::vector<uint8_t> choices, double discount,
                                    double lambda) {
  // Where the dead have no value their choices have none either.
  for (size_t i = 0; !streams.bootstrap_inactive && i < choices.size(); ++i) choices[i] &= streams.active[i] != 0;
  // A step without a choice has no value of its own: rewards pass through it undiluted to the choice before.
  streams.bootstrap_inactive = false;
  streams.active = std::move(choices);
  return GeneralizedAdvantages(streams, discount, lambda);
}

}  // namespace troupe
