#include "learner/local_workers/worker_supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(50);
constexpr absl::Duration kTermPatience = absl::Seconds(2);

}  // namespace

struct WorkerSupervisor::Worker {
  Worker(int index, std::string path, size_t max_bytes) : index(index), log(std::move(path), max_bytes) {}

  const int index;
  WorkerLog log;
  std::unique_ptr<PipedProcess> child;  // null while it waits to be started
  SteadyTime started = SteadyTime::InfinitePast();
  SteadyTime due = SteadyTime::InfinitePast();  // when to start it
  bool output_open = false;
};

WorkerSupervisor::WorkerSupervisor(WorkerSupervisorOptions options, Console* console, Metrics* metrics)
    : options_(std::move(options)),
      console_(*console),
      metrics_(*metrics),
      policy_(options_.num_workers, options_.limits) {
  for (int i = 0; i < options_.num_workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, LogPath(i), options_.max_log_bytes));
    metrics_.Counter("troupe_worker_restarts_total", "Local workers started again.", {{"worker", absl::StrCat(i)}});
  }
  thread_ = NamedThread("supervisor", [this] { Run(); });
}

WorkerSupervisor::~WorkerSupervisor() { Stop(absl::ZeroDuration()); }

absl::Status WorkerSupervisor::health() const {
  absl::MutexLock lock(&mutex_);
  return health_;
}

std::string WorkerSupervisor::last_words() const {
  absl::MutexLock lock(&mutex_);
  return absl::StrCat(LogPath(0), ": ", last_line_.empty() ? "nothing yet" : absl::StrCat("\"", last_line_, "\""));
}

std::string WorkerSupervisor::LogPath(int index) const { return absl::StrCat(options_.log_folder, "/", index, ".log"); }

void WorkerSupervisor::Stop(absl::Duration grace) {
  {
    absl::MutexLock lock(&mutex_);
    stop_deadline_ = std::min(stop_deadline_, SteadyTime::Now() + grace);
  }
  thread_.Join();
}

SteadyTime WorkerSupervisor::stop_deadline() const {
  absl::MutexLock lock(&mutex_);
  return stop_deadline_;
}

void WorkerSupervisor::Fail(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (health_.ok()) health_ = status;
}

void WorkerSupervisor::Run() {
  while (stop_deadline() == SteadyTime::InfiniteFuture()) {
    StartDue(SteadyTime::Now());
    ReadOutputs(kPoll);
    ReapEnded(SteadyTime::Now());
  }
  EndAll(stop_deadline());
}

void WorkerSupervisor::StartDue(SteadyTime now) {
  for (auto& worker : workers_) {
    if (worker->child != nullptr || now < worker->due) continue;
    absl::StatusOr<std::unique_ptr<PipedProcess>> child = PipedProcess::Start(options_.command);
    if (!child.ok()) {
      worker->due = SteadyTime::InfiniteFuture();
      Fail(absl::Status(child.status().code(),
                        absl::StrCat("local worker cannot be started: ", child.status().message())));
      continue;
    }
    worker->child = *std::move(child);
    worker->started = now;
    worker->output_open = true;
  }
}

void WorkerSupervisor::ReadOutputs(absl::Duration patience) {
  std::vector<pollfd> descriptors;
  for (const auto& worker : workers_) {
    if (worker->child != nullptr && worker->output_open) descriptors.push_back({worker->child->output(), POLLIN, 0});
  }
  poll(descriptors.data(), descriptors.size(), static_cast<int>(absl::ToInt64Milliseconds(patience)));
  for (auto& worker : workers_) {
    if (worker->child == nullptr || !worker->output_open) continue;
    std::string text;
    worker->output_open = worker->child->ReadOutput(&text);
    worker->log.Append(text);
    if (worker->index != 0 || text.empty()) continue;
    absl::MutexLock lock(&mutex_);
    last_line_ = worker->log.LastLine();
  }
}

void WorkerSupervisor::ReapEnded(SteadyTime now) {
  for (auto& worker : workers_) {
    if (worker->child == nullptr) continue;
    const std::optional<int> wait_status = worker->child->Poll();
    if (wait_status.has_value()) OnEnd(*worker, *wait_status, now);
  }
}

void WorkerSupervisor::OnEnd(Worker& worker, int wait_status, SteadyTime now) {
  std::string rest;
  worker.child->ReadOutput(&rest);
  worker.log.Append(rest);
  worker.child = nullptr;
  worker.due = SteadyTime::InfiniteFuture();
  if (stop_deadline() != SteadyTime::InfiniteFuture()) return;
  const std::string last_line = worker.log.LastLine();
  std::string text = absl::StrCat("local worker ", worker.index, " ", DescribeWaitStatus(wait_status),
                                  last_line.empty() ? "" : absl::StrCat(", its last line: \"", last_line, "\""));
  const std::vector<int>& hopeless = options_.hopeless_exit_statuses;
  if (WIFEXITED(wait_status) && std::count(hopeless.begin(), hopeless.end(), WEXITSTATUS(wait_status)) > 0) {
    Fail(absl::FailedPreconditionError(absl::StrCat(text, " (", worker.log.path(), ")")));
    return;
  }
  const absl::StatusOr<absl::Duration> delay = policy_.OnEnd(worker.index, worker.started, now);
  if (!delay.ok()) {
    Fail(absl::Status(delay.status().code(),
                      absl::StrCat(delay.status().message(), "; ", text, " (", worker.log.path(), ")")));
    return;
  }
  metrics_
      .Counter("troupe_worker_restarts_total", "Local workers started again.", {{"worker", absl::StrCat(worker.index)}})
      .Increment();
  console_.Warning(
      absl::StrCat(text, "; started again in ", absl::FormatDuration(*delay), " (", worker.log.path(), ")"));
  worker.due = now + *delay;
}

bool WorkerSupervisor::AnyRunning() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->child != nullptr; });
}

void WorkerSupervisor::EndAll(SteadyTime deadline) {
  const auto wait_until = [this](auto moment) {
    while (AnyRunning() && SteadyTime::Now() < moment()) {
      ReadOutputs(kPoll);
      ReapEnded(SteadyTime::Now());
    }
  };
  const auto signal_all = [this](int signal) {
    for (auto& worker : workers_) {
      if (worker->child != nullptr) worker->child->Signal(signal);
    }
  };
  wait_until([this, deadline] { return std::min(deadline, stop_deadline()); });
  signal_all(SIGTERM);
  const SteadyTime last = SteadyTime::Now() + kTermPatience;
  wait_until([last] { return last; });
  signal_all(SIGKILL);
  wait_until([] { return SteadyTime::InfiniteFuture(); });
}

}  // namespace troupe
