// Ends an update before its time: a learner that is asked to stop does not train on for minutes.
#ifndef TROUPE_LEARNER_RANKS_INTERRUPTIBLE_RANKS_H_
#define TROUPE_LEARNER_RANKS_INTERRUPTIBLE_RANKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "learner/ranks/collective.h"

namespace troupe {

// The ranks as an algorithm is given them. Whoever steps networks asks status() after every minibatch and ends when it
// is no longer OK, because a rank may be lost; here it becomes CANCELLED as well once an update that may be interrupted
// is to stop. Every rank stops after the same minibatch: they agree about once a second, for which each asks status()
// equally often, as it makes the same calls. Not thread-safe, as Collective.
class InterruptibleRanks final : public Collective {
 public:
  static constexpr absl::Duration kAgreeEvery = absl::Seconds(1);

  // `stop_requested` is asked in the middle of updates; it is quick.
  InterruptibleRanks(std::shared_ptr<Collective> ranks, std::function<bool()> stop_requested)
      : ranks_(std::move(ranks)), stop_requested_(std::move(stop_requested)) {}

  // Around an update that can be taken back; the same on every rank.
  void Allow();
  void Forbid() { allowed_ = false; }
  // Whether the last update that was allowed to has been interrupted.
  bool interrupted() const { return interrupted_; }

  int rank() const override { return ranks_->rank(); }
  int size() const override { return ranks_->size(); }
  void Sum(absl::Span<double> values) override { ranks_->Sum(values); }
  void Sum(at::Tensor* values) override { ranks_->Sum(values); }
  void Broadcast(std::string* bytes) override { ranks_->Broadcast(bytes); }
  absl::Status status() const override;

 private:
  void Ask() const;

  const std::shared_ptr<Collective> ranks_;
  const std::function<bool()> stop_requested_;
  bool allowed_ = false;
  mutable bool interrupted_ = false;
  // Of several ranks: questions until they agree anew, and between the last two times.
  mutable uint64_t left_ = 1;
  mutable uint64_t interval_ = 1;
  mutable SteadyTime agreed_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RANKS_INTERRUPTIBLE_RANKS_H_
