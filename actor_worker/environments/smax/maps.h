// Who fights whom: one table of all maps. The ground is the same everywhere, a square of kMapSize cells.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_MAPS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_MAPS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/smax/unit_types.h"

namespace troupe::smax {

inline constexpr float kMapSize = 32;  // cells along each side

struct Squad {
  UnitKind kind;
  int units;
};

struct Map {
  std::string name;
  std::vector<Squad> allies;
  std::vector<Squad> enemies;
  // SMACv2: kinds and places of all units are drawn anew in every episode; the squads only say how many there are.
  bool drawn = false;

  int num_allies() const;
  int num_enemies() const;
};

absl::Span<const Map> AllMaps();
std::vector<std::string> MapNames();
// `name` is one of MapNames().
const Map& MapCalled(const std::string& name);

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_MAPS_H_
