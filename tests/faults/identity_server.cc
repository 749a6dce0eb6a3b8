// identity_server FOLDER: an environment, played through proto/environment_service.proto, in which every observation
// says whose it is, and which fails when told to.
//
// Two agents are shown one of four cues each at every step and are paid 1 for the action of that number. Of an episode
// with seed s (the worker's, a digest of run seed, shard, lease epoch, copy and episode) everything follows from s:
//   observation of agent a before step t: s in four pieces of 16 bits / 2^16, lowest first; t / 64; a / 2; the cue,
//   one of four
//   cue of agent a at step t:  Mix(s + 2 t + a) mod 4
//   length:                    5 + Mix(s + 10^6) mod 8 steps; truncated where bit 40 of that number is set
// with Mix the finaliser of SplitMix64. tests/faults/identities.py computes the same in Python.
//
// A file FOLDER/fail is taken away by the first server that finds it before a step, which then does what it says: exit,
// abort, error, hang, noise, nan, endings (a code that there is not), twice (two answers).
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace {

constexpr int kAgents = 2, kCues = 4, kPieces = 4, kObserved = kPieces + 2 + kCues;
constexpr char kHello[] =
    R"(hello {"protocol_version": 1, "spec": {"state_includes_observations": true, "statistics": ["right"], )"
    R"("groups": [{"name": "readers", "agents": ["ann", "bob"], "action_kind": "DISCRETE", "action_size": 4, )"
    R"("actions": [{"name": "a0"}, {"name": "a1"}, {"name": "a2"}, {"name": "a3"}], "observation_size": 10, )"
    R"("observed": [{"name": "s0", "divided_by": 65536}, {"name": "s1", "divided_by": 65536}, )"
    R"({"name": "s2", "divided_by": 65536}, {"name": "s3", "divided_by": 65536}, {"name": "step", "divided_by": 64}, )"
    R"({"name": "agent", "divided_by": 2}, {"name": "cue0", "divided_by": 1}, {"name": "cue1", "divided_by": 1}, )"
    R"({"name": "cue2", "divided_by": 1}, {"name": "cue3", "divided_by": 1}]}]}})"
    "\n";

struct Episode {
  uint64_t seed = 0;
  int step = 0, right = 0;
};

// The memory's arrays, by the table at its beginning.
struct Memory {
  char* base;
  template <typename T>
  T* Array(int index) const {
    return reinterpret_cast<T*>(base + reinterpret_cast<uint64_t*>(base)[index]);
  }
};

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

int CueOf(const Episode& episode, int agent) {
  return static_cast<int>(Mix(episode.seed + 2 * static_cast<uint64_t>(episode.step) + agent) % kCues);
}

void Step(const Memory& memory, int copy, Episode* episode) {
  for (int a = 0; a < kAgents; ++a) {
    const bool right = memory.Array<int32_t>(5)[copy * kAgents + a] == CueOf(*episode, a);
    memory.Array<float>(9)[copy * kAgents + a] = right ? 1.0f : 0.0f;
    episode->right += right;
  }
  ++episode->step;
  const uint64_t end = Mix(episode->seed + 1000000);
  const bool over = episode->step == static_cast<int>(5 + end % 8);
  memory.Array<uint8_t>(2)[copy] = !over ? 0 : (end >> 40 & 1) != 0 ? 2 : 1;
  memory.Array<double>(3)[copy] = static_cast<double>(episode->right) / (kAgents * episode->step);
}

void Observe(const Memory& memory, int copy, const Episode& episode) {
  for (int a = 0; a < kAgents; ++a) {
    const int row = copy * kAgents + a;
    float* const seen = memory.Array<float>(6) + row * kObserved;
    for (int i = 0; i < kPieces; ++i) seen[i] = static_cast<float>(episode.seed >> (16 * i) & 0xffff) / 65536.0f;
    seen[kPieces] = static_cast<float>(episode.step) / 64.0f;
    seen[kPieces + 1] = static_cast<float>(a) / 2.0f;
    for (int c = 0; c < kCues; ++c) {
      seen[kPieces + 2 + c] = c == CueOf(episode, a) ? 1.0f : 0.0f;
      memory.Array<uint8_t>(7)[row * kCues + c] = 1;
    }
    memory.Array<uint8_t>(8)[row] = 1;
  }
}

// A simulator that takes its time, while there is FOLDER/slow: a run with faults is not over before they are there,
// however fast the machine.
void TakeTime(const std::string& folder) {
  const timespec time{0, 5000000};
  if (access((folder + "/slow").c_str(), F_OK) == 0) nanosleep(&time, nullptr);
}

// What to fail with now; "" as a rule.
std::string TakeOrder(const std::string& folder) {
  const std::string order = folder + "/fail", own = folder + "/failed." + std::to_string(getpid());
  if (access(order.c_str(), F_OK) != 0 || rename(order.c_str(), own.c_str()) != 0) return "";
  std::string word;
  std::ifstream(own) >> word;
  return word;
}

// What is left to do after the step; never returns where the process is to end.
void Fail(const std::string& order, int socket, const Memory& memory) {
  const auto say = [socket](const std::string& text) {
    if (write(socket, text.data(), text.size()) < 0) std::exit(1);
  };
  if (order == "exit") std::exit(7);
  if (order == "abort") std::abort();
  if (order == "hang") {
    while (true) pause();
  }
  if (order == "error") {
    say("error the simulator was told to fail\n");
    std::exit(1);
  }
  if (order == "noise") say(std::string(4096, '\xff') + "\n");
  if (order == "nan") memory.Array<float>(6)[0] = std::numeric_limits<float>::quiet_NaN();
  if (order == "endings") memory.Array<uint8_t>(2)[0] = 7;
  if (order == "twice") say("done\n");
}

int Number(const char* variable) { return std::atoi(std::getenv(variable)); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::getenv("TROUPE_SOCKET") == nullptr) {
    std::fprintf(stderr, "identity_server FOLDER: a worker starts this program\n");
    return 1;
  }
  const int socket = Number("TROUPE_SOCKET"), file = Number("TROUPE_MEMORY"), copies = Number("TROUPE_COPIES");
  std::vector<Episode> episodes(copies);
  Memory memory{nullptr};
  if (write(socket, kHello, sizeof kHello - 1) < 0) return 1;
  for (char c; read(socket, &c, 1) == 1;) {
    if (c != '\n') continue;  // the only line there is says "step"
    if (memory.base == nullptr) {
      struct stat info;
      fstat(file, &info);
      memory.base = static_cast<char*>(mmap(nullptr, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    }
    for (int copy = 0; copy < copies; ++copy) {
      const int command = memory.Array<uint8_t>(0)[copy];
      if (command == 0) continue;
      if (command == 1) episodes[copy] = {.seed = memory.Array<uint64_t>(1)[copy]};
      if (command == 2) Step(memory, copy, &episodes[copy]);
      Observe(memory, copy, episodes[copy]);
    }
    TakeTime(argv[1]);
    if (const std::string order = TakeOrder(argv[1]); !order.empty()) Fail(order, socket, memory);
    if (write(socket, "done\n", 5) != 5) return 1;
  }
}
