// Chunks from synthetic workers into training memory, in turn with bare gRPC and TCP streams of the same bytes over as
// many connections, workers in one process and the learner in another.
//
//   stream_benchmark [--workers=1,4,16,64] [--seconds=1] [--rounds=3] [--set=collection.copies_per_shard=1 …]
//
// Per number of workers, medians over the rounds: MB/s and chunks/s of the whole path; its ratio to each bare stream;
// the learner's processor seconds per GB and microseconds per chunk; chunks of the slowest worker over the fastest one's.
// The experiment is deploy/experiments/traffic_grid.textproto with a shard per worker, at least eight.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/config/experiment_loader.h"
#include "learner/run/piped_process.h"
#include "tests/benchmarks/support/bare_streams.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/replay_learner.h"
#include "tests/benchmarks/support/stopwatch.h"

ABSL_FLAG(std::vector<std::string>, workers, std::vector<std::string>({"1", "4"}), "numbers of workers, one row each");
ABSL_FLAG(double, seconds, 0.5, "measured time per figure");
ABSL_FLAG(int, rounds, 1, "times each figure is measured, in turn");
ABSL_FLAG(int, shards, 0, "shards of the run; 0: one per worker, at least eight");
ABSL_FLAG(bool, bare, true, "also measure bare streams");
ABSL_FLAG(std::string, experiment, TROUPE_SOURCE_DIR "/deploy/experiments/traffic_grid.textproto", "what is streamed");
ABSL_FLAG(std::vector<std::string>, set, {}, "overrides of the experiment");

