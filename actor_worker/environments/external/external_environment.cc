#include "actor_worker/environments/external/external_environment.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr size_t kShownNumbers = 24;

// Element `slot` of an array [E, …] of `copies` copies.
template <typename T>
absl::Span<T> Row(absl::Span<T> array, int slot, size_t copies) {
  const size_t size = array.size() / copies;
  return array.subspan(slot * size, size);
}

// The first that is neither 0 nor 1, or -1.
int FirstNoFlag(absl::Span<const uint8_t> flags) {
  uint8_t all = 0;
  for (const uint8_t flag : flags) all |= flag;
  if (all <= 1) return -1;
  return static_cast<int>(std::find_if(flags.begin(), flags.end(), [](uint8_t f) { return f > 1; }) - flags.begin());
}

}  // namespace

ExternalEnvironment::ExternalEnvironment(std::shared_ptr<ExternalCopies> copies, int copy)
    : copies_(std::move(copies)), copy_(copy), place_(copies_->Find(copy)), spec_(copies_->spec()) {
  spec_.name = "external";
}

void ExternalEnvironment::PrepareReset(uint64_t seed) {
  copies_->PrepareReset(copy_, seed);
  prepared_ = CopyCommand::kReset;
}

void ExternalEnvironment::PrepareStep(const JointAction& action) {
  copies_->PrepareStep(copy_, action);
  prepared_ = CopyCommand::kStep;
}

absl::Status ExternalEnvironment::Reset(uint64_t seed) {
  if (std::exchange(prepared_, CopyCommand::kRest) != CopyCommand::kReset) copies_->PrepareReset(copy_, seed);
  RETURN_IF_ERROR(copies_->Finish(copy_));
  return CheckSeen();
}

absl::Status ExternalEnvironment::Step(const JointAction& action, StepOutcome& outcome) {
  if (std::exchange(prepared_, CopyCommand::kRest) != CopyCommand::kStep) copies_->PrepareStep(copy_, action);
  RETURN_IF_ERROR(copies_->Finish(copy_));
  const SharedArrays& arrays = *place_.arrays;
  const size_t copies = arrays.commands.size();
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const absl::Span<const float> rewards = Row(arrays.groups[g].rewards, place_.slot, copies);
    std::copy(rewards.begin(), rewards.end(), outcome.rewards[g].begin());
  }
  const uint8_t ending = arrays.endings[place_.slot];
  if (ending > static_cast<uint8_t>(CopyEnding::kTruncated)) {
    return absl::InternalError(absl::StrCat("the episode's ending is ", ending, ", expected 0, 1 or 2"));
  }
  outcome.terminated = ending == static_cast<uint8_t>(CopyEnding::kTerminated);
  outcome.truncated = ending == static_cast<uint8_t>(CopyEnding::kTruncated);
  if (ending != 0) RETURN_IF_ERROR(CheckStatistics());
  return CheckSeen();
}

absl::Status ExternalEnvironment::CheckSeen() const {
  const SharedArrays& arrays = *place_.arrays;
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec_.groups[g];
    const absl::Span<const uint8_t> mask = Row(arrays.groups[g].action_mask, place_.slot, arrays.commands.size());
    if (const int bad = FirstNoFlag(mask); bad >= 0) {
      return absl::InternalError(absl::StrCat("action mask ", bad % group.action_size, " of agent ",
                                              group.agents[bad / group.action_size], " in group ", group.name, " is ",
                                              mask[bad], ", expected 0 or 1"));
    }
    const absl::Span<const uint8_t> alive = Row(arrays.groups[g].alive, place_.slot, arrays.commands.size());
    if (const int bad = FirstNoFlag(alive); bad >= 0) {
      return absl::InternalError(absl::StrCat("alive of agent ", group.agents[bad], " in group ", group.name, " is ",
                                              alive[bad], ", expected 0 or 1"));
    }
  }
  return absl::OkStatus();
}

absl::Status ExternalEnvironment::CheckStatistics() const {
  const absl::Span<const double> values = Row(place_.arrays->statistics, place_.slot, place_.arrays->commands.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const size_t own = spec_.statistics.size(), each = std::max<size_t>(1, spec_.agent_statistics.size());
    return absl::InternalError(absl::StrCat(
        "statistic ", i < own ? spec_.statistics[i] : spec_.agent_statistics[(i - own) % each],
        i < own ? "" : absl::StrCat(" of agent ", (i - own) / each), " is ", values[i], ", expected a finite number"));
  }
  return absl::OkStatus();
}

void ExternalEnvironment::Observe(JointObservation& observation) const {
  const SharedArrays& arrays = *place_.arrays;
  const size_t copies = arrays.commands.size();
  const auto copy_row = [&](auto from, auto to) {
    const auto row = Row(from, place_.slot, copies);
    std::copy(row.begin(), row.end(), to.begin());
  };
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    copy_row(arrays.groups[g].observations, observation.groups[g].observations);
    copy_row(arrays.groups[g].action_mask, observation.groups[g].action_mask);
    copy_row(arrays.groups[g].alive, observation.groups[g].alive);
  }
  copy_row(arrays.state_extras, observation.state_extras);
}

void ExternalEnvironment::EpisodeStatistics(absl::Span<double> statistics) const {
  const absl::Span<const double> row = Row(place_.arrays->statistics, place_.slot, place_.arrays->commands.size());
  std::copy(row.begin(), row.end(), statistics.begin());
}

std::string ExternalEnvironment::Render() const {
  std::string text;
  const SharedArrays& arrays = *place_.arrays;
  const size_t copies = arrays.commands.size();
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const AgentGroupSpec& group = spec_.groups[g];
    const absl::Span<const float> seen = Row(arrays.groups[g].observations, place_.slot, copies);
    for (int a = 0; a < group.num_agents(); ++a) {
      const absl::Span<const float> own = seen.subspan(a * group.observation_size, group.observation_size);
      absl::StrAppendFormat(&text, "%s  reward %g%s  sees", group.agents[a],
                            Row(arrays.groups[g].rewards, place_.slot, copies)[a],
                            Row(arrays.groups[g].alive, place_.slot, copies)[a] != 0 ? "" : "  does not act");
      for (size_t i = 0; i < std::min(own.size(), kShownNumbers); ++i) absl::StrAppendFormat(&text, " %.3g", own[i]);
      absl::StrAppend(&text, own.size() > kShownNumbers ? " …\n" : "\n");
    }
  }
  return text;
}

}  // namespace troupe
