// Environment steps per second of one server of an external environment: what a rollout thread sees of it, with random
// allowed actions and episodes begun anew.
//
//   external_benchmark [--server_program=…] [--server_options=…] [--copies=64] [--seconds=1] [--processes=1]
//
// Processor time says what a step costs where other programs want the machine as well.
// Without a program: docs/clients/line_walk.cc, whose steps cost next to nothing, so that what is left is the bridge.
// Python: PYTHONPATH=python:tests/serve external_benchmark --server_program="python3 -m troupe.serve"
//         --server_options="--function fakes:Countdown"
// Against the environment by itself: tests/benchmarks/mpe2_alone.py.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/random_actions.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/environments/vector_environment.h"
#include "common/base/random.h"
#include "common/clock/steady_time.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/stopwatch.h"

ABSL_FLAG(std::string, server_program, TROUPE_BIN_DIR "/line_walk_server", "as the environment's setting");
ABSL_FLAG(std::string, server_options, "", "as the environment's setting");
ABSL_FLAG(int, processes, 1, "as the environment's setting");
ABSL_FLAG(int, copies, 64, "stepped together");
ABSL_FLAG(double, seconds, 1, "of play");

namespace troupe::testing {
namespace {

// Random allowed actions of all copies for what they see.
void Choose(const EnvironmentSpec& spec, RandomStream& random, EpisodeBuffers& buffers) {
  for (EpisodeBuffers::Copy& copy : buffers.copies) {
    for (size_t g = 0; g < spec.groups.size(); ++g) {
      ChooseRandomActions(spec.groups[g], copy.observation.groups[g].action_mask, random, copy.discrete[g],
                          copy.continuous[g]);
    }
  }
}

// Processor seconds of this process's children.
double ServerSeconds() {
  double seconds = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(thread.path() / "children");
    for (pid_t child; children >> child;) seconds += CpuSeconds(child);
  }
  return seconds;
}

void Run() {
  const int copies = absl::GetFlag(FLAGS_copies);
  const SettingsMap settings = {{"server_program", absl::GetFlag(FLAGS_server_program)},
                                {"server_options", absl::GetFlag(FLAGS_server_options)},
                                {"processes", absl::StrCat(absl::GetFlag(FLAGS_processes))}};
  const auto environment = Must(VectorEnvironment::Create(**FindEnvironment("external"), settings, copies));
  const EnvironmentSpec& spec = environment->spec();
  EpisodeBuffers buffers(spec, copies);
  ActionRow actions;
  OutcomeRow outcome;
  for (EpisodeBuffers::Group& group : buffers.groups) {
    actions.groups.push_back({.discrete = group.discrete, .continuous = group.continuous});
    outcome.rewards.push_back(absl::MakeSpan(group.rewards));
  }
  std::vector<uint8_t> terminated(copies), truncated(copies);
  outcome.terminated = absl::MakeSpan(terminated);
  outcome.truncated = absl::MakeSpan(truncated);
  Must(environment->Start({}, buffers.row));
  RandomStream random(1);
  const SteadyTime began = SteadyTime::Now(), end = began + absl::Seconds(absl::GetFlag(FLAGS_seconds));
  const double server_before = ServerSeconds(), worker_before = CpuSeconds(getpid());
  int64_t rounds = 0, episodes = 0;
  for (; SteadyTime::Now() < end; ++rounds) {
    Choose(spec, random, buffers);
    Must(environment->Step(actions, outcome, buffers.row));
    episodes += static_cast<int64_t>(environment->finished().size());
  }
  const double seconds = absl::ToDoubleSeconds(SteadyTime::Now() - began);
  const double steps = static_cast<double>(rounds) * copies;
  std::printf("%d copies in %d processes: %.0f environment steps/s, %.0f us for all of them, %ld episodes\n", copies,
              absl::GetFlag(FLAGS_processes), steps / seconds, 1e6 * seconds / static_cast<double>(rounds),
              static_cast<long>(episodes));
  std::printf("processor time of a step: server %.2f us, worker %.2f us\n",
              1e6 * (ServerSeconds() - server_before) / steps, 1e6 * (CpuSeconds(getpid()) - worker_before) / steps);
}

}  // namespace
}  // namespace troupe::testing

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  troupe::testing::Run();
}
