// Who starts where.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_DEPLOYMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_DEPLOYMENT_H_

#include <cstdint>
#include <vector>

#include "actor_worker/environments/smax/maps.h"
#include "common/base/random.h"

namespace troupe::smax {

// Kinds and places of all units, allies first; places before units are pushed apart.
//
// On the maps of SMAC the squads stand as listed, each team within 2 cells of a point, allies at (8, 16) and enemies at
// (24, 16). On those of SMACv2 (arXiv:2212.07489, section 4) kinds are uniform and the enemies' those of the allies,
// and with equal chance
//   reflected   allies anywhere on the left half, enemies mirrored on the right, or
//   surrounded  one team, either, within 2 cells of the centre, the others within 2 cells of four points, one on each
//               diagonal from the centre to a corner; which of the four is drawn for each unit. Such a place may lie
//               outside of the field, as in jaxmarl: that unit touches the wall in the first tick.
class Deployment {
 public:
  explicit Deployment(const Map& map);
  void Draw(RandomStream& random);

  std::vector<uint8_t> kinds;
  std::vector<float> x, y;

 private:
  void Gather(int begin, int end, float centre_x, float centre_y, RandomStream& random);
  void Reflect(RandomStream& random);
  void Surround(RandomStream& random);

  const int num_allies_;
  const int num_units_;
  const bool drawn_;
};

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_DEPLOYMENT_H_