namespace troupe::testing {
namespace {

constexpr absl::Duration kWarmUp = absl::Milliseconds(500);

struct Measured {
  double megabytes_per_second = 0, chunks_per_second = 0;
  double learner_seconds_per_gigabyte = 0, learner_microseconds_per_chunk = 0, slowest_over_fastest = 0;
  double all_seconds_per_gigabyte = 0;  // both processes
};

std::unique_ptr<PipedProcess> StartPeer(const std::string& kind, int port, int number, size_t bytes = 0) {
  std::vector<std::string> command = {TROUPE_BIN_DIR "/stream_peer", kind, absl::StrCat(port), absl::StrCat(number)};
  if (bytes > 0) command.push_back(absl::StrCat(bytes));
  return Must(PipedProcess::Start(command));
}

// Waits until `count` has risen by one per worker, then a warm-up.
template <typename Count>
void WarmUp(PipedProcess& peer, int workers, const Count& count) {
  while (count() < static_cast<uint64_t>(workers)) {
    std::string text;
    Must(!peer.Poll().has_value() || (peer.ReadOutput(&text), false), "the workers' process ended: " + text);
    absl::SleepFor(absl::Milliseconds(10));
  }
  absl::SleepFor(kWarmUp);
}

template <typename Count>
Measured Measure(pid_t peer, size_t message_bytes, const Count& count) {
  const uint64_t messages_before = count();
  const double cpu_before = CpuSeconds(getpid()), peer_cpu_before = CpuSeconds(peer);
  const absl::Time began = absl::Now();
  absl::SleepFor(absl::Seconds(absl::GetFlag(FLAGS_seconds)));
  const double messages = static_cast<double>(count() - messages_before);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const double cpu = CpuSeconds(getpid()) - cpu_before, peer_cpu = CpuSeconds(peer) - peer_cpu_before;
  const double megabytes = messages * static_cast<double>(message_bytes) * 1e-6;
  return {megabytes / seconds, messages / seconds, 1e3 * cpu / megabytes, 1e6 * cpu / messages, 0,
          1e3 * (cpu + peer_cpu) / megabytes};
}

Measured MeasureBare(BareKind kind, const std::string& name, int workers, size_t message_bytes) {
  const auto server = BareServer::Start(kind, message_bytes);
  const auto peer = StartPeer(name, server->port(), workers, message_bytes);
  const auto count = [&] { return server->messages(); };
  WarmUp(*peer, workers, count);
  return Measure(peer->pid(), message_bytes, count);
}

Measured MeasureStream(const Experiment& experiment, int workers, size_t* message_bytes) {
  ReplayLearner learner(experiment, workers);
  const auto peer = StartPeer("replay", learner.port(), workers);
  learner.Begin(/*train=*/true);
  const auto count = [&] { return learner.chunks(); };
  WarmUp(*peer, workers, count);
  const std::vector<uint64_t> before = learner.chunks_by_worker();
  Measured measured = Measure(peer->pid(), learner.chunk_bytes(), count);
  std::vector<uint64_t> of_worker = learner.chunks_by_worker();
  for (size_t i = 0; i < of_worker.size(); ++i) of_worker[i] -= before[i];
  const auto [slowest, fastest] = std::ranges::minmax(of_worker);
  measured.slowest_over_fastest = static_cast<double>(slowest) / static_cast<double>(std::max<uint64_t>(fastest, 1));
  *message_bytes = learner.chunk_bytes();
  learner.Drain();
  peer->Wait();
  return measured;
}

double MedianOf(const std::vector<Measured>& rounds, double Measured::*figure) {
  std::vector<double> values;
  for (const Measured& round : rounds) values.push_back(round.*figure);
  return Median(values);
}

void PrintRow(int workers) {
  const int shards = absl::GetFlag(FLAGS_shards) > 0 ? absl::GetFlag(FLAGS_shards) : std::max(8, workers);
  std::vector<std::string> overrides = absl::GetFlag(FLAGS_set);
  overrides.push_back(absl::StrCat("collection.num_shards=", shards));
  overrides.push_back("collection.stagger_first_episode=false");
  const Experiment experiment = Must(LoadExperiment(absl::GetFlag(FLAGS_experiment), overrides));
  const std::vector<std::pair<std::string, BareKind>> kinds = {
      {"bytes", BareKind::kBytes}, {"protobuf", BareKind::kProtobuf}, {"tcp", BareKind::kTcp}};
  std::vector<Measured> streams;
  std::map<std::string, std::vector<double>> ratios, cpu_ratios;
  size_t message_bytes = 0;
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    streams.push_back(MeasureStream(experiment, workers, &message_bytes));
    if (!absl::GetFlag(FLAGS_bare)) continue;
    for (const auto& [name, kind] : kinds) {
      const Measured bare = MeasureBare(kind, name, workers, message_bytes);
      ratios[name].push_back(streams.back().megabytes_per_second / bare.megabytes_per_second);
      cpu_ratios[name].push_back(bare.all_seconds_per_gigabyte / streams.back().all_seconds_per_gigabyte);
    }
  }
  std::printf("%7d %6d %8.1f %8.0f %8.0f", workers, shards, static_cast<double>(message_bytes) / 1e3,
              MedianOf(streams, &Measured::megabytes_per_second), MedianOf(streams, &Measured::chunks_per_second));
  for (const auto& [name, kind] : kinds) {
    std::printf("   %5.2f %5.2f", Median(ratios[name]), Median(cpu_ratios[name]));
  }
  std::printf("   %6.2f %6.2f %6.0f   %5.2f\n", MedianOf(streams, &Measured::all_seconds_per_gigabyte),
              MedianOf(streams, &Measured::learner_seconds_per_gigabyte),
              MedianOf(streams, &Measured::learner_microseconds_per_chunk),
              MedianOf(streams, &Measured::slowest_over_fastest));
  std::fflush(stdout);
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as learner/main.cc
  absl::ParseCommandLine(argc, argv);
  std::printf("workers shards    chunk     MB/s chunks/s    over bytes  over protobuf     over TCP       CPU s/GB  us/chunk slowest/\n"
              "                     kB                     rate   CPU    rate   CPU    rate   CPU    both learner learner fastest\n");
  for (const std::string& workers : absl::GetFlag(FLAGS_workers)) {
    int number = 0;
    troupe::testing::Must(absl::SimpleAtoi(workers, &number) && number > 0, "--workers=" + workers);
    troupe::testing::PrintRow(number);
  }
  return 0;
}
