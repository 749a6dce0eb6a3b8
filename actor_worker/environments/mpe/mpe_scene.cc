// A replay page's picture: the plane, landmarks as letters, agents as discs with where they are going and what they
// say.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/scene.h"

namespace troupe {
namespace {

// The square that is shown reaches so far at least, and at most.
constexpr double kLeastReach = 1.25, kMostReach = 2.5;
constexpr double kArrowSeconds = 0.4;

ScenePoint PlaceOf(const Disc& disc) {
  return {std::clamp(disc.position.x, -kMostReach, kMostReach), std::clamp(disc.position.y, -kMostReach, kMostReach)};
}

double Reach(const MpeWorld& world) {
  double reach = kLeastReach;
  for (const Disc& agent : world.agents) {
    const ScenePoint at = PlaceOf(agent);
    reach = std::max({reach, std::abs(at.x) + agent.radius, std::abs(at.y) + agent.radius});
  }
  return reach;
}

// Of teams that play against each other each has an ink, else each agent.
bool InksByRole(const std::vector<MpeRole>& roles) {
  return std::any_of(roles.begin(), roles.end(),
                     [&](const MpeRole& role) { return role.scripted || role.team != roles[0].team; });
}

std::string WordOf(const MpeWorld& world, int agent, const MpeRole& role) {
  if (role.vocabulary == 0) return "";
  const double* const message = world.messages.data() + agent * world.vocabulary;
  const double* const loudest = std::max_element(message, message + world.vocabulary);
  return *loudest > 0 ? absl::StrCat("says ", loudest - message) : "silent";
}

void DrawLandmarks(const MpeWorld& world, const MpeScenario& scenario, Scene& scene) {
  for (size_t i = 0; i < world.landmarks.size(); ++i) {
    const Disc& landmark = world.landmarks[i];
    const ScenePoint at = PlaceOf(landmark);
    const std::string letter(1, static_cast<char>('a' + i % 26));
    scene.Circle(at, landmark.radius,
                 {.ink = landmark.collides ? Ink::kFaint : Ink::kGround,
                  .opacity = landmark.collides ? 0.5 : 1,
                  .note = absl::StrCat(landmark.collides ? "obstacle " : "landmark ", letter)});
    scene.Text({at.x, at.y + landmark.radius + 0.13}, 0.08, letter, {.ink = Ink::kFaint});
  }
  for (size_t goal = 0; goal < world.goals.size(); ++goal) {
    const Disc& landmark = world.landmarks[world.goals[goal]];
    const int seeker = scenario.Seeker(static_cast<int>(goal));
    scene.Circle(PlaceOf(landmark), landmark.radius + 0.03 + 0.03 * static_cast<double>(goal),
                 {.ink = seeker < 0 ? Ink::kGood : TeamInk(seeker),
                  .outline = 0.015,
                  .note = seeker < 0 ? "the goal" : absl::StrCat("the goal of agent ", seeker)});
  }
}

}  // namespace

void MpeEnvironment::Draw(Scene& scene) const {
  const double reach = Reach(world_);
  scene.Map(-reach, -reach, reach, reach);
  scene.Box({-1, -1}, {1, 1}, {.ink = Ink::kGround, .outline = 0.008});
  DrawLandmarks(world_, *scenario_, scene);
  const bool by_role = InksByRole(roles_);
  int agent = 0;
  for (size_t r = 0; r < roles_.size(); ++r) {
    for (const std::string& name : roles_[r].agents) {
      const Disc& disc = world_.agents[agent];
      const ScenePoint at = PlaceOf(disc);
      const Ink ink = TeamInk(by_role ? static_cast<int>(r) : agent);
      const std::string word = WordOf(world_, agent, roles_[r]);
      scene.Circle(at, disc.radius,
                   {.ink = ink,
                    .opacity = 0.85,
                    .note = absl::StrFormat("%s at %.2f, %.2f, %.2f per second, reward %.3f%s%s", name, disc.position.x,
                                            disc.position.y, Length(disc.velocity), rewards_[agent],
                                            word.empty() ? "" : ", ", word)});
      const bool moves = Length(disc.velocity) > 0.01;
      scene.Arrow(at, {at.x + kArrowSeconds * disc.velocity.x, at.y + kArrowSeconds * disc.velocity.y}, 0.012,
                  {.ink = moves ? Ink::kText : Ink::kNone, .opacity = 0.7});
      scene.Text(at, std::min(0.09, 1.1 * disc.radius), absl::StrCat(agent), {.ink = Ink::kPaper});
      scene.Text({at.x, at.y - disc.radius - 0.06}, 0.075, word, {.ink = ink});
      ++agent;
    }
  }
  if (step_ == 0) return;
  for (size_t i = 0; i < tallies_.size(); ++i) scene.Figure(tallies_[i].name, tallies_[i].name, measured_[i]);
}

}  // namespace troupe
