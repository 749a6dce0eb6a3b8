#include "learner/sweep/run_pool.h"

#include <poll.h>
#include <signal.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/processes/piped_process.h"
#include "learner/local_workers/worker_log.h"

namespace troupe {
namespace {

constexpr int kPollMilliseconds = 100;

class Pool {
 public:
  Pool(const std::vector<PooledRun>& runs, const RunPoolLimits& limits, const RunPoolEvents& events)
      : runs_(runs), limits_(limits), events_(events) {}

  absl::Status Run(const std::function<bool()>& stop_requested) {
    while (true) {
      const bool stop = stop_requested();
      if (!stop) StartNext();
      if (active_.empty()) return stop ? absl::CancelledError("stopped by request") : absl::OkStatus();
      ReadOutputs();
      EndLate(stop, SteadyTime::Now());
      Reap();
      Tell();
    }
  }

 private:
  struct Active {
    size_t index;
    std::unique_ptr<PipedProcess> child;
    std::unique_ptr<WorkerLog> log;
    SteadyTime started;
    bool output_open = true;
    bool too_late = false;
    std::optional<SteadyTime> told_to_end;
  };

  void StartNext() {
    while (next_ < runs_.size() && static_cast<int>(active_.size()) < limits_.parallel) {
      const size_t index = next_++;
      events_.started(index);
      absl::StatusOr<std::unique_ptr<PipedProcess>> child = PipedProcess::Start(runs_[index].command);
      if (!child.ok()) {
        events_.ended(index, child.status());
        continue;
      }
      active_.push_back({index, *std::move(child),
                         std::make_unique<WorkerLog>(runs_[index].log_path, limits_.log_bytes), SteadyTime::Now()});
    }
  }

  void ReadOutputs() {
    std::vector<pollfd> descriptors;
    for (const Active& run : active_) {
      if (run.output_open) descriptors.push_back({run.child->output(), POLLIN, 0});
    }
    poll(descriptors.data(), descriptors.size(), kPollMilliseconds);
    for (Active& run : active_) {
      std::string text;
      if (run.output_open) run.output_open = run.child->ReadOutput(&text);
      run.log->Append(text);
    }
  }

  void EndLate(bool stop, SteadyTime now) {
    for (Active& run : active_) {
      if (!run.told_to_end.has_value() && (stop || now - run.started >= limits_.run)) {
        run.too_late = !stop;
        run.told_to_end = now;
        run.child->Signal(SIGTERM);
      } else if (run.told_to_end.has_value() && now - *run.told_to_end >= limits_.grace) {
        run.child->Signal(SIGKILL);
      }
    }
  }

  void Reap() {
    for (size_t i = 0; i < active_.size();) {
      const std::optional<int> wait_status = active_[i].child->Poll();
      if (!wait_status.has_value()) {
        ++i;
        continue;
      }
      std::string rest;
      active_[i].child->ReadOutput(&rest);
      active_[i].log->Append(rest);
      const size_t index = active_[i].index;
      const absl::Status status = HowItEnded(active_[i], *wait_status);
      active_.erase(active_.begin() + i);
      events_.ended(index, status);
    }
  }

  absl::Status HowItEnded(const Active& run, int wait_status) const {
    if (run.too_late) {
      return absl::DeadlineExceededError(
          absl::StrCat("was ended after ", absl::FormatDuration(limits_.run), " (", run.log->path(), ")"));
    }
    if (wait_status == 0) return absl::OkStatus();
    const std::string last_line = run.log->LastLine();
    return absl::InternalError(absl::StrCat(
        DescribeWaitStatus(wait_status), last_line.empty() ? "" : absl::StrCat(", its last line: \"", last_line, "\""),
        " (", run.log->path(), ")"));
  }

  void Tell() {
    std::vector<std::pair<size_t, std::string>> last_lines;
    for (const Active& run : active_) last_lines.emplace_back(run.index, run.log->LastLine());
    events_.progress(last_lines);
  }

  const std::vector<PooledRun>& runs_;
  const RunPoolLimits& limits_;
  const RunPoolEvents& events_;
  size_t next_ = 0;
  std::vector<Active> active_;
};

}  // namespace

absl::Status RunAll(const std::vector<PooledRun>& runs, const RunPoolLimits& limits, const RunPoolEvents& events,
                    const std::function<bool()>& stop_requested) {
  return Pool(runs, limits, events).Run(stop_requested);
}

}  // namespace troupe
