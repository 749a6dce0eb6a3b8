#include "actor_worker/environments/traffic/signal_timing.h"

#include <algorithm>
#include <limits>

namespace troupe {

void SignalTiming::Reset() {
  state_ = SignalState{};
  seconds_in_stage_ = 0;
  committed_seconds_ = 0;
}

bool SignalTiming::MayStay() const {
  return one_phase() || seconds_in_stage_ + settings_->decision_interval_seconds <= settings_->max_green_seconds;
}

bool SignalTiming::MayLeave() const {
  return !one_phase() && !in_transition() && seconds_in_stage_ >= settings_->min_green_seconds;
}

bool SignalTiming::MayExtend() const {
  const int held = std::max(settings_->extension_seconds, settings_->decision_interval_seconds);
  return !in_transition() && !committed() && seconds_in_stage_ + held <= settings_->max_green_seconds;
}

absl::Span<const int> SignalTiming::clearing_seconds() const {
  if (junction_->clearing_seconds.empty()) return {};
  return junction_->clearing_seconds[state_.phase];
}

void SignalTiming::ChangeTo(int phase) {
  state_.next_phase = phase;
  committed_seconds_ = 0;
  if (clearing_seconds().empty()) return BeginYellow();
  state_.stage = SignalStage::kClearing;
  state_.step = 0;
  seconds_in_stage_ = 0;
}

void SignalTiming::BeginYellow() {
  state_.stage = SignalStage::kYellow;
  state_.step = 0;
  seconds_in_stage_ = 0;
  if (settings_->yellow_seconds == 0) EnterStageAfterYellow();
}

void SignalTiming::EnterStageAfterYellow() {
  seconds_in_stage_ = 0;
  if (settings_->all_red_seconds > 0) {
    state_.stage = SignalStage::kAllRed;
  } else {
    state_ = {SignalStage::kGreen, state_.next_phase, state_.next_phase};
  }
}

int SignalTiming::SecondsToChange() const {
  switch (state_.stage) {
    case SignalStage::kClearing:
      return clearing_seconds()[state_.step] - seconds_in_stage_;
    case SignalStage::kYellow:
      return settings_->yellow_seconds - seconds_in_stage_;
    case SignalStage::kAllRed:
      return settings_->all_red_seconds - seconds_in_stage_;
    case SignalStage::kGreen:
      break;
  }
  return std::numeric_limits<int>::max();
}

bool SignalTiming::Pass(int seconds) {
  const bool changes = seconds == SecondsToChange();
  seconds_in_stage_ += seconds;
  committed_seconds_ = std::max(0, committed_seconds_ - seconds);
  if (!changes) return false;
  if (state_.stage == SignalStage::kClearing) {
    if (state_.step + 1 == static_cast<int>(clearing_seconds().size())) {
      BeginYellow();
    } else {
      ++state_.step;
      seconds_in_stage_ = 0;
    }
  } else if (state_.stage == SignalStage::kYellow) {
    EnterStageAfterYellow();
  } else {
    state_ = {SignalStage::kGreen, state_.next_phase, state_.next_phase};
    seconds_in_stage_ = 0;
  }
  return true;
}

}  // namespace troupe
