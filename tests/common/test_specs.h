// Specs and an experiment for tests.
#ifndef TROUPE_TESTS_COMMON_TEST_SPECS_H_
#define TROUPE_TESTS_COMMON_TEST_SPECS_H_

#include "common/specs/environment_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

// A discrete group of three, a continuous group of two.
inline EnvironmentSpec TwoGroupSpec() {
  EnvironmentSpec spec;
  spec.name = "test";
  spec.groups = {{"red", {"red_0", "red_1", "red_2"}, 4, ActionKind::kDiscrete, 5},
                 {"blue", {"blue_0", "blue_1"}, 3, ActionKind::kContinuous, 2}};
  spec.state_extras_size = 2;
  spec.statistics = {"wins", "losses"};
  spec.agent_statistics = {"score"};
  return spec;
}

// No more than what is required.
inline Experiment MinimalExperiment() {
  Experiment experiment;
  experiment.set_name("test");
  experiment.set_total_env_steps(1000000);
  experiment.mutable_environment()->set_name("grid_world");
  return experiment;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_COMMON_TEST_SPECS_H_
