// A data-parallel group whose ranks are threads of one process.
#ifndef TROUPE_TESTS_SUPPORT_THREAD_RANKS_H_
#define TROUPE_TESTS_SUPPORT_THREAD_RANKS_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "learner/ranks/collective.h"

namespace troupe {

// Where the threads meet: everybody brings numbers, everybody takes their sums away, added in the order of ranks.
class MeetingPlace {
 public:
  explicit MeetingPlace(int size) : size_(size), brought_(size) {}
  int size() const { return size_; }

  std::vector<double> Sum(int rank, std::vector<double> values) {
    absl::MutexLock lock(&mutex_);
    const int64_t round = round_;
    brought_[rank] = std::move(values);
    if (++here_ == size_) {
      sums_.assign(brought_[0].size(), 0.0);
      for (const std::vector<double>& part : brought_) {
        if (part.size() != sums_.size()) throw std::logic_error("ranks brought unlike numbers of values");
        for (size_t i = 0; i < part.size(); ++i) sums_[i] += part[i];
      }
      here_ = 0;
      ++round_;
    }
    const auto done = [&] { return round_ > round; };
    mutex_.Await(absl::Condition(&done));
    // The next round cannot end, and so not overwrite the sums, before this rank has come back.
    return sums_;
  }

 private:
  const int size_;
  absl::Mutex mutex_;
  std::vector<std::vector<double>> brought_;
  std::vector<double> sums_;
  int here_ = 0;
  int64_t round_ = 0;
};

class ThreadRank final : public Collective {
 public:
  // Where a tensor's floats lie; those who sum tensors know LibTorch.
  using FloatsOf = std::function<absl::Span<float>(at::Tensor*)>;

  ThreadRank(MeetingPlace* place, int rank, FloatsOf floats_of)
      : place_(*place), rank_(rank), floats_of_(std::move(floats_of)) {}

  int rank() const override { return rank_; }
  int size() const override { return place_.size(); }
  void Sum(absl::Span<double> values) override {
    if (!Counts()) return;
    const std::vector<double> sums = place_.Sum(rank_, {values.begin(), values.end()});
    std::copy(sums.begin(), sums.end(), values.begin());
  }
  void Sum(at::Tensor* values) override {
    if (!Counts()) return;
    const absl::Span<float> floats = floats_of_(values);
    const std::vector<double> sums = place_.Sum(rank_, {floats.begin(), floats.end()});
    std::copy(sums.begin(), sums.end(), floats.begin());
  }
  void Broadcast(std::string* bytes) override {
    if (!Counts()) return;
    const size_t size = static_cast<size_t>(place_.Sum(rank_, {rank_ == 0 ? bytes->size() * 1.0 : 0.0})[0]);
    std::vector<double> letters(size);
    if (rank_ == 0) std::copy(bytes->begin(), bytes->end(), letters.begin());
    letters = place_.Sum(rank_, letters);
    bytes->assign(letters.begin(), letters.end());
  }
  absl::Status status() const override {
    return calls_left_ == 0 ? absl::UnavailableError("rank 1 is gone") : absl::OkStatus();
  }

  // The group fails for everybody after that many calls.
  void FailAfter(int calls) { calls_left_ = calls; }

 private:
  bool Counts() { return calls_left_ < 0 || (calls_left_ > 0 && --calls_left_ > 0); }

  MeetingPlace& place_;
  const int rank_;
  const FloatsOf floats_of_;
  int calls_left_ = -1;
};

// Calls body(rank) on a thread each.
inline void RunRanks(int size, const std::function<void(std::shared_ptr<ThreadRank>)>& body,
                     const ThreadRank::FloatsOf& floats_of = nullptr) {
  MeetingPlace place(size);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] { body(std::make_shared<ThreadRank>(&place, rank, floats_of)); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_THREAD_RANKS_H_
