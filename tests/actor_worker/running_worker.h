// A whole worker on a thread of its own, for tests against a fake learner.
#ifndef TROUPE_TESTS_ACTOR_WORKER_RUNNING_WORKER_H_
#define TROUPE_TESTS_ACTOR_WORKER_RUNNING_WORKER_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "actor_worker/worker.h"
#include "common/metrics/metrics.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "proto/training_service.grpc.pb.h"
#include "tests/actor_worker/tiny_environment.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {

using Messages = std::vector<wire::WorkerMessage>;

// A worker on a thread of its own; joined by Wait or the destructor.
class RunningWorker {
 public:
  using Tweak = std::function<void(WorkerOptions&)>;
  explicit RunningWorker(const std::string& address, const Tweak& tweak = {}) {
    options_.learner_address = address;
    options_.first_retry = absl::Milliseconds(5);
    options_.longest_retry = absl::Milliseconds(20);
    options_.find_environment = FindTiny;
    options_.flush_timeout = absl::Milliseconds(100);
    options_.stop_requested = [this] { return stop_.load(); };
    options_.end_process = [this](int status) {
      ended_with_ = status;
      TinyFaults::Get().release->Notify();
    };
    if (tweak) tweak(options_);
    thread_ = std::thread([this] { exit_ = RunWorker(options_, &metrics_); });
  }
  ~RunningWorker() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void Stop() { stop_ = true; }
  int Wait() {
    thread_.join();
    return exit_;
  }
  int ended_with() const { return ended_with_; }
  double Count(const std::string& counter) { return metrics_.Counter(counter, "").Value(); }
  std::string Series() { return prometheus::TextSerializer().Serialize(metrics_.registry()->Collect()); }

 private:
  Metrics metrics_;
  WorkerOptions options_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> ended_with_ = -1;
  int exit_ = -1;
  std::thread thread_;
};

class WorkerTest : public testing::Test {
 protected:
  void SetUp() override { TinyFaults::Get().Reset(); }

  static size_t Failures(const Messages& messages) {
    return std::count_if(messages.begin(), messages.end(),
                         [](const auto& message) { return message.has_lease_failure(); });
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_RUNNING_WORKER_H_
