// Particle environments made from settings, and episodes played in them.
#ifndef TROUPE_TESTS_ENVIRONMENTS_MPE_TEST_SUPPORT_H_
#define TROUPE_TESTS_ENVIRONMENTS_MPE_TEST_SUPPORT_H_

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/registry/registry.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {

inline std::unique_ptr<MpeEnvironment> MakeMpe(const std::string& scenario, const SettingsMap& settings = {}) {
  const auto entry = FindEnvironment(scenario);
  EXPECT_TRUE(entry.ok()) << entry.status();
  auto environment = (*entry)->create(settings);
  EXPECT_TRUE(environment.ok()) << environment.status();
  return std::unique_ptr<MpeEnvironment>(static_cast<MpeEnvironment*>(environment->release()));
}

// Null for "random".
inline std::unique_ptr<Controller> MakeMpePlayer(const std::string& scenario, const std::string& name) {
  for (const Baseline& baseline : (*FindEnvironment(scenario))->baselines({})) {
    if (baseline.name == name) return baseline.make();
  }
  EXPECT_EQ(name, "random");
  return nullptr;
}

struct MeanAndError {
  double mean = 0;
  double error = 0;  // standard error of the mean
};

// Each role's mean return over episodes; a null controller plays at random.
inline std::vector<MeanAndError> PlayMpe(MpeEnvironment& environment, Controller* controller, int episodes) {
  EnvironmentBuffers buffers(environment.spec());
  RandomStream random(17);
  std::vector<double> sums(environment.roles().size()), squares(sums.size());
  for (int episode = 0; episode < episodes; ++episode) {
    EXPECT_TRUE(environment.Reset(1000000 + episode).ok());
    if (controller != nullptr) controller->Begin(environment);
    std::vector<double> returns(sums.size());
    for (buffers.Begin(); !buffers.over();) {
      buffers.Observe(environment);
      controller != nullptr ? buffers.ChooseBy(*controller, environment) : buffers.ChooseRandomly(random);
      buffers.Step(environment);
      size_t agent = 0;
      for (size_t role = 0; role < sums.size(); ++role) {
        const size_t size = environment.roles()[role].agents.size();
        for (size_t a = 0; a < size; ++a) returns[role] += environment.rewards()[agent++] / static_cast<double>(size);
      }
    }
    for (size_t role = 0; role < sums.size(); ++role) {
      sums[role] += returns[role];
      squares[role] += returns[role] * returns[role];
    }
  }
  std::vector<MeanAndError> results;
  for (size_t role = 0; role < sums.size(); ++role) {
    const double mean = sums[role] / episodes;
    results.push_back({mean, std::sqrt((squares[role] / episodes - mean * mean) / (episodes - 1))});
  }
  return results;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ENVIRONMENTS_MPE_TEST_SUPPORT_H_
