// Actors of every network with every distribution and every way of sharing, as one actor file would have them.
#ifndef TROUPE_TESTS_ACTOR_WORKER_EVERY_POLICY_H_
#define TROUPE_TESTS_ACTOR_WORKER_EVERY_POLICY_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/host_tensor.h"
#include "common/base/random.h"
#include "common/specs/policy_spec.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/actor_worker/reference_distribution.h"

namespace troupe {

inline constexpr int kEveryAgents = 3, kEveryObserved = 5, kEveryActions = 5;

struct PolicyCase {
  PolicySpec spec;  // its group's name says which it is
  uint64_t seed = 0;
  std::vector<HostTensor> weights;
};

namespace every_policy {

inline constexpr int kRecurrent = 6;

struct NamedStack {
  std::string name;
  DenseStackSpec stack;  // what differs from MakeTestSpec's
  bool talks = false;
};

inline std::vector<NamedStack> EveryNetwork() {
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

inline PolicySpec MakeSpec(const NamedStack& network, const DistributionSpec& distribution, const Sharing& sharing) {
  PolicySpec spec = MakeTestSpec(kEveryAgents, kEveryObserved, kEveryActions, network.stack.hidden_sizes, sharing.sets);
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
inline std::vector<HostTensor> MakeWeights(const PolicySpec& spec, uint64_t seed) {
  std::vector<HostTensor> tensors = RandomWeights(spec, seed);
  if (!spec.distribution.is_gaussian()) return tensors;
  HostTensor& last = tensors.back();  // log_std, or the outputs' bias
  last.floats()[last.num_elements() - 1] = 30;
  last.floats()[last.num_elements() - 2] = -30;
  return tensors;
}

}  // namespace every_policy

inline std::vector<PolicyCase> EveryPolicy() {
  using every_policy::NamedStack;
  using every_policy::Sharing;
  std::vector<PolicyCase> cases;
  const std::vector<Sharing> sharings = {{"shared", {0, 0, 0}}, {"named", {0, 0, 0}, true}, {"sets", {0, 1, 0}, true}};
  const std::vector<NamedStack> networks = every_policy::EveryNetwork();
  for (const NamedStack& network : networks) {
    for (const DistributionSpec& distribution : EveryDistribution()) {
      for (const Sharing& sharing : sharings) {
        PolicySpec spec = every_policy::MakeSpec(network, distribution, sharing);
        // By the case alone, so that another distribution leaves the others as they are.
        const uint64_t seed =
            MixKey({static_cast<uint64_t>(&network - networks.data()), static_cast<uint64_t>(distribution.kind),
                    distribution.state_dependent_std, static_cast<uint64_t>(&sharing - sharings.data())});
        std::vector<HostTensor> weights = every_policy::MakeWeights(spec, seed);
        cases.push_back({std::move(spec), seed, std::move(weights)});
      }
    }
  }
  return cases;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_EVERY_POLICY_H_
