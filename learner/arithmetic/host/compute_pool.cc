#include "learner/arithmetic/host/compute_pool.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {
namespace {

// A few tens of microseconds: longer than what lies between two parallel parts of a minibatch, too short to hurt.
constexpr int kSpins = 4000;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `value` is no longer `seen`.
void WaitForChange(const std::atomic<uint32_t>& value, uint32_t seen) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != seen) return;
    Pause();
  }
  value.wait(seen, std::memory_order_acquire);
}

// LibTorch asks OpenMP, thread by thread, how many threads it may use.
void UseOneOpenMpThread() {
  thread_local const bool done = [] { return omp_set_num_threads(1), true; }();
  (void)done;
}

class Pool {
 public:
  explicit Pool(int lanes) : lanes_(lanes) {
    for (int lane = 1; lane < lanes; ++lane) threads_.emplace_back([this, lane] { Serve(lane); });
  }
  ~Pool() {
    stopping_ = true;
    Start();
    for (std::thread& thread : threads_) thread.join();
  }

  int lanes() const { return lanes_; }

  void Run(int64_t tasks, absl::FunctionRef<void(int, int64_t, int64_t)> body) {
    UseOneOpenMpThread();
    if (lanes_ == 1 || tasks <= 1) {
      if (tasks > 0) body(0, 0, tasks);
      return;
    }
    const std::lock_guard lock(turn_);
    tasks_ = tasks;
    body_ = &body;
    running_.store(lanes_ - 1, std::memory_order_relaxed);
    Start();
    RunLane(0);
    for (uint32_t left; (left = running_.load(std::memory_order_acquire)) != 0;) WaitForChange(running_, left);
  }

 private:
  void Start() {
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
  }

  void RunLane(int lane) {
    const int64_t begin = tasks_ * lane / lanes_, end = tasks_ * (lane + 1) / lanes_;
    if (begin < end) (*body_)(lane, begin, end);
  }

  void Serve(int lane) {
    UseOneOpenMpThread();
    for (uint32_t seen = 0;; ++seen) {
      WaitForChange(generation_, seen);
      if (stopping_) return;
      RunLane(lane);
      running_.fetch_sub(1, std::memory_order_acq_rel);
      running_.notify_one();
    }
  }

  const int lanes_;
  std::mutex turn_;
  // Written by the caller before a generation starts, read by the lanes after.
  int64_t tasks_ = 0;
  const absl::FunctionRef<void(int, int64_t, int64_t)>* body_ = nullptr;
  bool stopping_ = false;
  std::atomic<uint32_t> generation_{0};
  std::atomic<uint32_t> running_{0};
  std::vector<std::thread> threads_;
};

std::unique_ptr<Pool>& Instance() {
  static std::unique_ptr<Pool> pool = std::make_unique<Pool>(1);
  return pool;
}

}  // namespace

void SetComputeThreads(int threads) {
  if (threads == ComputeThreads()) return;
  Instance() = std::make_unique<Pool>(std::max(1, threads));
}

int ComputeThreads() { return Instance()->lanes(); }

void ParallelFor(int64_t tasks, absl::FunctionRef<void(int lane, int64_t begin, int64_t end)> body) {
  Instance()->Run(tasks, body);
}

void ParallelTasks(int64_t tasks, absl::FunctionRef<void(int lane, int64_t task)> body) {
  std::atomic<int64_t> next{0};
  ParallelFor(std::min<int64_t>(tasks, ComputeThreads()), [&](int lane, int64_t, int64_t) {
    for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) body(lane, task);
  });
}

}  // namespace troupe
