#include "actor_worker/environments/traffic/controllers.h"

#include <functional>
#include <utility>

#include "actor_worker/environments/traffic/traffic_environment.h"

namespace troupe {
namespace {

using ActionMask = absl::Span<const uint8_t>;

// Asks for a phase per junction; what the mask forbids is replaced by the present phase, or, when that must end, by the
// next allowed one.
class PhaseController : public Controller {
 public:
  void Begin(const Environment& environment) override {
    env_ = dynamic_cast<const TrafficEnvironment*>(&environment);
    if (env_ != nullptr) Started();
  }

  void Act(const Environment&, const JointObservation& observation, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    for (size_t g = 0; g < actions.size(); ++g) {
      const int phases = env_->spec().groups[g].action_size;
      for (size_t a = 0; a < actions[g].size(); ++a) {
        const int junction = env_->JunctionOf(static_cast<int>(g), static_cast<int>(a));
        const ActionMask mask = observation.groups[g].action_mask.subspan(a * phases, phases);
        const int present = env_->signal(junction).target_phase();
        int phase = env_->signal(junction).in_transition() ? present : Wanted(junction, mask);
        if (mask[phase] == 0) phase = present;
        while (mask[phase] == 0) phase = (phase + 1) % phases;
        actions[g][a] = phase;
      }
    }
  }

 protected:
  virtual void Started() {}
  // A phase of the junction, which shows green.
  virtual int Wanted(int junction, ActionMask mask) = 0;

  const TrafficEnvironment& env() const { return *env_; }
  const TrafficJunction& info(int junction) const { return env().network().junctions[junction]; }
  const TrafficLane& lane(int index) const { return env().network().lanes[index]; }
  const LaneMeasurement& measured(int index) const { return env().lanes()[index]; }

 private:
  const TrafficEnvironment* env_ = nullptr;
};

// Takes the phase with the highest score; the present one wins ties, then the nearest in the cycle.
class GreedyController : public PhaseController {
 public:
  explicit GreedyController(const GreedyParameters& parameters) : parameters_(parameters) {}

 protected:
  virtual float LaneScore(int index) const = 0;

  int Wanted(int junction, ActionMask mask) override {
    const int present = env().signal(junction).state().phase, phases = static_cast<int>(mask.size());
    if (mask[present] != 0 && env().signal(junction).seconds_in_stage() < parameters_.min_green_seconds) return present;
    int best = -1;
    float highest = 0;
    for (int i = 0; i < phases; ++i) {
      const int phase = (present + i) % phases;
      if (mask[phase] == 0) continue;
      float score = i == 0 ? parameters_.stay_bonus : 0;
      for (int k = info(junction).first_lane; k < info(junction).first_lane + info(junction).num_lanes; ++k) {
        if (lane(k).green_phases >> phase & 1) score += LaneScore(k);
      }
      if (best < 0 || score > highest) {
        best = phase;
        highest = score;
      }
    }
    return best < 0 ? present : best;
  }

 private:
  const GreedyParameters parameters_;
};

class LongestQueueFirst final : public GreedyController {
 public:
  using GreedyController::GreedyController;
  float LaneScore(int index) const override { return measured(index).halting; }
};

class MaxWave final : public GreedyController {
 public:
  using GreedyController::GreedyController;
  float LaneScore(int index) const override { return measured(index).vehicles; }
};

class MaxPressure final : public GreedyController {
 public:
  using GreedyController::GreedyController;
  float LaneScore(int index) const override {
    const std::vector<int>& downstream = lane(index).downstream_lanes;
    float ahead = 0;
    for (const int k : downstream) ahead += measured(k).halting;
    if (!downstream.empty()) ahead /= static_cast<float>(downstream.size());
    return measured(index).halting - ahead;
  }
};

class FixedTime final : public PhaseController {
 public:
  explicit FixedTime(const FixedTimeParameters& parameters) : parameters_(parameters) {}

 protected:
  int Wanted(int junction, ActionMask mask) override {
    const int present = env().signal(junction).state().phase;
    const std::vector<double>& program = info(junction).program_green_seconds;
    const double green = program.empty() ? parameters_.green_seconds : parameters_.green_factor * program[present];
    const double half_interval = env().settings().decision_interval_seconds / 2.0;
    if (env().signal(junction).seconds_in_stage() + half_interval < green) return present;
    return (present + 1) % static_cast<int>(mask.size());
  }

 private:
  const FixedTimeParameters parameters_;
};

class Actuated final : public PhaseController {
 public:
  explicit Actuated(const ActuatedParameters& parameters) : parameters_(parameters) {}

 protected:
  void Started() override { last_use_seconds_.assign(env().network().junctions.size(), 0); }

  int Wanted(int junction, ActionMask) override {
    const SignalTiming& signal = env().signal(junction);
    const int present = signal.state().phase, elapsed = signal.seconds_in_stage();
    if (elapsed <= env().settings().decision_interval_seconds) last_use_seconds_[junction] = env().seconds();
    bool others_wait = false;
    for (int k = info(junction).first_lane; k < info(junction).first_lane + info(junction).num_lanes; ++k) {
      const bool served = lane(k).green_phases >> present & 1;
      if (served && measured(k).departed > 0) last_use_seconds_[junction] = env().seconds();
      others_wait |= !served && measured(k).vehicles > 0;
    }
    const double unused = env().seconds() - last_use_seconds_[junction];
    const bool in_use = unused < parameters_.gap_seconds && elapsed < parameters_.max_green_seconds;
    if (!others_wait || elapsed < parameters_.min_green_seconds || in_use) return present;
    return env().NextPhase(junction);
  }

 private:
  const ActuatedParameters parameters_;
  std::vector<double> last_use_seconds_;
};

Baseline Row(const char* name, std::function<std::unique_ptr<Controller>()> make) {
  return {name, {{"action_set", "CHOOSE_PHASE"}}, std::move(make)};
}

}  // namespace

std::unique_ptr<Controller> MakeFixedTime(const FixedTimeParameters& parameters) {
  return std::make_unique<FixedTime>(parameters);
}

std::unique_ptr<Controller> MakeActuated(const ActuatedParameters& parameters) {
  return std::make_unique<Actuated>(parameters);
}

std::unique_ptr<Controller> MakeLongestQueueFirst(const GreedyParameters& parameters) {
  return std::make_unique<LongestQueueFirst>(parameters);
}

std::unique_ptr<Controller> MakeMaxWave(const GreedyParameters& parameters) {
  return std::make_unique<MaxWave>(parameters);
}

std::unique_ptr<Controller> MakeMaxPressure(const GreedyParameters& parameters) {
  return std::make_unique<MaxPressure>(parameters);
}

std::vector<Baseline> TrafficBaselines() {
  return {Row("fixed_time", [] { return MakeFixedTime(); }), Row("actuated", [] { return MakeActuated(); }),
          Row("longest_queue_first", [] { return MakeLongestQueueFirst(); }),
          Row("max_pressure", [] { return MakeMaxPressure(); }), Row("max_wave", [] { return MakeMaxWave(); })};
}

}  // namespace troupe
