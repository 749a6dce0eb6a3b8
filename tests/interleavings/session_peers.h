// The far side of a session without a network: streams that behave as gRPC's reactors do, on the threads of whoever
// calls.
#ifndef TROUPE_TESTS_INTERLEAVINGS_SESSION_PEERS_H_
#define TROUPE_TESTS_INTERLEAVINGS_SESSION_PEERS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "learner/service/training_session.h"

namespace troupe::testing {

// As TrajectoryReactor: one message at a time, handled again when it was parked and is resumed.
class PeerStream final : public WorkerStream, public ParkedStream, public std::enable_shared_from_this<PeerStream> {
 public:
  explicit PeerStream(TrainingSession* session) : session_(session) {}

  // The worker has sent it. Not while an earlier one is parked; nothing happens on a stream that has ended.
  void Deliver(const wire::WorkerMessage& message) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_.has_value()) return;
      reading_ = Reading::kHandling;
    }
    bytes_ = message.SerializeAsString();
    received_.Clear();
    const std::vector<absl::string_view> pieces = {bytes_};
    const absl::Status status = ReadMessage(pieces, session_->LimitsOf(worker_id_), &received_);
    if (status.ok()) return Handle();
    End(session_->Unreadable(this, worker_id_, received_, status));
  }

  void Send(wire::LearnerMessage message) override {
    absl::MutexLock lock(&mutex_);
    if (ended_.has_value()) return;
    told_to_go_ = told_to_go_ || message.has_drain();
    inbox_.push_back(std::move(message));
  }
  void Close(const absl::Status& status) override { End(status); }
  void Resume() override {
    {
      absl::MutexLock lock(&mutex_);
      if (reading_ != Reading::kParked) {
        resume_wanted_ = reading_ == Reading::kHandling;
        return;
      }
      if (ended_.has_value()) return;
      reading_ = Reading::kHandling;
    }
    Handle();
  }

  // What came so far, taken.
  std::vector<wire::LearnerMessage> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(inbox_, {});
  }
  bool is_parked() const {
    absl::MutexLock lock(&mutex_);
    return reading_ == Reading::kParked;
  }
  // What it was ended with; nothing: it is open.
  std::optional<absl::Status> ended() const {
    absl::MutexLock lock(&mutex_);
    return ended_;
  }
  // That the run has ended.
  bool told_to_go() const {
    absl::MutexLock lock(&mutex_);
    return told_to_go_;
  }
  const std::string& worker_id() const { return worker_id_; }

 private:
  enum class Reading { kIdle, kHandling, kParked };

  void Handle() {
    while (true) {
      const auto handled = session_->HandleMessage(shared_from_this(), shared_from_this(), received_, &worker_id_);
      absl::MutexLock lock(&mutex_);
      if (!handled.ok() && !ended_.has_value()) ended_ = handled.status();
      if (!handled.ok() || *handled == TrainingSession::Handled::kDone) {
        reading_ = Reading::kIdle;
        resume_wanted_ = false;
        return;
      }
      if (!std::exchange(resume_wanted_, false)) {
        reading_ = Reading::kParked;
        return;
      }
    }
  }
  void End(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    if (!ended_.has_value()) ended_ = status;
  }

  TrainingSession* const session_;
  // Whoever handles has them.
  std::string bytes_, worker_id_;
  ReceivedMessage received_;

  mutable absl::Mutex mutex_;
  Reading reading_ ABSL_GUARDED_BY(mutex_) = Reading::kIdle;
  bool resume_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool told_to_go_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
  std::vector<wire::LearnerMessage> inbox_ ABSL_GUARDED_BY(mutex_);
};

// As WeightsReactor, of a worker that reads at once.
class PeerSubscriber final : public WeightsSubscriber {
 public:
  explicit PeerSubscriber(const WeightsPublisher* publisher) : publisher_(publisher) {}

  void Wake() override {
    absl::MutexLock lock(&mutex_);
    while (!ended_.has_value()) {
      const auto next = publisher_->Next(versions_.empty() ? std::nullopt : std::optional(versions_.back()));
      if (next == nullptr) return;
      versions_.push_back(next->version);
    }
  }
  void Close(const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    if (!ended_.has_value()) ended_ = status;
  }
  std::optional<uint64_t> version_under_way() const override { return std::nullopt; }
  void Cut() override {}

  std::vector<uint64_t> versions() const {
    absl::MutexLock lock(&mutex_);
    return versions_;
  }
  std::optional<absl::Status> ended() const {
    absl::MutexLock lock(&mutex_);
    return ended_;
  }

 private:
  const WeightsPublisher* const publisher_;
  mutable absl::Mutex mutex_;
  std::vector<uint64_t> versions_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTERLEAVINGS_SESSION_PEERS_H_
