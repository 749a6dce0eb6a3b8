#include "actor_worker/environments/mpe/mpe_world.h"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

constexpr double kStepSeconds = 0.1;
constexpr double kKeptVelocity = 0.75;
constexpr double kContactForce = 100;
constexpr double kContactMargin = 1e-3;
// Beyond so many margins between two circles the force is below what a double of the velocity can hold.
constexpr double kFarInMargins = 50;

// ln(1 + e^x), without overflow.
double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// What b does to a; nothing where they are apart.
Vector2 ContactForce(const Disc& a, const Disc& b) {
  if (!a.collides || !b.collides) return {};
  const Vector2 apart = a.position - b.position;
  const double reach = a.radius + b.radius + kFarInMargins * kContactMargin;
  const double squared = SquaredLength(apart);
  if (squared >= reach * reach || squared == 0) return {};
  const double distance = std::sqrt(squared);
  const double overlap = Softplus((a.radius + b.radius - distance) / kContactMargin) * kContactMargin;
  return kContactForce * overlap / distance * apart;
}

}  // namespace

double SquaredLength(Vector2 a) { return a.x * a.x + a.y * a.y; }
double Length(Vector2 a) { return std::sqrt(SquaredLength(a)); }
double Distance(const Disc& a, const Disc& b) { return Length(a.position - b.position); }
bool Touch(const Disc& a, const Disc& b) { return Distance(a, b) < a.radius + b.radius; }

double NearestDistance(const MpeWorld& world, const Disc& landmark, int first, int last) {
  double nearest = std::numeric_limits<double>::infinity();
  for (int agent = first; agent < last; ++agent) nearest = std::min(nearest, Distance(world.agents[agent], landmark));
  return nearest;
}

void MpePhysics::AddContactForces(const MpeWorld& world) {
  for (size_t a = 0; a < world.agents.size(); ++a) {
    for (size_t b = a + 1; b < world.agents.size(); ++b) {
      const Vector2 force = ContactForce(world.agents[a], world.agents[b]);
      forces_[a] = forces_[a] + force;
      forces_[b] = forces_[b] - force;
    }
    for (const Disc& landmark : world.landmarks) forces_[a] = forces_[a] + ContactForce(world.agents[a], landmark);
  }
}

void MpePhysics::Step(absl::Span<const Vector2> controls, MpeWorld& world) {
  for (size_t a = 0; a < world.agents.size(); ++a) forces_[a] = world.agents[a].push * controls[a];
  AddContactForces(world);
  for (size_t a = 0; a < world.agents.size(); ++a) {
    Disc& disc = world.agents[a];
    if (!disc.movable) continue;
    if (dynamics_ == MpeDynamics::kMpe2) disc.position = disc.position + kStepSeconds * disc.velocity;
    disc.velocity = kKeptVelocity * disc.velocity + kStepSeconds * forces_[a];
    const double speed = Length(disc.velocity);
    if (speed > disc.max_speed) disc.velocity = disc.max_speed / speed * disc.velocity;
    if (dynamics_ == MpeDynamics::kOriginal) disc.position = disc.position + kStepSeconds * disc.velocity;
  }
}

Vector2 RestingPlace(MpeDynamics dynamics, const Disc& disc, Vector2 control) {
  // The sum of 0.75^k over all further steps, times a step's seconds.
  constexpr double kCoastingSeconds = kStepSeconds / (1 - kKeptVelocity);
  const Vector2 next = kKeptVelocity * disc.velocity + kStepSeconds * disc.push * control;
  const Vector2 first = dynamics == MpeDynamics::kMpe2 ? kStepSeconds * disc.velocity : Vector2{};
  return disc.position + first + kCoastingSeconds * next;
}

}  // namespace troupe
