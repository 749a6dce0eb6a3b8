#include "learner/ranks/interruptible_ranks.h"

#include <algorithm>
#include <array>

#include "absl/types/span.h"

namespace troupe {
namespace {

// Questions between two agreements, however short the minibatches are.
constexpr uint64_t kLongestInterval = 4096;

}  // namespace

void InterruptibleRanks::Allow() {
  allowed_ = true;
  interrupted_ = false;
  agreed_ = SteadyTime::Now();
}

absl::Status InterruptibleRanks::status() const {
  if (absl::Status status = ranks_->status(); !status.ok()) return status;
  if (allowed_ && !interrupted_) Ask();
  return allowed_ && interrupted_ ? absl::CancelledError("the update is interrupted") : absl::OkStatus();
}

void InterruptibleRanks::Ask() const {
  if (size() == 1) {
    interrupted_ = stop_requested_();
    return;
  }
  if (--left_ > 0) return;
  const SteadyTime now = SteadyTime::Now();
  // The sums, and with them what follows, are the same on every rank.
  std::array<double, 2> sums = {stop_requested_() ? 1.0 : 0.0, absl::ToDoubleSeconds(now - agreed_) / size()};
  ranks_->Sum(absl::MakeSpan(sums));
  interrupted_ = ranks_->status().ok() && sums[0] > 0;
  const double wanted = static_cast<double>(interval_) * absl::ToDoubleSeconds(kAgreeEvery) / std::max(sums[1], 1e-6);
  interval_ = static_cast<uint64_t>(std::clamp(wanted, 1.0, static_cast<double>(kLongestInterval)));
  left_ = interval_;
  agreed_ = now;
}

}  // namespace troupe
