// The workers' side of stream_benchmark and broadcast_benchmark, in a process of its own and without LibTorch:
//
//   stream_peer replay PORT WORKERS [WIRE FOLDER]    chunks to the learner at PORT until it drains, over a wire
//   protected
//                                                    by FOLDER's certificates as support/wire_security.h names it
//   stream_peer listen PORT WORKERS                  weights only; then "WORKER VERSION NANOSECONDS" (steady clock) a
//   line stream_peer bytes|protobuf|tcp PORT N BYTES      bare streams to a BareServer, until killed
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/synchronization/mutex.h"
#include "tests/benchmarks/support/bare_streams.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/synthetic_workers.h"
#include "tests/benchmarks/support/wire_security.h"

namespace troupe::testing {
namespace {

int Number(const char* text) {
  int number = 0;
  Must(absl::SimpleAtoi(text, &number), text);
  return number;
}

void Listen(int port, int workers) {
  struct Arrival {
    int worker;
    uint64_t version;
    int64_t nanoseconds;
  };
  absl::Mutex mutex;
  std::vector<Arrival> arrivals;
  SyntheticWorkers listening(
      {.port = port, .workers = workers, .send_chunks = false, .received_weights = [&](int worker, uint64_t version) {
         const int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
         absl::MutexLock lock(&mutex);
         arrivals.push_back({worker, version, now});
       }});
  listening.Run();
  absl::MutexLock lock(&mutex);
  for (const Arrival& arrival : arrivals) {
    std::printf("%d %ld %ld\n", arrival.worker, static_cast<long>(arrival.version),
                static_cast<long>(arrival.nanoseconds));
  }
}

int Main(int argc, char** argv) {
  Must(argc >= 4, "stream_peer KIND PORT NUMBER [BYTES]");
  const std::string kind = argv[1];
  const int port = Number(argv[2]), number = Number(argv[3]);
  if (kind == "replay") {
    ClientSecurity security;
    if (argc == 6) security = ClientSide(WireSecurityOf(argv[4]), argv[5]);
    SyntheticWorkers({.port = port, .security = security, .workers = number}).Run();
    return 0;
  }
  if (kind == "listen") {
    Listen(port, number);
    return 0;
  }
  Must(argc == 5, "BYTES");
  const BareKind bare = kind == "tcp" ? BareKind::kTcp : kind == "protobuf" ? BareKind::kProtobuf : BareKind::kBytes;
  SendBareStreams(bare, port, number, Number(argv[4]));
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as actor_worker/main.cc
  return troupe::testing::Main(argc, argv);
}
