// The lights of one junction over time: green, clearing steps, yellow, all-red, green; and what may be asked of them
// now.
//
// Agents never time these: a change asked for goes through the clearing steps of the phase being left, yellow and
// all-red by itself, minimum green must have passed before it, and a green is never held beyond maximum green.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SIGNAL_TIMING_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SIGNAL_TIMING_H_

#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/traffic_settings.h"

namespace troupe {

class SignalTiming {
 public:
  SignalTiming() = default;
  // `settings` and `junction` must outlive this object.
  SignalTiming(const TrafficSettings* settings, const TrafficJunction* junction)
      : settings_(settings), junction_(junction) {}

  // Green for phase 0, just begun.
  void Reset();

  // Whether the green may last through the whole next decision interval. Always true with a single phase.
  bool MayStay() const;
  // Whether the green may be ended now.
  bool MayLeave() const;
  // Whether the green may be committed to extension_seconds more.
  bool MayExtend() const;
  bool in_transition() const { return state_.stage != SignalStage::kGreen; }
  // Inside a commitment made by Extend.
  bool committed() const { return committed_seconds_ > 0; }

  // Starts the change to `phase`, another than the present one; MayLeave() must hold.
  void ChangeTo(int phase);
  void Extend() { committed_seconds_ = settings_->extension_seconds; }

  // Seconds until the lights change by themselves; a large number in green.
  int SecondsToChange() const;
  // Lets `seconds` <= SecondsToChange() pass. True when the lights changed at the end of them.
  bool Pass(int seconds);

  const SignalState& state() const { return state_; }
  // Seconds since the present stage began.
  int seconds_in_stage() const { return seconds_in_stage_; }
  // The phase being served, or being changed to.
  int target_phase() const { return state_.stage == SignalStage::kGreen ? state_.phase : state_.next_phase; }
  // 2 · phase in green, 2 · phase + 1 while it is being left: 0..7 for four green phases.
  int phase_number() const { return 2 * state_.phase + (state_.stage == SignalStage::kGreen ? 0 : 1); }

 private:
  bool one_phase() const { return junction_->phases.size() == 1; }
  // Of the phase being left; empty where it has no clearing steps.
  absl::Span<const int> clearing_seconds() const;
  void BeginYellow();
  void EnterStageAfterYellow();

  const TrafficSettings* settings_ = nullptr;
  const TrafficJunction* junction_ = nullptr;
  SignalState state_;
  int seconds_in_stage_ = 0;
  int committed_seconds_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SIGNAL_TIMING_H_
