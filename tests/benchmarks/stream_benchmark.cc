// Chunks from synthetic workers into training memory, in turn with bare gRPC and TCP streams of the same bytes over as
// many connections, workers in one process and the learner in another.
//
//   stream_benchmark [--workers=1,4,16,64] [--seconds=1] [--rounds=3] [--wires=plain,tls,mutual_tls]
//                    [--set=collection.copies_per_shard=1 …]
//
// Per number of workers and protection of the wire, medians over the rounds: MB/s and chunks/s of the whole path; its
// ratios, of rate and of bytes per processor second, to the first of --wires and to each bare stream, which are plain;
// the processor seconds per GB of both processes and of the learner, its microseconds per chunk; chunks of the slowest
// worker over the fastest one's; by how many MB the learner's memory grew per GB received. With --most_growth=MB the
// exit status is 1 when that is more. The experiment is deploy/experiments/traffic_grid.textproto with a shard per
// worker, at least eight.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/config/experiment_loader.h"
#include "common/processes/piped_process.h"
#include "tests/benchmarks/support/bare_streams.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/replay_learner.h"
#include "tests/benchmarks/support/stopwatch.h"
#include "tests/benchmarks/support/wire_security.h"
#include "tests/common/temporary_folder.h"

ABSL_FLAG(std::vector<std::string>, workers, std::vector<std::string>({"1", "4"}), "numbers of workers, one row each");
ABSL_FLAG(double, seconds, 0.5, "measured time per figure");
ABSL_FLAG(int, rounds, 1, "times each figure is measured, in turn");
ABSL_FLAG(std::vector<std::string>, wires, std::vector<std::string>({"plain"}), "plain, tls, mutual_tls: in turn");
ABSL_FLAG(int, shards, 0, "shards of the run; 0: one per worker, at least eight");
ABSL_FLAG(double, most_growth, 1e9, "MB per GB received that the learner's memory may grow by");
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
  double grown_megabytes_per_gigabyte = 0;
};

// With certificates for everybody, made when first asked for.
const std::string& CertificateFolder() {
  static const TemporaryFolder folder;
  static std::once_flag made;
  std::call_once(made, [] {
    const std::string command =
        absl::StrCat(TROUPE_SOURCE_DIR "/deploy/certificates.sh ", folder.path(), " > /dev/null");
    Must(std::system(command.c_str()) == 0, command);
  });
  return folder.path();
}

std::unique_ptr<PipedProcess> StartPeer(const std::string& kind, int port, int number,
                                        const std::vector<std::string>& more) {
  std::vector<std::string> command = {TROUPE_BIN_DIR "/stream_peer", kind, absl::StrCat(port), absl::StrCat(number)};
  command.insert(command.end(), more.begin(), more.end());
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
  const double cpu_before = CpuSeconds(getpid()), peer_cpu_before = CpuSeconds(peer), resident_before = ResidentBytes();
  const absl::Time began = absl::Now();
  absl::SleepFor(absl::Seconds(absl::GetFlag(FLAGS_seconds)));
  const double messages = static_cast<double>(count() - messages_before);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const double cpu = CpuSeconds(getpid()) - cpu_before, peer_cpu = CpuSeconds(peer) - peer_cpu_before;
  const double megabytes = messages * static_cast<double>(message_bytes) * 1e-6;
  return {megabytes / seconds,
          messages / seconds,
          1e3 * cpu / megabytes,
          1e6 * cpu / messages,
          0,
          1e3 * (cpu + peer_cpu) / megabytes,
          1e-3 * (ResidentBytes() - resident_before) / megabytes};
}

Measured MeasureBare(BareKind kind, const std::string& name, int workers, size_t message_bytes) {
  const auto server = BareServer::Start(kind, message_bytes);
  const auto peer = StartPeer(name, server->port(), workers, {absl::StrCat(message_bytes)});
  const auto count = [&] { return server->messages(); };
  WarmUp(*peer, workers, count);
  return Measure(peer->pid(), message_bytes, count);
}

