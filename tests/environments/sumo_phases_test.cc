// What agents see of real SUMO with `observation: PHASES`; skipped where SUMO is not installed.
#include <algorithm>

#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/config/experiment_loader.h"
#include "tests/environments/live_sumo.h"

namespace troupe {
namespace {

TEST_F(LiveSumo, TheVehicleAtTheStopLineHasWaitedLongest) {
  const auto simulation = Make(), unasked = Make();
  simulation->MeasureFirstVehicles();
  ASSERT_TRUE(simulation->Reset(1).ok() && unasked->Reset(1).ok());
  int queues = 0;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(simulation->Advance(5).ok() && unasked->Advance(5).ok());
    const auto lanes = simulation->Measure(), same = unasked->Measure();
    for (size_t k = 0; k < lanes.size(); ++k) {
      EXPECT_EQ(lanes[k].waiting_seconds, same[k].waiting_seconds) << "asking changes nothing";
      EXPECT_EQ(same[k].first_waiting_seconds, 0);
      const float first = lanes[k].first_waiting_seconds;
      if (lanes[k].halting == 0) {
        EXPECT_EQ(first, 0);
      } else if (simulation->network().lanes[k].green_phases & 1) {
        continue;  // phase 0 has green all the time: who stands there yields, or is not the first
      } else if (lanes[k].halting == 1 && first > 0) {
        EXPECT_EQ(first, lanes[k].waiting_seconds);
      } else if (lanes[k].halting > 1) {
        EXPECT_GT(first, lanes[k].waiting_seconds / lanes[k].halting) << "above the mean of those behind a red light";
        ++queues;
      }
    }
  }
  EXPECT_GT(queues, 50);
}

TEST_F(LiveSumo, AgentsSeeTheirPhasesWhenAskedTo) {
  const auto environment = SumoEntry().create({{"network", configuration_},
                                               {"observation", "PHASES"},
                                               {"action_set", "CHOOSE_PHASE"},
                                               {"decision_interval_seconds", "5"}});
  ASSERT_TRUE(environment.ok()) << environment.status();
  const AgentGroupSpec& group = (*environment)->spec().groups.at(0);
  const int phases = group.action_size;
  ASSERT_EQ(group.observation_size, PhaseObservation::Size(phases));
  const auto& traffic = dynamic_cast<const TrafficEnvironment&>(**environment);
  StepBuffers buffers((*environment)->spec());
  ASSERT_TRUE((*environment)->Reset(5).ok());
  for (int32_t& action : buffers.discrete[0]) action = 0;
  for (int step = 0; step < 12; ++step) ASSERT_TRUE((*environment)->Step(buffers.action, buffers.outcome).ok());
  (*environment)->Observe(buffers.observation);
  float standing_anywhere = 0;
  for (int a = 0; a < group.num_agents(); ++a) {
    const TrafficJunction& junction = traffic.network().junctions[traffic.JunctionOf(0, a)];
    const float* seen = buffers.observation.groups[0].observations.data() + a * group.observation_size;
    for (int phase = 0; phase < phases; ++phase, seen += kPhaseFeatures) {
      float standing = 0;
      for (int k = junction.first_lane; k < junction.first_lane + junction.num_lanes; ++k) {
        if (traffic.network().lanes[k].green_phases >> phase & 1) standing += traffic.lanes()[k].halting;
      }
      EXPECT_FLOAT_EQ(seen[0], standing / 10);
      EXPECT_EQ(seen[9], phase == 0 ? 1 : 0);
      standing_anywhere += standing;
    }
    EXPECT_EQ(seen[0], 1) << "60 s in the stage";
  }
  EXPECT_GT(standing_anywhere, 0);
}

// Nothing in the experiment for any network is about a map.
TEST(SumoAny, ItsExperimentStartsOnEveryInstalledNetwork) {
  if (const auto installation = FindSumo(""); !installation.ok()) GTEST_SKIP() << installation.status();
  const auto experiment = LoadExperiment(TROUPE_SOURCE_DIR "/deploy/experiments/sumo_any.textproto", {});
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  int played = 0;
  for (const char* name : {"cologne1", "cologne3", "cologne8", "grid4x4", "arterial4x4", "ingolstadt1", "ingolstadt7",
                           "ingolstadt21", "3x3grid"}) {
    SCOPED_TRACE(name);
    if (!FindSumoNetwork(name).ok()) continue;
    SettingsMap settings(experiment->environment().settings().begin(), experiment->environment().settings().end());
    settings["network"] = name;
    const auto environment = SumoEntry().create(settings);
    ASSERT_TRUE(environment.ok()) << environment.status();
    StepBuffers buffers((*environment)->spec());
    ASSERT_TRUE((*environment)->Reset(1).ok());
    for (int step = 0; step < 3; ++step) {
      (*environment)->Observe(buffers.observation);
      for (size_t g = 0; g < buffers.discrete.size(); ++g) {
        const AgentGroupSpec& group = (*environment)->spec().groups[g];
        EXPECT_EQ(group.observation_size, PhaseObservation::Size(group.action_size));
        const GroupObservation& seen = buffers.observation.groups[g];
        for (const float number : seen.observations) {
          EXPECT_GE(number, 0);
          EXPECT_LE(number, 10);
        }
        for (int a = 0; a < group.num_agents(); ++a) {
          const auto mask = seen.action_mask.subspan(a * group.action_size, group.action_size);
          buffers.discrete[g][a] = static_cast<int32_t>(std::find(mask.begin(), mask.end(), 1) - mask.begin());
        }
      }
      const absl::Status status = (*environment)->Step(buffers.action, buffers.outcome);
      ASSERT_TRUE(status.ok()) << status;
    }
    ++played;
  }
  if (played == 0) GTEST_SKIP() << "no network is installed";
}

}  // namespace
}  // namespace troupe
