#include "actor_worker/environments/traffic/traffic_environment.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/traffic/traffic_description.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr float kRewardScale = 1.0f / 20;

// Of each of some junctions the places among them of those one edge away.
std::vector<std::vector<int>> NeighboursWithin(const std::vector<int>& members,
                                               const std::vector<TrafficJunction>& junctions) {
  std::vector<std::vector<int>> neighbours(members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    const std::vector<int>& near = junctions[members[i]].neighbours;
    for (size_t other = 0; other < members.size(); ++other) {
      if (other != i && std::ranges::find(near, members[other]) != near.end()) {
        neighbours[i].push_back(static_cast<int>(other));
      }
    }
  }
  return neighbours;
}

}  // namespace

TrafficEnvironment::TrafficEnvironment(std::string name, std::unique_ptr<TrafficSimulation> simulation,
                                       const TrafficSettings& settings)
    : settings_(settings), simulation_(std::move(simulation)) {
  spec_.name = std::move(name);
  const auto& junctions = network().junctions;
  const bool chooses_phase = settings_.action_set == TrafficActionSet::kChoosePhase;
  const bool sees_phases = settings_.observation == TrafficObservation::kPhases;
  // Equal spaces: the number of phases decides them, or, with neither, nothing does.
  std::map<int, std::vector<int>> by_phases;
  for (int j = 0; j < static_cast<int>(junctions.size()); ++j) {
    const int phases = static_cast<int>(junctions[j].phases.size());
    by_phases[chooses_phase || sees_phases ? phases : 0].push_back(j);
    signals_.emplace_back(&settings_, &junctions[j]);
  }
  for (auto& [phases, members] : by_phases) {
    AgentGroupSpec group;
    group.name = "junction";
    if (by_phases.size() > 1) absl::StrAppend(&group.name, "_", phases, chooses_phase ? "_actions" : "_phases");
    for (const int j : members) group.agents.push_back(junctions[j].name);
    group.neighbours = NeighboursWithin(members, junctions);
    group.observed = sees_phases ? DescribePhaseObservation(phases) : DescribeApproachObservation();
    group.observation_size = static_cast<int>(group.observed.size());
    group.actions = DescribeTrafficActions(settings_.action_set, network(), members);
    group.action_size = static_cast<int>(group.actions.size());
    spec_.groups.push_back(std::move(group));
    group_junctions_.push_back(std::move(members));
  }
  for (const ObservedNumber& number : DescribeApproachObservation()) {
    feature_scales_.push_back(1.0f / static_cast<float>(number.divided_by));
  }
  if (sees_phases) {
    phase_observation_ = std::make_unique<PhaseObservation>(network());
    simulation_->MeasureFirstVehicles();
  }
  spec_.observed_extras = DescribeTrafficStateExtras(static_cast<int>(junctions.size()));
  spec_.state_extras_size = static_cast<int>(spec_.observed_extras.size());
  spec_.statistics = {"mean_waiting_seconds", "mean_delay_seconds",  "mean_time_loss_seconds",
                      "mean_queue_vehicles",  "throughput_vehicles", "emergency_delay_seconds",
                      "total_vehicles",       "unfinished_vehicles", "phase_changes",
                      "teleported_vehicles"};
  spec_.agent_statistics = {"mean_waiting_seconds", "mean_queue_vehicles", "throughput_vehicles"};
  sums_.resize(junctions.size());
  junction_totals_.resize(junctions.size());
  halting_before_.resize(junctions.size());
}

absl::Status TrafficEnvironment::Reset(uint64_t seed) {
  seconds_ = 0;
  decisions_ = phase_changes_ = 0;
  halting_sum_ = 0;
  final_totals_ = {};
  std::fill(junction_totals_.begin(), junction_totals_.end(), JunctionTotals());
  for (SignalTiming& signal : signals_) signal.Reset();
  RETURN_IF_ERROR(simulation_->Reset(seed));
  ReadLanes();
  return absl::OkStatus();
}

