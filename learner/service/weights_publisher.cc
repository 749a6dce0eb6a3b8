#include "learner/service/weights_publisher.h"

#include <utility>
#include <vector>

#include "common/wire/spec_codec.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "proto/weights.pb.h"

namespace troupe {

WeightsPublisher::WeightsPublisher(bool every_version)
    : every_version_(every_version), announcer_("weights", [this] { Announce(); }) {}

WeightsPublisher::~WeightsPublisher() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

size_t WeightsPublisher::Publish(const PolicySnapshot& weights) {
  wire::Weights message;
  EncodeWeights(weights, &message);
  auto published = std::make_shared<PublishedWeights>();
  published->version = weights.policy_version;
  bool own_buffer = false;
  grpc::SerializationTraits<wire::Weights>::Serialize(message, &published->bytes, &own_buffer);
  const size_t bytes = published->bytes.Length();

  absl::MutexLock lock(&mutex_);
  kept_.push_back(std::move(published));
  if (kept_.size() > kVersionsKept) kept_.pop_front();
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
  if (replaced != nullptr) replaced->Close(absl::AbortedError("replaced by a newer subscription of the same worker"));
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
  if (dropped != nullptr) dropped->Close(status);
}

void WeightsPublisher::CloseAll() {
  std::map<std::string, std::weak_ptr<WeightsSubscriber>> subscribers;
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
