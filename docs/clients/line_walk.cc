// An environment server in plain C++, without any library: proto/environment_service.proto on a page.
//
// Two walkers on a line of 10 places, each with a goal of its own, go left, stay or go right for 20 steps. A walker
// sees where it is and where its goal is, is paid -1/10 per place between the two, and its walk ends well when both
// stand on their goals.
//
//   g++ -O2 -o line_walk line_walk.cc
//   environment { name: "external" settings { key: "server_program" value: "./line_walk" } }
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

constexpr int kWalkers = 2, kPlaces = 10, kSteps = 20, kActions = 3;
constexpr char kHello[] =
    "hello {\"protocol_version\": 1, \"spec\": {\"groups\": [{\"name\": \"walkers\", \"agents\": [\"ann\", \"bob\"], "
    "\"observation_size\": 2, \"action_kind\": \"DISCRETE\", \"action_size\": 3, "
    "\"observed\": [{\"name\": \"place\", \"divided_by\": 10}, {\"name\": \"goal\", \"divided_by\": 10}], "
    "\"actions\": [{\"name\": \"left\"}, {\"name\": \"stay\"}, {\"name\": \"right\"}]}], "
    "\"state_includes_observations\": true, \"statistics\": [\"arrived\"]}}\n";

struct Walk {
  int place[kWalkers], goal[kWalkers], step;
};

// SplitMix64: everything random follows from the seed.
uint64_t Draw(uint64_t* state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// The memory's arrays, by the table at its beginning.
struct Memory {
  char* base;
  template <typename T>
  T* Array(int index) const {
    return reinterpret_cast<T*>(base + reinterpret_cast<uint64_t*>(base)[index]);
  }
};

void Reset(uint64_t seed, Walk* walk) {
  for (int a = 0; a < kWalkers; ++a) {
    walk->place[a] = static_cast<int>(Draw(&seed) % kPlaces);
    walk->goal[a] = static_cast<int>(Draw(&seed) % kPlaces);
  }
  walk->step = 0;
}

void Step(const Memory& memory, int copy, Walk* walk) {
  int arrived = 0;
  for (int a = 0; a < kWalkers; ++a) {
    walk->place[a] += memory.Array<int32_t>(5)[copy * kWalkers + a] - 1;
    const int away = std::abs(walk->place[a] - walk->goal[a]);
    memory.Array<float>(9)[copy * kWalkers + a] = static_cast<float>(-0.1 * away);
    arrived += away == 0;
  }
  ++walk->step;
  memory.Array<uint8_t>(2)[copy] = arrived == kWalkers ? 1 : walk->step == kSteps ? 2 : 0;
  memory.Array<double>(3)[copy] = static_cast<double>(arrived) / kWalkers;
}

void Observe(const Memory& memory, int copy, const Walk& walk) {
  for (int a = 0; a < kWalkers; ++a) {
    const int row = copy * kWalkers + a;
    memory.Array<float>(6)[row * 2] = static_cast<float>(walk.place[a]) / kPlaces;
    memory.Array<float>(6)[row * 2 + 1] = static_cast<float>(walk.goal[a]) / kPlaces;
    uint8_t* const allowed = memory.Array<uint8_t>(7) + row * kActions;
    allowed[0] = walk.place[a] > 0;
    allowed[1] = 1;
    allowed[2] = walk.place[a] < kPlaces - 1;
    memory.Array<uint8_t>(8)[row] = 1;
  }
}

int Number(const char* variable) { return std::atoi(std::getenv(variable)); }

int main() {
  if (std::getenv("TROUPE_SOCKET") == nullptr) {
    std::fprintf(stderr, "a worker starts this program\n");
    return 1;
  }
  const int socket = Number("TROUPE_SOCKET"), file = Number("TROUPE_MEMORY"), copies = Number("TROUPE_COPIES");
  std::vector<Walk> walks(copies);
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
      if (command == 1) Reset(memory.Array<uint64_t>(1)[copy], &walks[copy]);
      if (command == 2) Step(memory, copy, &walks[copy]);
      Observe(memory, copy, walks[copy]);
    }
    if (write(socket, "done\n", 5) != 5) return 1;
  }
}
