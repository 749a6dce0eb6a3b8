#include "actor_worker/environments/mpe/mpe_scenario.h"

#include "absl/strings/str_cat.h"

namespace troupe {

Vector2 DrawPlace(RandomStream& random, double half_side) {
  const double x = 2 * random.UniformDouble() - 1;
  const double y = 2 * random.UniformDouble() - 1;
  return {half_side * x, half_side * y};
}

void NamePair(const std::string& name, const std::string& meaning, std::vector<ObservedNumber>& observed) {
  observed.push_back({absl::StrCat(name, "_x"), "", 1, absl::StrCat(meaning, ", to the right")});
  observed.push_back({absl::StrCat(name, "_y"), "", 1, absl::StrCat(meaning, ", upwards")});
}

float* WriteLandmarks(const MpeWorld& world, int agent, float* numbers) {
  for (const Disc& landmark : world.landmarks) {
    numbers = WritePair(landmark.position - world.agents[agent].position, numbers);
  }
  return numbers;
}

float* WriteOthers(const MpeWorld& world, int agent, float* numbers) {
  for (int other = 0; other < static_cast<int>(world.agents.size()); ++other) {
    if (other == agent) continue;
    numbers = WritePair(world.agents[other].position - world.agents[agent].position, numbers);
  }
  return numbers;
}

}  // namespace troupe