int TrafficEnvironment::EmergencyPhase(int junction) const {
  if (sums_[junction].emergency == 0) return -1;
  const TrafficJunction& info = network().junctions[junction];
  const int present = signals_[junction].state().phase;
  int best = present;
  float most = 0;
  for (int i = 0; i < static_cast<int>(info.phases.size()); ++i) {
    const int phase = (present + i) % static_cast<int>(info.phases.size());
    float served = 0;
    for (int lane = info.first_lane; lane < info.first_lane + info.num_lanes; ++lane) {
      if (network().lanes[lane].green_phases >> phase & 1) served += lanes_[lane].emergency_vehicles;
    }
    if (served > most) {
      most = served;
      best = phase;
    }
  }
  return best;
}

int TrafficEnvironment::NextPhase(int junction) const {
  const TrafficJunction& info = network().junctions[junction];
  const int phases = static_cast<int>(info.phases.size());
  const int present = signals_[junction].target_phase();
  uint64_t standing = 0, present_vehicles = 0;
  for (int lane = info.first_lane; lane < info.first_lane + info.num_lanes; ++lane) {
    if (lanes_[lane].halting > 0) standing |= network().lanes[lane].green_phases;
    if (lanes_[lane].vehicles > 0) present_vehicles |= network().lanes[lane].green_phases;
  }
  for (const uint64_t wanted : {standing, present_vehicles}) {
    for (int i = 1; i < phases; ++i) {
      const int phase = (present + i) % phases;
      if (wanted >> phase & 1) return phase;
    }
  }
  return (present + 1) % phases;
}

bool TrafficEnvironment::Allowed(int junction, int action) const {
  const SignalTiming& signal = signals_[junction];
  if (settings_.action_set == TrafficActionSet::kChoosePhase) {
    if (signal.in_transition()) return action == signal.target_phase();
    return action == signal.state().phase ? signal.MayStay() : signal.MayLeave();
  }
  if (signal.in_transition()) return action == kActionKeep;
  switch (action) {
    case kActionKeep:
      return signal.MayStay();
    case kActionNext:
      return signal.MayLeave() && !(signal.committed() && signal.MayStay());
    case kActionExtend:
      return signal.MayExtend();
    default: {
      const int phase = EmergencyPhase(junction);
      return phase >= 0 && (phase == signal.state().phase ? signal.MayStay() : signal.MayLeave());
    }
  }
}

void TrafficEnvironment::Apply(int junction, int action) {
  SignalTiming& signal = signals_[junction];
  int wanted = signal.target_phase();
  if (settings_.action_set == TrafficActionSet::kChoosePhase) {
    wanted = action;
  } else if (action == kActionNext) {
    wanted = NextPhase(junction);
  } else if (action == kActionExtend) {
    signal.Extend();
  } else if (action == kActionOverride) {
    wanted = EmergencyPhase(junction);
  }
  if (wanted == signal.target_phase()) return;
  signal.ChangeTo(wanted);
  simulation_->SetSignal(junction, signal.state());
  ++phase_changes_;
}

absl::Status TrafficEnvironment::Pass(int seconds) {
  while (seconds > 0) {
    int part = seconds;
    for (const SignalTiming& signal : signals_) part = std::min(part, signal.SecondsToChange());
    RETURN_IF_ERROR(part < seconds ? simulation_->AdvanceUnmeasured(part) : simulation_->Advance(part));
    for (int j = 0; j < static_cast<int>(signals_.size()); ++j) {
      if (signals_[j].Pass(part)) simulation_->SetSignal(j, signals_[j].state());
    }
    seconds -= part;
    seconds_ += part;
  }
  return absl::OkStatus();
}

