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

#include "absl/strings/str_cat.h"
#include "actor_worker/acting/group_actor.h"
#include "common/base/random.h"
#include "common/files/atomic_file.h"
#include "common/specs/actor_file.h"
#include "tests/actor_worker/reference_distribution.h"

namespace troupe {
namespace {

using Json = nlohmann::json;

constexpr int kAgents = 3, kObserved = 5, kActions = 5, kRecurrent = 6, kCopies = 4, kSteps = 4;

struct NamedStack {
  std::string name;
  DenseStackSpec stack;  // what differs from MakeTestSpec's
  bool talks = false;
};

std::vector<NamedStack> EveryNetwork() {
  std::vector<NamedStack> networks;
  for (const Cell cell : {Cell::kNone, Cell::kGru, Cell::kLstm}) {
    const std::string name = cell == Cell::kNone ? "dense" : cell == Cell::kGru ? "gru" : "lstm";
    DenseStackSpec stack{.hidden_sizes = {16, 8}, .cell = cell, .recurrent_size = cell == Cell::kNone ? 0 : kRecurrent};
    networks.push_back({name, stack});
    stack.activation = Activation::kTanh;
    stack.input_layer_norm = stack.hidden_layer_norm = true;
    networks.push_back({name + "_norms", stack});
    stack.input_layer_norm = false;
    stack.hidden_sizes = {};
    networks.push_back({name + "_bare", stack});
  }
  for (const bool side_by_side : {false, true}) {
    DenseStackSpec stack{.hidden_sizes = {16}, .hidden_layer_norm = side_by_side};
    stack.messages = {.size = 3, .side_by_side = side_by_side};
    networks.push_back({side_by_side ? "talk_apart" : "talk", stack, true});
    stack.cell = side_by_side ? Cell::kLstm : Cell::kGru;
    stack.recurrent_size = kRecurrent;
    networks.push_back({side_by_side ? "lstm_talk_apart" : "gru_talk", stack, true});
  }
  return networks;
}

struct Sharing {
  std::string name;
  std::vector<int> sets;
  bool agent_id = false;
};

PolicySpec MakeSpec(const NamedStack& network, const DistributionSpec& distribution, const Sharing& sharing) {
  PolicySpec spec = MakeTestSpec(kAgents, kObserved, kActions, network.stack.hidden_sizes, sharing.sets);
  spec.stack.activation = network.stack.activation;
  spec.stack.input_layer_norm = network.stack.input_layer_norm;
  spec.stack.hidden_layer_norm = network.stack.hidden_layer_norm;
  spec.stack.cell = network.stack.cell;
  spec.stack.recurrent_size = network.stack.recurrent_size;
  spec = WithDistribution(spec, distribution);
  if (network.talks) spec = WithMessages(spec, network.stack.messages, {{1, 2}, {0}, {}});
  if (sharing.agent_id) spec = WithAgentId(spec);
  // Some have units of their own.
  if (spec.action_kind == ActionKind::kContinuous && !sharing.agent_id) {
    spec.action_bounds = {{-1, 1}, {0, 5}, {-2, 2}, {-0.5, 7}, {100, 101}};
  }
  spec.group = absl::StrCat(network.name, "_", std::string(TraitsOf(distribution.kind).name),
                            distribution.state_dependent_std ? "_by_state_" : "_", sharing.name);
  return spec;
}

// Deviations beyond what is allowed, on either side, are among them.
std::vector<HostTensor> MakeWeights(const PolicySpec& spec, uint64_t seed) {
  std::vector<HostTensor> tensors = RandomWeights(spec, seed);
  if (!spec.distribution.is_gaussian()) return tensors;
  HostTensor& last = tensors.back();  // log_std, or the outputs' bias
  last.floats()[last.num_elements() - 1] = 30;
  last.floats()[last.num_elements() - 2] = -30;
  return tensors;
}

Json Play(const PolicySpec& spec, const PolicySnapshot& snapshot, uint64_t seed) {
  constexpr int kRows = kCopies * kAgents;
  auto actor = *GroupActor::Create(spec, kCopies);
  auto network = MakeNetwork(spec, kCopies);
  if (!actor->SetSnapshot(snapshot).ok()) std::abort();
  network->SetParameters(absl::MakeConstSpan(snapshot.tensors).subspan(0, spec.stack.Parameters().size()));
  std::vector<float> state(size_t(kRows) * actor->state_size()), same = state;
  RandomStream random(seed);
  Json steps = Json::array();
  for (int step = 0; step < kSteps; ++step) {
    std::vector<float> observations(size_t(kRows) * kObserved);
    for (float& value : observations) value = 4 * random.Uniform() - 2;
    std::vector<uint8_t> masks;
    if (spec.action_kind != ActionKind::kContinuous) {
      for (int i = 0; i < kRows * kActions; ++i) masks.push_back(random.Below(3) > 0);
      const std::vector<int> sizes = spec.action_sizes.empty() ? std::vector<int>{kActions} : spec.action_sizes;
      for (size_t first = 0; first < masks.size();) {
        for (const int size : sizes) {
          masks[first + random.Below(size)] = 1;
          first += size;
        }
      }
    }
    std::vector<float> sampled(size_t(kRows) * kActions), taken = sampled, log_probabilities(kRows);
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
  const std::vector<Sharing> sharings = {{"shared", {0, 0, 0}}, {"named", {0, 0, 0}, true}, {"sets", {0, 1, 0}, true}};
  const std::vector<NamedStack> networks = EveryNetwork();
  for (const NamedStack& network : networks) {
    for (const DistributionSpec& distribution : EveryDistribution()) {
      for (const Sharing& sharing : sharings) {
        const PolicySpec spec = MakeSpec(network, distribution, sharing);
        // By the case alone, so that another distribution leaves the others as they are.
        const uint64_t seed =
            MixKey({static_cast<uint64_t>(&network - networks.data()), static_cast<uint64_t>(distribution.kind),
                    distribution.state_dependent_std, static_cast<uint64_t>(&sharing - sharings.data())});
        const std::vector<HostTensor> weights = MakeWeights(spec, seed);
        cases[spec.group] = {{"policy", Json::parse(FormatPolicySpec(spec))},
                             {"steps", Play(spec, {7, weights, file.weights.scalars}, seed)}};
        file.policies.push_back(spec);
        file.weights.tensors.insert(file.weights.tensors.end(), weights.begin(), weights.end());
      }
    }
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
