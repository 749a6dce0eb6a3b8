#include "actor_worker/environments/traffic/sumo/signal_phases.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr size_t kMaxPhases = 64;  // TrafficLane::green_phases has a bit for each

bool IsGreenStep(const NetPhase& step) {
  return std::any_of(step.state.begin(), step.state.end(), IsGreenLight) &&
         step.state.find_first_of("yYu") == std::string::npos;
}

int Rank(char light) { return light == 'G' ? 2 : light == 'g' ? 1 : 0; }

// No light is better than before, and some are worse.
bool OnlyTakesAway(const std::string& before, const std::string& now) {
  if (before.size() != now.size()) return false;
  bool takes = false;
  for (size_t i = 0; i < now.size(); ++i) {
    if (Rank(now[i]) > Rank(before[i])) return false;
    takes |= Rank(now[i]) < Rank(before[i]);
  }
  return takes;
}

bool IsClearingStep(const NetPhase& before, const NetPhase& step, const std::vector<int>& vehicle_links) {
  if (!IsGreenStep(before) || !OnlyTakesAway(before.state, step.state)) return false;
  const bool vehicles_go_on = std::all_of(vehicle_links.begin(), vehicle_links.end(),
                                          [&](int link) { return before.state[link] == step.state[link]; });
  return vehicles_go_on || step.seconds <= kClearingStepSeconds;
}

}  // namespace

bool IsGreenLight(char light) { return light == 'G' || light == 'g'; }

absl::StatusOr<SumoSignal> ReadSignalPhases(const NetSignal& signal, const std::vector<int>& vehicle_links) {
  SumoSignal result{.id = signal.id, .phases = {}};
  const std::vector<NetPhase>& program = signal.program;
  const size_t links = vehicle_links.empty() ? 0 : 1 + *std::max_element(vehicle_links.begin(), vehicle_links.end());
  for (const NetPhase& step : program) {
    if (step.state.size() >= links) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("signal ", signal.id, ": a phase of ", step.state.size(), " lights, expected ", links));
  }
  const auto is_clearing = [&](size_t i) {
    const NetPhase& before = program[(i + program.size() - 1) % program.size()];
    return IsGreenStep(program[i]) && IsClearingStep(before, program[i], vehicle_links);
  };
  for (size_t i = 0; i < program.size(); ++i) {
    if (!IsGreenStep(program[i]) || is_clearing(i)) continue;
    auto phase = std::find_if(result.phases.begin(), result.phases.end(),
                              [&](const SumoPhase& known) { return known.lights == program[i].state; });
    if (phase == result.phases.end()) {
      if (result.phases.size() == kMaxPhases) {
        return absl::InvalidArgumentError(
            absl::StrCat("signal ", signal.id, ": more than ", kMaxPhases, " green phases"));
      }
      phase = result.phases.insert(phase, SumoPhase{.lights = program[i].state});
    }
    phase->program_seconds += program[i].seconds;
    if (!phase->clearing_lights.empty()) continue;
    // The program goes round: the first step's clearing may stand at its end or the last one's at its beginning.
    for (size_t k = (i + 1) % program.size(); k != i && is_clearing(k); k = (k + 1) % program.size()) {
      phase->clearing_lights.push_back(program[k].state);
      phase->clearing_seconds.push_back(std::max(1, static_cast<int>(std::ceil(program[k].seconds))));
    }
  }
  return result;
}

std::string LightsOf(const SumoSignal& signal, const SignalState& state) {
  const SumoPhase& phase = signal.phases[state.phase];
  if (state.stage == SignalStage::kGreen) return phase.lights;
  const std::string& next = signal.phases[state.next_phase].lights;
  // What the clearing has left: the lights of its present step, or of its last one in yellow and all-red.
  std::string lights = phase.lights;
  if (state.stage == SignalStage::kClearing) {
    lights = phase.clearing_lights[state.step];
  } else if (!phase.clearing_lights.empty()) {
    lights = phase.clearing_lights.back();
  }
  for (size_t i = 0; i < lights.size(); ++i) {
    if (!IsGreenLight(phase.lights[i])) continue;
    if (i < next.size() && IsGreenLight(next[i])) {
      lights[i] = next[i] == 'g' ? 'g' : phase.lights[i];
    } else if (state.stage != SignalStage::kClearing) {
      lights[i] = state.stage == SignalStage::kYellow && IsGreenLight(lights[i]) ? 'y' : 'r';
    }
  }
  return lights;
}

}  // namespace troupe