Measured MeasureStream(const Experiment& experiment, int workers, const std::string& wire, size_t* message_bytes) {
  const WireSecurity security = WireSecurityOf(wire);
  const std::string folder = security == WireSecurity::kPlain ? "" : CertificateFolder();
  ReplayLearner learner(experiment, workers, ServerSide(security, folder));
  const auto peer = StartPeer("replay", learner.port(), workers, {wire, folder});
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

// One path's measurements, and what its rates and bytes per processor second are over those of others in the same
// round.
struct Path {
  std::vector<Measured> rounds;
  struct Ratios {
    std::vector<double> rate, processor;
  };
  std::map<std::string, Ratios> over;

  void Compare(const std::string& other, const Measured& measured) {
    const Measured& own = rounds.back();
    over[other].rate.push_back(own.megabytes_per_second / measured.megabytes_per_second);
    over[other].processor.push_back(measured.all_seconds_per_gigabyte / own.all_seconds_per_gigabyte);
  }
};

constexpr char kFirstWire[] = "first wire";
const std::vector<std::pair<std::string, BareKind>>& BareKinds() {
  static const auto* const kinds = new std::vector<std::pair<std::string, BareKind>>{
      {"bytes", BareKind::kBytes}, {"protobuf", BareKind::kProtobuf}, {"tcp", BareKind::kTcp}};
  return *kinds;
}

void Print(const std::string& wire, int workers, int shards, size_t message_bytes, const Path& path) {
  std::printf("%7d %-10s %6d %8.1f %8.0f %8.0f", workers, wire.c_str(), shards,
              static_cast<double>(message_bytes) / 1e3, MedianOf(path.rounds, &Measured::megabytes_per_second),
              MedianOf(path.rounds, &Measured::chunks_per_second));
  std::vector<std::string> others = {kFirstWire};
  for (const auto& [name, kind] : BareKinds()) others.push_back(name);
  for (const std::string& other : others) {
    if (const auto found = path.over.find(other); found != path.over.end()) {
      std::printf("   %5.2f %5.2f", Median(found->second.rate), Median(found->second.processor));
    } else {
      std::printf("   %5s %5s", "-", "-");
    }
  }
  std::printf("   %6.2f %6.2f %6.0f   %5.2f %6.1f\n", MedianOf(path.rounds, &Measured::all_seconds_per_gigabyte),
              MedianOf(path.rounds, &Measured::learner_seconds_per_gigabyte),
              MedianOf(path.rounds, &Measured::learner_microseconds_per_chunk),
              MedianOf(path.rounds, &Measured::slowest_over_fastest),
              MedianOf(path.rounds, &Measured::grown_megabytes_per_gigabyte));
  std::fflush(stdout);
}

// Whether the learner's memory stayed within --most_growth.
bool PrintRows(int workers) {
  const int shards = absl::GetFlag(FLAGS_shards) > 0 ? absl::GetFlag(FLAGS_shards) : std::max(8, workers);
  std::vector<std::string> overrides = absl::GetFlag(FLAGS_set);
  overrides.push_back(absl::StrCat("collection.num_shards=", shards));
  overrides.push_back("collection.stagger_first_episode=false");
  const Experiment experiment = Must(LoadExperiment(absl::GetFlag(FLAGS_experiment), overrides));
  const std::vector<std::string> wires = absl::GetFlag(FLAGS_wires);
  std::map<std::string, Path> paths;
  size_t message_bytes = 0;
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (const std::string& wire : wires) {
      paths[wire].rounds.push_back(MeasureStream(experiment, workers, wire, &message_bytes));
      paths[wire].Compare(kFirstWire, paths[wires.front()].rounds.back());
    }
    if (!absl::GetFlag(FLAGS_bare)) continue;
    for (const auto& [name, kind] : BareKinds()) {
      const Measured bare = MeasureBare(kind, name, workers, message_bytes);
      for (const std::string& wire : wires) paths[wire].Compare(name, bare);
    }
  }
  bool bounded = true;
  for (const std::string& wire : wires) {
    Print(wire, workers, shards, message_bytes, paths[wire]);
    bounded &=
        MedianOf(paths[wire].rounds, &Measured::grown_megabytes_per_gigabyte) <= absl::GetFlag(FLAGS_most_growth);
  }
  return bounded;
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as learner/main.cc
  absl::ParseCommandLine(argc, argv);
  std::printf(
      "workers wire       shards    chunk     MB/s chunks/s     over first    over bytes  over protobuf     over TCP"
      "       CPU s/GB  us/chunk slowest/ grown\n"
      "                                kB                      rate   CPU    rate   CPU    rate   CPU    rate   CPU"
      "    both learner learner fastest MB/GB\n");
  bool bounded = true;
  for (const std::string& workers : absl::GetFlag(FLAGS_workers)) {
    int number = 0;
    troupe::testing::Must(absl::SimpleAtoi(workers, &number) && number > 0, "--workers=" + workers);
    bounded &= troupe::testing::PrintRows(number);
  }
  if (!bounded) std::fprintf(stderr, "the learner's memory grew by more than --most_growth\n");
  return bounded ? 0 : 1;
}