absl::Status TrafficEnvironment::Step(const JointAction& action, StepOutcome& outcome) {
  for (int g = 0; g < static_cast<int>(group_junctions_.size()); ++g) {
    for (int a = 0; a < static_cast<int>(group_junctions_[g].size()); ++a) {
      const int junction = group_junctions_[g][a], chosen = action.groups[g].discrete[a];
      if (chosen < 0 || chosen >= spec_.groups[g].action_size || !Allowed(junction, chosen)) {
        return absl::InvalidArgumentError(absl::StrCat("action ", chosen, " of junction ",
                                                       network().junctions[junction].name,
                                                       " is not allowed by its mask at second ", seconds_));
      }
      Apply(junction, chosen);
    }
  }
  const int interval_seconds = std::min(settings_.decision_interval_seconds, settings_.episode_seconds - seconds_);
  RETURN_IF_ERROR(Pass(interval_seconds));
  for (size_t j = 0; j < sums_.size(); ++j) halting_before_[j] = sums_[j].halting;
  ReadLanes();
  ++decisions_;
  for (size_t j = 0; j < sums_.size(); ++j) {
    halting_sum_ += sums_[j].halting;
    junction_totals_[j].halting += sums_[j].halting;
    junction_totals_[j].standing_seconds += sums_[j].halting * interval_seconds;
    junction_totals_[j].departed += sums_[j].departed;
  }
  ComputeRewards(outcome);
  outcome.terminated = false;
  outcome.truncated = seconds_ >= settings_.episode_seconds;
  if (outcome.truncated) RETURN_IF_ERROR(simulation_->Totals(final_totals_));
  return absl::OkStatus();
}

void TrafficEnvironment::ReadLanes() {
  lanes_ = simulation_->Measure();
  const auto& junctions = network().junctions;
  for (size_t j = 0; j < junctions.size(); ++j) {
    JunctionSums sums;
    for (const LaneMeasurement& lane : lanes_.subspan(junctions[j].first_lane, junctions[j].num_lanes)) {
      sums.halting += lane.halting;
      sums.vehicles += lane.vehicles;
      sums.departed += lane.departed;
      sums.emergency += lane.emergency_vehicles;
    }
    sums_[j] = sums;
  }
  if (phase_observation_ != nullptr) phase_observation_->Update(lanes_, signals_);
}

void TrafficEnvironment::ComputeRewards(StepOutcome& outcome) {
  const TrafficRewardWeights& weights = settings_.reward;
  for (size_t j = 0; j < sums_.size(); ++j) {
    JunctionSums& sums = sums_[j];
    sums.own_reward = static_cast<float>(-weights.level * sums.halting - weights.presence * sums.vehicles +
                                         weights.improvement * (halting_before_[j] - sums.halting) +
                                         weights.throughput * sums.departed - weights.emergency * sums.emergency) *
                      kRewardScale;
  }
  for (size_t g = 0; g < group_junctions_.size(); ++g) {
    for (size_t a = 0; a < group_junctions_[g].size(); ++a) {
      const int junction = group_junctions_[g][a];
      const std::vector<int>& neighbours = network().junctions[junction].neighbours;
      float around = 0;
      for (const int k : neighbours) around += sums_[k].own_reward;
      if (!neighbours.empty()) around *= static_cast<float>(weights.neighbour) / static_cast<float>(neighbours.size());
      outcome.rewards[g][a] = sums_[junction].own_reward + around;
    }
  }
}

absl::StatusOr<TrafficTotals> TrafficEnvironment::Totals() const {
  TrafficTotals totals;
  RETURN_IF_ERROR(simulation_->Totals(totals));
  return totals;
}

void TrafficEnvironment::EpisodeStatistics(absl::Span<double> statistics) const {
  TrafficTotals totals = final_totals_;
  if (seconds_ < settings_.episode_seconds) totals = Totals().value_or(TrafficTotals{});
  const double decisions = static_cast<double>(std::max<int64_t>(1, decisions_));
  const double inserted = std::max(1.0, totals.inserted), scheduled = std::max(1.0, totals.scheduled);
  const std::array<double, 10> values = {totals.waiting_seconds / inserted,
                                         (totals.time_loss_seconds + totals.depart_delay_seconds) / scheduled,
                                         totals.time_loss_seconds / inserted,
                                         halting_sum_ / decisions,
                                         totals.finished,
                                         totals.emergency_time_loss_seconds / std::max(1.0, totals.emergency_scheduled),
                                         totals.scheduled,
                                         totals.scheduled - totals.finished,
                                         static_cast<double>(phase_changes_),
                                         totals.teleported};
  auto out = std::copy(values.begin(), values.end(), statistics.begin());
  for (const std::vector<int>& members : group_junctions_) {
    for (const int j : members) {
      const JunctionTotals& own = junction_totals_[j];
      *out++ = own.standing_seconds / std::max(1.0, own.departed);
      *out++ = own.halting / decisions;
      *out++ = own.departed;
    }
  }
}

}  // namespace troupe
