// The worker's inner loop without the wire: nine per-agent actors 17-128-64-4 play traffic_grid. Argument: copies.
// Items are agent-steps.
#include <vector>

#include "actor_worker/acting/actor_team.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/environments/vector_environment.h"
#include "benchmark/benchmark.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {
namespace {

// Which of the loop's parts run.
struct Parts {
  bool inference = true;
  bool environment = true;
};

void Rollout(benchmark::State& state, const Parts parts) {
  const int copies = int(state.range(0));
  const auto entry = FindEnvironment("traffic_grid");
  if (!entry.ok()) return state.SkipWithError("no traffic_grid");
  auto made = VectorEnvironment::Create(**entry, {}, copies);
  if (!made.ok()) return state.SkipWithError(std::string(made.status().message()).c_str());
  VectorEnvironment& environment = **made;
  const AgentGroupSpec& group = environment.spec().groups[0];
  std::vector<int> sets;
  for (int a = 0; a < group.num_agents(); ++a) sets.push_back(a);
  const PolicySpec spec = MakeTestSpec(group.num_agents(), group.observation_size, group.action_size, {128, 64}, sets);
  const auto team = *ActorTeam::Create({spec}, copies);
  if (!team->SetSnapshot({1, RandomWeights(spec, 1)}).ok()) return state.SkipWithError("weights");
  RecurrentState recurrent = team->NewState();

  EpisodeBuffers memory(environment.spec(), copies);
  EpisodeBuffers::Group& of = memory.groups[0];
  std::vector<uint8_t> terminated(copies), truncated(copies);
  const ObservationRow& row = memory.row;
  const std::vector<ChosenActions> chosen = {
      {.discrete = absl::MakeSpan(of.discrete), .log_probabilities = absl::MakeSpan(of.log_probabilities)}};
  const auto draw = [&](int g, absl::Span<float> uniforms) { environment.DrawUniforms(g, uniforms); };
  ActionRow actions;
  actions.groups.push_back({of.discrete, of.continuous});
  OutcomeRow outcome;
  outcome.rewards.push_back(absl::MakeSpan(of.rewards));
  outcome.terminated = absl::MakeSpan(terminated);
  outcome.truncated = absl::MakeSpan(truncated);
  if (!environment.Start({.max_warm_up_steps = 1000}, row).ok()) return state.SkipWithError("start");
  for (auto _ : state) {
    if (parts.inference) {
      team->Act(row, draw, recurrent, chosen);
    } else {
      const uint8_t* mask = of.action_masks.data();
      for (int32_t& action : of.discrete) {
        for (action = 0; mask[action] == 0;) ++action;
        mask += group.action_size;
      }
    }
    if (parts.environment) {
      const absl::Status status = environment.Step(actions, outcome, row);
      if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
    }
  }
  state.SetItemsProcessed(state.iterations() * copies * group.num_agents());
}

void BM_Rollout(benchmark::State& state) { Rollout(state, {}); }
// The environment alone, every agent taking the first allowed action.
void BM_EnvironmentOnly(benchmark::State& state) { Rollout(state, {.inference = false}); }
void BM_ActingOnly(benchmark::State& state) { Rollout(state, {.environment = false}); }
BENCHMARK(BM_Rollout)->Arg(8)->Arg(64);
BENCHMARK(BM_EnvironmentOnly)->Arg(8)->Arg(64);
BENCHMARK(BM_ActingOnly)->Arg(8)->Arg(64);

}  // namespace
}  // namespace troupe
