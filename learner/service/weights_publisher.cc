#include "learner/service/weights_publisher.h"

#include <utility>

#include "common/threads/sync_point.h"
#include "common/wire/roster_codec.h"
#include "common/wire/spec_codec.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "proto/weights.pb.h"

namespace troupe {
namespace {

std::shared_ptr<PublishedWeights> Serialize(uint64_t version, const wire::Weights& message) {
  auto published = std::make_shared<PublishedWeights>();
  published->version = version;
  bool own_buffer = false;
  grpc::SerializationTraits<wire::Weights>::Serialize(message, &published->bytes, &own_buffer);
  published->num_bytes = published->bytes.Length();
  return published;
}

// Nobody waits for it to read what is on its way: whoever does not would keep that for good.
void End(WeightsSubscriber& subscriber, const absl::Status& status) {
  subscriber.Close(status);
  if (subscriber.version_under_way().has_value()) subscriber.Cut();
}

}  // namespace

WeightsPublisher::WeightsPublisher(bool every_version, size_t versions_kept)
    : every_version_(every_version), versions_kept_(versions_kept), announcer_("weights", [this] { Announce(); }) {}

WeightsPublisher::~WeightsPublisher() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

std::vector<std::shared_ptr<const PublishedWeights>> WeightsPublisher::Opponents(const Roster& roster) {
  std::vector<std::shared_ptr<const PublishedWeights>> messages;
  std::map<const PolicySnapshot*, std::shared_ptr<const PublishedWeights>> before;
  {
    absl::MutexLock lock(&mutex_);
    before = opponents_;
  }
  for (const Roster::Opponent& opponent : roster.opponents) {
    const auto found = before.find(opponent.actors.get());
    if (found != before.end()) {
      messages.push_back(found->second);
      continue;
    }
    wire::Weights message;
    EncodeWeights(*opponent.actors, &message);
    message.set_saved_version(opponent.actors->policy_version);
    messages.push_back(Serialize(opponent.actors->policy_version, message));
  }
  return messages;
}

size_t WeightsPublisher::Publish(const PolicySnapshot& weights) {
  wire::Weights message;
  EncodeWeights(weights, &message);
  std::vector<std::shared_ptr<const PublishedWeights>> opponents;
  if (weights.roster != nullptr) {
    EncodeRoster(*weights.roster, message.mutable_roster());
    opponents = Opponents(*weights.roster);
  }
  const auto published = Serialize(weights.policy_version, message);
  published->opponents = opponents;
  const size_t bytes = published->num_bytes;

  const SyncPoint point("weights.publish");
  absl::MutexLock lock(&mutex_);
  if (weights.roster != roster_) {
    roster_ = weights.roster;
    opponents_.clear();
    for (size_t i = 0; i < opponents.size(); ++i) {
      opponents_.emplace(roster_->opponents[i].actors.get(), std::move(opponents[i]));
    }
  }
  kept_.push_back(published);
  if (kept_.size() > versions_kept_) {
    retired_.push_back(kept_.front());
    kept_.pop_front();
  }
  std::erase_if(retired_, [](const auto& version) { return version.expired(); });
  unannounced_ = true;
  return bytes;
}

void WeightsPublisher::Announce() {
  while (true) {
    std::vector<std::shared_ptr<WeightsSubscriber>> awake;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &WeightsPublisher::HasNewsOrStops));
      if (stopping_) return;
      unannounced_ = false;
      std::erase_if(subscribers_, [](const auto& entry) { return entry.second.expired(); });
      for (const auto& [worker_id, subscriber] : subscribers_) {
        if (auto alive = subscriber.lock()) awake.push_back(std::move(alive));
      }
    }
    const SyncPoint point("weights.announce");
    for (const auto& subscriber : awake) subscriber->Wake();
  }
}

std::shared_ptr<const PublishedWeights> WeightsPublisher::Next(std::optional<uint64_t> sent) const {
  absl::MutexLock lock(&mutex_);
  if (kept_.empty() || (sent.has_value() && kept_.back()->version <= *sent)) return nullptr;
  if (!every_version_) return kept_.back();
  for (const auto& published : kept_) {
    if (!sent.has_value() || published->version > *sent) return published;
  }
  return nullptr;
}

std::optional<uint64_t> WeightsPublisher::newest_version() const {
  absl::MutexLock lock(&mutex_);
  if (kept_.empty()) return std::nullopt;
  return kept_.back()->version;
}

void WeightsPublisher::Subscribe(const std::string& worker_id, const std::shared_ptr<WeightsSubscriber>& subscriber) {
  std::shared_ptr<WeightsSubscriber> replaced;
  bool closed;
  {
    absl::MutexLock lock(&mutex_);
    std::weak_ptr<WeightsSubscriber>& place = subscribers_[worker_id];
    replaced = place.lock();
    place = subscriber;
    closed = closed_;
  }
  if (replaced != nullptr) {
    End(*replaced, absl::AbortedError("replaced by a newer subscription of the same worker"));
  }
  if (closed) {
    subscriber->Close(absl::OkStatus());
  } else {
    subscriber->Wake();
  }
}

void WeightsPublisher::Drop(const std::string& worker_id, const absl::Status& status) {
  std::shared_ptr<WeightsSubscriber> dropped;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = subscribers_.find(worker_id);
    if (found == subscribers_.end()) return;
    dropped = found->second.lock();
    subscribers_.erase(found);
  }
  if (dropped != nullptr) End(*dropped, status);
}

size_t WeightsPublisher::bytes_behind() const {
  absl::MutexLock lock(&mutex_);
  size_t bytes = 0;
  for (const auto& retired : retired_) {
    if (const auto version = retired.lock()) bytes += version->num_bytes;
  }
  return bytes;
}

int WeightsPublisher::CutFurthestBehind(size_t max_bytes) {
  std::optional<uint64_t> too_old;
  std::vector<std::shared_ptr<WeightsSubscriber>> subscribers;
  {
    absl::MutexLock lock(&mutex_);
    size_t bytes = 0;
    for (auto retired = retired_.rbegin(); retired != retired_.rend() && !too_old.has_value(); ++retired) {
      const auto version = retired->lock();
      if (version == nullptr) continue;
      bytes += version->num_bytes;
      if (bytes > max_bytes) too_old = version->version;
    }
    if (!too_old.has_value()) return 0;
    for (const auto& [worker_id, subscriber] : subscribers_) {
      if (auto alive = subscriber.lock()) subscribers.push_back(std::move(alive));
    }
  }
  int cut = 0;
  for (const auto& subscriber : subscribers) {
    const std::optional<uint64_t> version = subscriber->version_under_way();
    if (!version.has_value() || *version > *too_old) continue;
    subscriber->Cut();
    cut += 1;
  }
  return cut;
}

void WeightsPublisher::CloseAll() {
  std::map<std::string, std::weak_ptr<WeightsSubscriber>> subscribers;
  const SyncPoint point("drain.cut_weights");
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    subscribers.swap(subscribers_);
  }
  for (const auto& [worker_id, subscriber] : subscribers) {
    if (auto alive = subscriber.lock()) alive->Close(absl::OkStatus());
  }
}

}  // namespace troupe
