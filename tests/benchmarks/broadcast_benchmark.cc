// From LearnerServer::Publish to the new version in every worker's policy store, over a connection per worker.
//
//   broadcast_benchmark [--workers=1,4,16,64] [--versions=20]
//
// Per policy and number of workers: the message's size; milliseconds after the call until half of the workers and until
// the last one have a version, each the median over the versions (and the slowest of them); the time Publish takes.
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/config/experiment_loader.h"
#include "common/processes/piped_process.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/replay_learner.h"
#include "tests/benchmarks/support/stopwatch.h"

ABSL_FLAG(std::vector<std::string>, workers, std::vector<std::string>({"4"}), "numbers of workers, one row each");
ABSL_FLAG(int, versions, 8, "versions published per row");
ABSL_FLAG(double, interval_seconds, 0.1, "between two versions, once all workers have the last");
ABSL_FLAG(std::string, experiment, TROUPE_SOURCE_DIR "/deploy/experiments/traffic_grid.textproto",
          "whose policy is sent, and one of a million parameters for the same agents");

namespace troupe::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr absl::Duration kLastVersionArrives = absl::Seconds(3);

struct Arrivals {
  std::map<uint64_t, int64_t> published;              // by version, nanoseconds
  std::map<uint64_t, std::vector<int64_t>> received;  // by version, nanoseconds, as they came
  std::vector<double> publish_milliseconds;
};

void ReadArrivals(PipedProcess& peer, Arrivals* arrivals) {
  std::string text;
  while (peer.ReadOutput(&text)) absl::SleepFor(absl::Milliseconds(1));
  std::istringstream lines(text);
  int worker = 0;
  uint64_t version = 0;
  int64_t nanoseconds = 0;
  while (lines >> worker >> version >> nanoseconds) arrivals->received[version].push_back(nanoseconds);
}

Arrivals Broadcast(const Experiment& experiment, int workers, size_t* weights_bytes) {
  ReplayLearner learner(experiment, workers);
  const auto peer = Must(PipedProcess::Start(
      {TROUPE_BIN_DIR "/stream_peer", "listen", absl::StrCat(learner.port()), absl::StrCat(workers)}));
  learner.Begin(/*train=*/false);
  while (learner.chunks_by_worker().size() < static_cast<size_t>(workers)) absl::SleepFor(absl::Milliseconds(10));
  absl::SleepFor(absl::Seconds(1));
  Arrivals arrivals;
  for (int version = 1; version <= absl::GetFlag(FLAGS_versions); ++version) {
    const Clock::time_point began = Clock::now();
    learner.Publish();
    arrivals.published[version] = began.time_since_epoch().count();
    arrivals.publish_milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
    absl::SleepFor(absl::Seconds(absl::GetFlag(FLAGS_interval_seconds)) *
                   (learner.weights_bytes() > 1'000'000 ? 10 : 1));
  }
  absl::SleepFor(kLastVersionArrives);
  *weights_bytes = learner.weights_bytes();
  learner.Drain();
  ReadArrivals(*peer, &arrivals);
  return arrivals;
}

void PrintRow(const std::string& name, const Experiment& experiment, int workers) {
  size_t weights_bytes = 0;
  const Arrivals arrivals = Broadcast(experiment, workers, &weights_bytes);
  std::vector<double> half, last;
  for (const auto& [version, began] : arrivals.published) {
    const auto found = arrivals.received.find(version);
    Must(found != arrivals.received.end() && found->second.size() == static_cast<size_t>(workers),
         absl::StrCat("version ", version, " at every worker"));
    std::vector<int64_t> times = found->second;
    std::ranges::sort(times);
    half.push_back(1e-6 * static_cast<double>(times[times.size() / 2] - began));
    last.push_back(1e-6 * static_cast<double>(times.back() - began));
  }
  std::printf("%-14s %9.1f %8d %10.1f %10.1f %12.1f %10.2f\n", name.c_str(), static_cast<double>(weights_bytes) / 1e3,
              workers, Median(half), Median(last), *std::ranges::max_element(last),
              Median(arrivals.publish_milliseconds));
  std::fflush(stdout);
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  using namespace troupe;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as learner/main.cc
  absl::ParseCommandLine(argc, argv);
  std::printf("%-14s %9s %8s %10s %10s %12s %10s\n", "policy", "kB", "workers", "half, ms", "all, ms", "slowest, ms",
              "Publish, ms");
  for (const std::string hidden_sizes : {"", "1024,940"}) {
    std::vector<std::string> overrides;
    if (!hidden_sizes.empty()) overrides.push_back(absl::StrCat("policy.hidden_sizes=", hidden_sizes));
    const Experiment experiment = testing::Must(LoadExperiment(absl::GetFlag(FLAGS_experiment), overrides));
    for (const std::string& workers : absl::GetFlag(FLAGS_workers)) {
      int number = 0;
      testing::Must(absl::SimpleAtoi(workers, &number) && number > 0, "--workers=" + workers);
      testing::PrintRow(overrides.empty() ? experiment.name() : "1 M parameters", experiment, number);
    }
  }
  return 0;
}
