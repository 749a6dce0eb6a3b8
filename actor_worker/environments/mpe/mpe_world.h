// The world of the multi-agent particle environments (Lowe et al., "Multi-agent actor-critic for mixed
// cooperative-competitive environments", arXiv:1706.02275): discs of mass 1 that push themselves, and each other where
// they touch, through a viscous plane. Lengths are those of a square that reaches from −1 to 1, time is in seconds.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_WORLD_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_WORLD_H_

#include <limits>
#include <vector>

#include "absl/types/span.h"

namespace troupe {

struct Vector2 {
  double x = 0;
  double y = 0;
};

inline Vector2 operator+(Vector2 a, Vector2 b) { return {a.x + b.x, a.y + b.y}; }
inline Vector2 operator-(Vector2 a, Vector2 b) { return {a.x - b.x, a.y - b.y}; }
inline Vector2 operator*(double factor, Vector2 a) { return {factor * a.x, factor * a.y}; }
double SquaredLength(Vector2 a);
double Length(Vector2 a);

// Whose rules of motion hold. They differ in one step's order and in what scenarios say (mpe_settings.h).
enum class MpeDynamics {
  kMpe2,      // PyPI's mpe2: positions move by the velocity of before the step
  kOriginal,  // the code that MAPPO's authors publish with: by the velocity of after it
};

// An agent or a landmark.
struct Disc {
  Vector2 position;
  Vector2 velocity;  // per second
  double radius = 0.05;
  double push = 5;  // acceleration of a full control, per second²
  double max_speed = std::numeric_limits<double>::infinity();
  bool movable = true;
  bool collides = true;
};

double Distance(const Disc& a, const Disc& b);
// Whether their circles overlap.
bool Touch(const Disc& a, const Disc& b);

// Everything an episode's future depends on, but for its clock.
struct MpeWorld {
  std::vector<Disc> agents;
  std::vector<Disc> landmarks;  // these never move
  std::vector<int> goals;       // landmarks; what each is for is the scenario's matter
  int vocabulary = 0;
  std::vector<double> messages;  // [agents, vocabulary]: what each said last; zeros at first and of silent ones
};

// Distance from a landmark to the nearest agent of [first, last).
double NearestDistance(const MpeWorld& world, const Disc& landmark, int first, int last);

// Steps a world by 0.1 s. Not thread-safe; allocates in its constructor alone.
//
// The force on an agent is its push times its control, and for each other colliding disc it touches
//   100 · softplus(overlap / 0.001) · 0.001    along the line between the centres.
// A step is, in the order that the dynamics say: position += 0.1 · velocity; velocity = 0.75 · velocity + 0.1 · force,
// cut to max_speed. Discs whose centres coincide do not push each other: there is no line between them.
class MpePhysics {
 public:
  MpePhysics(MpeDynamics dynamics, int num_agents) : dynamics_(dynamics), forces_(num_agents) {}

  // `controls`: one per agent, each coordinate in [-1, 1].
  void Step(absl::Span<const Vector2> controls, MpeWorld& world);

 private:
  void AddContactForces(const MpeWorld& world);

  const MpeDynamics dynamics_;
  std::vector<Vector2> forces_;
};

// Where a disc that is given `control` for a step and then left alone would come to rest, contacts and max_speed aside.
Vector2 RestingPlace(MpeDynamics dynamics, const Disc& disc, Vector2 control);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_WORLD_H_
