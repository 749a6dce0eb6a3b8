// What the environment costs beside bare SUMO: episodes of the environment `sumo`, in turn with the same SUMO stepped
// over the same TraCI connection with nothing but edge subscriptions, whose results are not read. SUMO evaluates those
// in each simulated second; --edge_subscriptions=false leaves them out, and what is left asks SUMO for nothing at all.
// The network's own program sets the lights in both, so both have the same traffic.
//
//   sumo_benchmark [--sumo_network=cologne8] [--episode_seconds=600] [--interval_seconds=5] [--rounds=3]
//                  [--edge_subscriptions=true]
//
// Per round and at the end as medians: processor seconds (this process and SUMO, its start included) and wall seconds
// of bare SUMO over the environment's. Needs `./deploy/setup.sh --sumo`.
#include <sys/resource.h>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/environments/traffic/play_episode.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/sumo_server.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/stopwatch.h"

ABSL_FLAG(std::string, sumo_network, "cologne8", "an installed network, or a .sumocfg");
ABSL_FLAG(int, episode_seconds, 300, "simulated seconds per episode");
ABSL_FLAG(int, interval_seconds, 5, "between two decisions");
ABSL_FLAG(bool, edge_subscriptions, true, "of bare SUMO");
ABSL_FLAG(int, rounds, 1, "episodes of each, in turn");

namespace troupe::testing {
namespace {

constexpr uint8_t kSubscribeEdge = 0xda;
constexpr uint8_t kVehicleNumber = 0x10;

struct Cost {
  double cpu_seconds = 0, wall_seconds = 0;
};

double ProcessorSeconds() {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage;
    getrusage(who, &usage);
    for (const timeval& part : {usage.ru_utime, usage.ru_stime}) {
      seconds += static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
    }
  }
  return seconds;
}

// `play` ends its SUMO before it returns, so that its processor time is counted.
template <typename Play>
Cost CostOf(const Play& play) {
  const double cpu = ProcessorSeconds();
  const absl::Time began = absl::Now();
  play();
  return {ProcessorSeconds() - cpu, absl::ToDoubleSeconds(absl::Now() - began)};
}

void PlayEnvironment(uint64_t seed) {
  const auto environment =
      Must(Must(FindEnvironment("sumo"))
               ->create({{"network", absl::GetFlag(FLAGS_sumo_network)},
                         {"signal_control", "NETWORK_PROGRAM"},
                         {"episode_seconds", absl::StrCat(absl::GetFlag(FLAGS_episode_seconds))},
                         {"decision_interval_seconds", absl::StrCat(absl::GetFlag(FLAGS_interval_seconds))}}));
  StepBuffers buffers(environment->spec());
  Must(environment->Reset(seed));
  do {
    environment->Observe(buffers.observation);
    for (size_t g = 0; g < buffers.discrete.size(); ++g) {
      const uint8_t* mask = buffers.observation.groups[g].action_mask.data();
      for (int32_t& action : buffers.discrete[g]) {
        for (action = 0; mask[action] == 0;) ++action;
        mask += environment->spec().groups[g].action_size;
      }
    }
    Must(environment->Step(buffers.action, buffers.outcome));
  } while (!buffers.outcome.truncated && !buffers.outcome.terminated);
}

void PlayBare(uint64_t seed) {
  const SumoScenario scenario = Must(ReadSumoScenario(Must(FindSumoNetwork(absl::GetFlag(FLAGS_sumo_network)))));
  SumoOptions options;
  options.installation = Must(FindSumo(""));
  options.network_program = true;
  SumoServer::Options server_options;
  server_options.installation = options.installation;
  server_options.arguments = SumoSimulation(scenario, options).Arguments(seed);
  server_options.memory_limit_bytes = options.memory_limit_mb << 20;
  const auto server = Must(SumoServer::Start(server_options));
  traci::Message ask;
  ask.Get(traci::kGetSimulation, traci::kTime, "");
  traci::Reader reply = Must(server->Exchange(ask)), time;
  Must(traci::ReadGetterResponse(reply, traci::kGetSimulation, time));
  const double begin = time.TypedNumber();
  std::set<std::string> edges;
  if (absl::GetFlag(FLAGS_edge_subscriptions)) {
    for (const SumoLane& lane : scenario.lanes) edges.insert(lane.id.substr(0, lane.id.rfind('_')));
  }
  traci::Message subscribe;
  for (const std::string& edge : edges) {
    subscribe.Subscribe(kSubscribeEdge, edge, {kVehicleNumber, traci::kHalting, traci::kOccupancy});
  }
  if (!edges.empty()) Must(server->Exchange(subscribe).status());
  for (int second = 0; second < absl::GetFlag(FLAGS_episode_seconds); second += absl::GetFlag(FLAGS_interval_seconds)) {
    traci::Message step;
    step.Begin(traci::kSimulationStep).Double(begin + second + absl::GetFlag(FLAGS_interval_seconds));
    Must(server->Exchange(step).status());
  }
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  using namespace troupe::testing;
  absl::ParseCommandLine(argc, argv);
  if (const auto installed = troupe::FindSumo(""); !installed.ok()) {
    std::printf("%s\n", installed.status().ToString().c_str());
    return 0;
  }
  std::vector<double> cpu_ratios, wall_ratios;
  std::printf("%6s %14s %14s %14s %14s\n", "round", "bare CPU s", "ours CPU s", "bare wall s", "ours wall s");
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    const Cost bare = CostOf([round] { PlayBare(round + 1); });
    const Cost ours = CostOf([round] { PlayEnvironment(round + 1); });
    std::printf("%6d %14.2f %14.2f %14.2f %14.2f\n", round, bare.cpu_seconds, ours.cpu_seconds, bare.wall_seconds,
                ours.wall_seconds);
    std::fflush(stdout);
    cpu_ratios.push_back(bare.cpu_seconds / ours.cpu_seconds);
    wall_ratios.push_back(bare.wall_seconds / ours.wall_seconds);
  }
  std::printf("bare over ours: processor %.3f, wall %.3f\n", Median(cpu_ratios), Median(wall_ratios));
  return 0;
}
