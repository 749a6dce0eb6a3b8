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

// TwoGroupSpec and a multi-discrete group of one, 3 choices and 4; the continuous group has bounds of its own.
inline EnvironmentSpec EveryActionKindSpec() {
  EnvironmentSpec spec = TwoGroupSpec();
  spec.groups[1].action_bounds = {{-2, 2}, {0, 0.1f}};
  spec.groups.push_back({"green", {"green_0"}, 6, ActionKind::kMultiDiscrete, 7});
  spec.groups[2].action_sizes = {3, 4};
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
