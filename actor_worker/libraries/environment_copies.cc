#include "actor_worker/libraries/environment_copies.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/any_allowed_action.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

// What of a row's action is not allowed, or "".
std::string WhatIsWrong(const AgentGroupSpec& group, const EpisodeBuffers::Copy& copy, size_t g, int agent) {
  const GroupAction& action = copy.action.groups[g];
  if (group.has_masks()) {
    const uint8_t* allowed = copy.observation.groups[g].action_mask.data() + size_t(agent) * group.action_size;
    for (int d = 0; d < group.num_choices(); allowed += group.choices_of(d++)) {
      const int32_t index = action.discrete[agent * group.num_choices() + d];
      if (index < 0 || index >= group.choices_of(d)) {
        return absl::StrCat(index, ", expected an index in [0, ", group.choices_of(d), ")");
      }
      if (allowed[index] == 0) return absl::StrCat(index, ", which the mask does not allow");
    }
    return "";
  }
  for (int n = 0; n < group.action_size; ++n) {
    const ActionBounds bounds = group.action_bounds.empty() ? ActionBounds{} : group.action_bounds[n];
    const float number = action.continuous[size_t(agent) * group.action_size + n];
    if (number >= bounds.low && number <= bounds.high) continue;
    return absl::StrCat(number, " in dimension ", n, ", expected a number in [", bounds.low, ", ", bounds.high, "]");
  }
  return "";
}

}  // namespace

EnvironmentCopies::EnvironmentCopies(std::vector<std::unique_ptr<Environment>> made)
    : copies_(std::move(made)),
      buffers_(spec(), size()),
      state_(copies_.size() * spec().state_size()),
      statistics_(copies_.size() * spec().num_statistics()),
      terminated_(copies_.size()),
      truncated_(copies_.size()),
      playing_(copies_.size()),
      begun_(copies_.size()),
      any_action_(MakeAnyAllowedAction()) {
  for (const EpisodeBuffers::Group& group : buffers_.groups) {
    idle_indices_.emplace_back(group.discrete.size() / copies_.size());
    idle_numbers_.emplace_back(group.continuous.size() / copies_.size());
  }
  for (std::vector<int32_t>& indices : idle_indices_) index_views_.push_back(absl::MakeSpan(indices));
  for (std::vector<float>& numbers : idle_numbers_) number_views_.push_back(absl::MakeSpan(numbers));
}

absl::Status EnvironmentCopies::CheckCopy(int c) const {
  if (c >= 0 && c < size()) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("copy: ", c, ", expected 0 … ", size() - 1));
}

absl::Status EnvironmentCopies::Reset(int c, uint64_t seed) {
  RETURN_IF_ERROR(CheckCopy(c));
  playing_[c] = begun_[c] = false;
  terminated_[c] = truncated_[c] = 0;
  for (const absl::Span<float>& rewards : buffers_.copies[c].outcome.rewards) std::ranges::fill(rewards, 0.0f);
  RETURN_IF_ERROR(copies_[c]->Reset(seed));
  RETURN_IF_ERROR(Look(c));
  playing_[c] = begun_[c] = true;
  return absl::OkStatus();
}

absl::Status EnvironmentCopies::CheckActions(int c) const {
  if (!playing_[c]) return absl::FailedPreconditionError(absl::StrCat("copy ", c, ": no episode goes on; reset it"));
  const EpisodeBuffers::Copy& copy = buffers_.copies[c];
  for (size_t g = 0; g < buffers_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec().groups[g];
    for (int agent = 0; agent < group.num_agents(); ++agent) {
      if (copy.observation.groups[g].alive[agent] == 0) continue;
      const std::string wrong = WhatIsWrong(group, copy, g, agent);
      if (wrong.empty()) continue;
      return absl::InvalidArgumentError(absl::StrCat("action of ", group.agents[agent], " in copy ", c, ": ", wrong));
    }
  }
  return absl::OkStatus();
}

absl::Status EnvironmentCopies::Step(absl::Span<const uint8_t> which) {
  const auto chosen = [which](int c) { return which.empty() || which[c] != 0; };
  for (int c = 0; c < size(); ++c) {
    if (chosen(c)) RETURN_IF_ERROR(CheckActions(c));
  }
  for (int c = 0; c < size(); ++c) {
    if (!chosen(c)) continue;
    const absl::Status status = StepOne(c);
    if (!status.ok()) return absl::Status(status.code(), absl::StrCat("copy ", c, ": ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status EnvironmentCopies::StepOne(int c) {
  EpisodeBuffers::Copy& copy = buffers_.copies[c];
  playing_[c] = false;  // until all has gone well
  ActForTheDead(c);
  copy.outcome.terminated = copy.outcome.truncated = false;
  RETURN_IF_ERROR(copies_[c]->Step(copy.action, copy.outcome));
  RETURN_IF_ERROR(Look(c));
  terminated_[c] = copy.outcome.terminated;
  truncated_[c] = copy.outcome.truncated;
  playing_[c] = !copy.outcome.terminated && !copy.outcome.truncated;
  if (playing_[c]) return absl::OkStatus();
  const size_t count = spec().num_statistics();
  copies_[c]->EpisodeStatistics(absl::MakeSpan(statistics_).subspan(c * count, count));
  return absl::OkStatus();
}

absl::StatusOr<std::string> EnvironmentCopies::Render(int c) const {
  RETURN_IF_ERROR(CheckCopy(c));
  if (!begun_[c]) return absl::FailedPreconditionError(absl::StrCat("copy ", c, ": no episode has begun; reset it"));
  return copies_[c]->Render();
}

absl::Status EnvironmentCopies::Look(int c) {
  EpisodeBuffers::Copy& copy = buffers_.copies[c];
  copies_[c]->Observe(copy.observation);
  RETURN_IF_ERROR(CheckFinite(spec(), copy));
  auto to = state_.begin() + size_t(c) * spec().state_size();
  if (spec().state_includes_observations) {
    for (const GroupObservation& group : copy.observation.groups) to = std::ranges::copy(group.observations, to).out;
  }
  std::ranges::copy(copy.observation.state_extras, to);
  return absl::OkStatus();
}

void EnvironmentCopies::ActForTheDead(int c) {
  EpisodeBuffers::Copy& copy = buffers_.copies[c];
  const auto has_dead = [](const GroupObservation& group) {
    return std::ranges::find(group.alive, 0) != group.alive.end();
  };
  if (std::ranges::none_of(copy.observation.groups, has_dead)) return;
  any_action_->Act(*copies_[c], copy.observation, index_views_, number_views_);
  for (size_t g = 0; g < buffers_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec().groups[g];
    const size_t indices = group.num_choices(), numbers = group.has_masks() ? 0 : group.action_size;
    for (int agent = 0; agent < group.num_agents(); ++agent) {
      if (copy.observation.groups[g].alive[agent] != 0) continue;
      std::copy_n(index_views_[g].begin() + agent * indices, indices, copy.discrete[g].begin() + agent * indices);
      std::copy_n(number_views_[g].begin() + agent * numbers, numbers, copy.continuous[g].begin() + agent * numbers);
    }
  }
}

}  // namespace troupe
