#include "actor_worker/environments/smax/maps.h"

namespace troupe::smax {
namespace {

int CountUnits(const std::vector<Squad>& squads) {
  int units = 0;
  for (const Squad& squad : squads) units += squad.units;
  return units;
}

}  // namespace

int Map::num_allies() const { return CountUnits(allies); }
int Map::num_enemies() const { return CountUnits(enemies); }

absl::Span<const Map> AllMaps() {
  static const auto* const maps = new std::vector<Map>{
      {"3m", {{kMarine, 3}}, {{kMarine, 3}}},
      {"8m", {{kMarine, 8}}, {{kMarine, 8}}},
      {"25m", {{kMarine, 25}}, {{kMarine, 25}}},
      {"2s3z", {{kStalker, 2}, {kZealot, 3}}, {{kStalker, 2}, {kZealot, 3}}},
      {"3s5z", {{kStalker, 3}, {kZealot, 5}}, {{kStalker, 3}, {kZealot, 5}}},
      {"5m_vs_6m", {{kMarine, 5}}, {{kMarine, 6}}},
      {"10m_vs_11m", {{kMarine, 10}}, {{kMarine, 11}}},
      {"27m_vs_30m", {{kMarine, 27}}, {{kMarine, 30}}},
      {"3s5z_vs_3s6z", {{kStalker, 3}, {kZealot, 5}}, {{kStalker, 3}, {kZealot, 6}}},
      {"3s_vs_5z", {{kStalker, 3}}, {{kZealot, 5}}},
      {"6h_vs_8z", {{kHydralisk, 6}}, {{kZealot, 8}}},
      {"smacv2_5_units", {{kMarine, 5}}, {{kMarine, 5}}, true},
      {"smacv2_10_units", {{kMarine, 10}}, {{kMarine, 10}}, true},
      {"smacv2_20_units", {{kMarine, 20}}, {{kMarine, 20}}, true},
  };
  return *maps;
}

std::vector<std::string> MapNames() {
  std::vector<std::string> names;
  for (const Map& map : AllMaps()) names.push_back(map.name);
  return names;
}

const Map& MapCalled(const std::string& name) {
  for (const Map& map : AllMaps()) {
    if (map.name == name) return map;
  }
  return AllMaps().front();
}

}  // namespace troupe::smax
