#include "actor_worker/environments/smax/deployment.h"

#include <array>

namespace troupe::smax {
namespace {

constexpr float kScatter = 2;  // cells to either side
constexpr float kCentre = kMapSize / 2;

float Scattered(float coordinate, RandomStream& random) { return coordinate + kScatter * (2 * random.Uniform() - 1); }

}  // namespace

Deployment::Deployment(const Map& map)
    : num_allies_(map.num_allies()), num_units_(map.num_allies() + map.num_enemies()), drawn_(map.drawn) {
  for (const std::vector<Squad>* team : {&map.allies, &map.enemies}) {
    for (const Squad& squad : *team) kinds.insert(kinds.end(), squad.units, static_cast<uint8_t>(squad.kind));
  }
  x.resize(num_units_);
  y.resize(num_units_);
}

void Deployment::Draw(RandomStream& random) {
  if (!drawn_) {
    Gather(0, num_allies_, kMapSize / 4, kCentre, random);
    Gather(num_allies_, num_units_, 3 * kMapSize / 4, kCentre, random);
    return;
  }
  for (int unit = 0; unit < num_units_; ++unit) {
    const int counterpart = unit - num_allies_;
    kinds[unit] = counterpart < 0 ? random.Below(kNumUnitKinds) : kinds[counterpart];
  }
  if (random.Below(2) == 0) {
    Reflect(random);
  } else {
    Surround(random);
  }
}

void Deployment::Gather(int begin, int end, float centre_x, float centre_y, RandomStream& random) {
  for (int unit = begin; unit < end; ++unit) {
    x[unit] = Scattered(centre_x, random);
    y[unit] = Scattered(centre_y, random);
  }
}

void Deployment::Reflect(RandomStream& random) {
  for (int unit = 0; unit < num_allies_; ++unit) {
    x[unit] = kMapSize / 2 * random.Uniform();
    y[unit] = kMapSize * random.Uniform();
    x[num_allies_ + unit] = kMapSize - x[unit];
    y[num_allies_ + unit] = y[unit];
  }
}

void Deployment::Surround(RandomStream& random) {
  const bool allies_inside = random.Below(2) == 0;
  const int inside_begin = allies_inside ? 0 : num_allies_, inside_end = allies_inside ? num_allies_ : num_units_;
  Gather(inside_begin, inside_end, kCentre, kCentre, random);
  std::array<float, 4> towards_centre;
  for (float& share : towards_centre) share = random.Uniform();
  for (int unit = 0; unit < num_units_; ++unit) {
    if (unit >= inside_begin && unit < inside_end) continue;
    const int diagonal = random.Below(4);
    const float from_edge = towards_centre[diagonal] * kCentre;
    x[unit] = Scattered(diagonal & 1 ? kMapSize - from_edge : from_edge, random);
    y[unit] = Scattered(diagonal & 2 ? kMapSize - from_edge : from_edge, random);
  }
}

}  // namespace troupe::smax
