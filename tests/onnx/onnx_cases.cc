// onnx_cases FOLDER: actors of every network with every distribution as one actor file, FOLDER/actors.safetensors, and
// what the worker makes of some rows, FOLDER/cases.json, for onnx_test.py.
//
// cases.json: {GROUP: {"policy": its spec, "steps": [{"observations": [R · O], "masks": [R · N], "outputs": [R · M],
// "actions": [R · …], "state": [R · H]}, …]}}. Row r is agent r % A. An episode begins before the first step; outputs,
// actions (the modes) and state are of after it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "actor_worker/acting/group_actor.h"
#include "common/base/random.h"
#include "common/files/atomic_file.h"
#include "common/specs/actor_file.h"
#include "tests/actor_worker/every_policy.h"

namespace troupe {
namespace {

using Json = nlohmann::json;

constexpr int kCopies = 4, kSteps = 4;

Json Play(const PolicySpec& spec, const PolicySnapshot& snapshot, uint64_t seed) {
  constexpr int kRows = kCopies * kEveryAgents;
  auto actor = *GroupActor::Create(spec, kCopies);
  auto network = MakeNetwork(spec, kCopies);
  if (!actor->SetSnapshot(snapshot).ok()) std::abort();
  network->SetParameters(absl::MakeConstSpan(snapshot.tensors).subspan(0, spec.stack.Parameters().size()));
  std::vector<float> state(size_t(kRows) * actor->state_size()), same = state;
  RandomStream random(seed);
  Json steps = Json::array();
  for (int step = 0; step < kSteps; ++step) {
    std::vector<float> observations(size_t(kRows) * kEveryObserved);
    for (float& value : observations) value = 4 * random.Uniform() - 2;
    std::vector<uint8_t> masks;
    if (spec.action_kind != ActionKind::kContinuous) {
      for (int i = 0; i < kRows * kEveryActions; ++i) masks.push_back(random.Below(3) > 0);
      const std::vector<int> sizes = spec.action_sizes.empty() ? std::vector<int>{kEveryActions} : spec.action_sizes;
      for (size_t first = 0; first < masks.size();) {
        for (const int size : sizes) {
          masks[first + random.Below(size)] = 1;
          first += size;
        }
      }
    }
    std::vector<float> sampled(size_t(kRows) * kEveryActions), taken = sampled, log_probabilities(kRows);
    std::vector<int32_t> discrete(size_t(kRows) * std::max<size_t>(1, spec.action_sizes.size()));
    const absl::Span<const float> outputs = network->Outputs(observations, absl::MakeSpan(same));
    actor->Act(
        observations, masks, {}, absl::MakeSpan(state),
        {absl::MakeSpan(discrete), absl::MakeSpan(sampled), absl::MakeSpan(taken), absl::MakeSpan(log_probabilities)});
    Json actions = taken;
    if (spec.action_kind != ActionKind::kContinuous) actions = discrete;
    steps.push_back({{"observations", observations},
                     {"masks", masks},
                     {"outputs", std::vector<float>(outputs.begin(), outputs.end())},
                     {"actions", actions},
                     {"state", state}});
  }
  return steps;
}

int Main(const std::string& folder) {
  ActorFile file;
  file.experiment.set_name("onnx_cases");
  file.experiment.mutable_environment()->set_name("grid_world");
  file.experiment.set_total_env_steps(1024);
  file.weights = {7, {}, {{"epsilon", 0.3}, {"noise_scale", 0.75}}};
  Json cases;
  for (const PolicyCase& of : EveryPolicy()) {
    cases[of.spec.group] = {{"policy", Json::parse(FormatPolicySpec(of.spec))},
                            {"steps", Play(of.spec, {7, of.weights, file.weights.scalars}, of.seed)}};
    file.policies.push_back(of.spec);
    file.weights.tensors.insert(file.weights.tensors.end(), of.weights.begin(), of.weights.end());
  }
  absl::Status status = WriteActorFile(folder + "/actors.safetensors", file);
  if (status.ok()) status = WriteFileAtomically(folder + "/cases.json", {cases.dump()});
  if (status.ok()) return 0;
  std::fprintf(stderr, "onnx_cases: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) { return argc == 2 ? troupe::Main(argv[1]) : 2; }
