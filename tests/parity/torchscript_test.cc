// Actors as TorchScript files, opened by LibTorch, act as the worker's do: every network with every distribution.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <nlohmann/json.hpp>

#include "actor_worker/acting/group_actor.h"
#include "common/base/random.h"
#include "learner/torchscript/export_torchscript.h"
#include "tests/actor_worker/every_policy.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::ElementsAre;

constexpr int kCopies = 4, kSteps = 2, kRows = kCopies * kEveryAgents;
constexpr double kTolerance = 1e-5;

ActorFile FileOf(const std::vector<PolicyCase>& cases) {
  ActorFile file;
  file.experiment.set_name("some");
  file.weights.scalars = {{"epsilon", 0.3}, {"noise_scale", 0.75}};
  for (const PolicyCase& of : cases) {
    file.policies.push_back(of.spec);
    file.weights.tensors.insert(file.weights.tensors.end(), of.weights.begin(), of.weights.end());
  }
  return file;
}

template <typename T>
at::Tensor RowsOf(std::vector<T>& values, at::ScalarType type) {
  return at::from_blob(values.data(), {kRows, static_cast<int64_t>(values.size()) / kRows}, type);
}

// The rows of a set's agents alone.
at::Tensor Own(const at::Tensor& rows, const at::Tensor& own) { return rows.index_select(0, own); }

void ExpectClose(const at::Tensor& found, const at::Tensor& expected, const std::string& what) {
  const at::Tensor as = found.to(at::kFloat).reshape_as(expected);
  EXPECT_TRUE(at::allclose(as, expected, kTolerance, kTolerance))
      << what << ": largest difference " << (as - expected).abs().max().item<float>();
}

// An episode of all agents by the worker, and by the files' modules, `modules[s]` of parameter set s.
void Follow(const PolicyCase& of, std::vector<torch::jit::Module>& modules) {
  const PolicySpec& spec = of.spec;
  auto actor = *GroupActor::Create(spec, kCopies);
  auto network = MakeNetwork(spec, kCopies);
  const PolicySnapshot snapshot{1, of.weights, {{"epsilon", 0.3}, {"noise_scale", 0.75}}};
  ASSERT_TRUE(actor->SetSnapshot(snapshot).ok());
  network->SetParameters(absl::MakeConstSpan(of.weights).subspan(0, spec.stack.Parameters().size()));
  const int said = spec.stack.messages.size, kept = spec.stack.cell_state_size();
  std::vector<float> state(size_t(kRows) * (kept + said)), same = state;
  std::vector<at::Tensor> states(modules.size());
  RandomStream random(of.seed, 1);
  for (int step = 0; step < kSteps; ++step) {
    std::vector<float> observations(kRows * kEveryObserved);
    for (float& value : observations) value = 4 * random.Uniform() - 2;
    std::vector<uint8_t> masks(spec.action_kind == ActionKind::kContinuous ? 0 : kRows * kEveryActions);
    for (uint8_t& mask : masks) mask = random.Below(3) > 0;
    const std::vector<int> sizes = spec.action_sizes.empty() ? std::vector<int>{kEveryActions} : spec.action_sizes;
    for (size_t first = 0; first < masks.size();) {
      for (const int size : sizes) {
        masks[first + random.Below(size)] = 1;
        first += size;
      }
    }
    // What agents hear is of the state before, by the definition.
    std::vector<float> heard(size_t(kRows) * (said > 0 ? spec.stack.messages.num_inputs() : 0));
    for (int row = 0; row < kRows && said > 0; ++row) {
      const std::vector<int>& neighbours = spec.neighbours[row % kEveryAgents];
      for (size_t i = 0; i < neighbours.size(); ++i) {
        const size_t other = row / kEveryAgents * kEveryAgents + neighbours[i];
        for (int k = 0; k < said; ++k) {
          const float number = state[other * (kept + said) + kept + k];
          const bool apart = spec.stack.messages.side_by_side;
          heard[row * (heard.size() / kRows) + (apart ? i * said + k : k)] +=
              apart ? number : number / neighbours.size();
        }
      }
    }
    std::vector<int32_t> discrete(kRows * std::max<size_t>(1, spec.action_sizes.size()));
    std::vector<float> sampled(kRows * kEveryActions), taken = sampled, log_probabilities(kRows);
    const absl::Span<const float> given = network->Outputs(observations, absl::MakeSpan(same));
    std::vector<float> outputs(given.begin(), given.end());
    actor->Act(
        observations, masks, {}, absl::MakeSpan(state),
        {absl::MakeSpan(discrete), absl::MakeSpan(sampled), absl::MakeSpan(taken), absl::MakeSpan(log_probabilities)});
    for (size_t s = 0; s < modules.size(); ++s) {
      std::vector<int64_t> rows, agents;
      for (int row = 0; row < kRows; ++row) {
        if (spec.set_of_agent[row % kEveryAgents] != static_cast<int>(s)) continue;
        rows.push_back(row);
        agents.push_back(row % kEveryAgents);
      }
      const at::Tensor own = at::tensor(rows, at::kLong);
      const at::Tensor mask = masks.empty() ? at::Tensor() : Own(RowsOf(masks, at::kByte), own).to(at::kBool);
      std::vector<c10::IValue> inputs = {Own(RowsOf(observations, at::kFloat), own)};
      if (said > 0) inputs.push_back(Own(RowsOf(heard, at::kFloat), own));
      if (spec.agent_id_input) inputs.push_back(at::tensor(agents, at::kLong));
      if (!masks.empty()) inputs.push_back(mask);
      if (!states[s].defined()) states[s] = at::zeros({own.numel(), kept});
      if (kept > 0) inputs.push_back(states[s]);
      const auto found = modules[s].forward(inputs).toGenericDict();
      const auto part = [&](const std::string& name) { return found.at(name).toTensor(); };
      const at::Tensor expected = Own(RowsOf(outputs, at::kFloat), own);
      size_t count = 1;
      if (!masks.empty()) {
        const std::string name = spec.distribution.kind == DistributionKind::kEpsilonGreedy ? "values" : "logits";
        ExpectClose(part(name), at::where(mask, expected, kMaskedLogit), name);
        ExpectClose(part("action"), Own(RowsOf(discrete, at::kInt), own).to(at::kFloat), "action");
        count = 2;
      } else {
        ExpectClose(part("action"), Own(RowsOf(taken, at::kFloat), own), "action");
      }
      if (spec.distribution.is_gaussian()) {
        ExpectClose(part("mean"), expected.narrow(1, 0, kEveryActions), "mean");
        at::Tensor log_std;
        if (spec.distribution.state_dependent_std) {
          log_std = expected.narrow(1, kEveryActions, kEveryActions);
        } else {
          const float* const of_set = of.weights.back().floats() + s * kEveryActions;
          log_std = at::tensor(std::vector<float>(of_set, of_set + kEveryActions)).expand({own.numel(), kEveryActions});
        }
        ExpectClose(part("log_std"), log_std.clamp(kMinLogStd, kMaxLogStd).contiguous(), "log_std");
        count = 3;
      }
      const at::Tensor after = Own(RowsOf(state, at::kFloat), own);
      if (kept > 0) {
        states[s] = part("state_out");
        ExpectClose(states[s], after.narrow(1, 0, kept).contiguous(), "state");
        ++count;
      }
      if (said > 0) {
        ExpectClose(part("message"), after.narrow(1, kept, said).contiguous(), "message");
        ++count;
      }
      EXPECT_EQ(found.size(), count);
    }
  }
}

TEST(TorchscriptTest, EveryNetworkWithEveryDistributionActsAsTheWorkers) {
  torch::jit::setGraphExecutorOptimize(false);  // which takes longer than three steps are worth
  const std::vector<PolicyCase> cases = EveryPolicy();
  const TemporaryFolder folder;
  const auto names = WriteTorchscriptActors(folder.path(), FileOf(cases));
  ASSERT_TRUE(names.ok()) << names.status();
  size_t next = 0;
  for (const PolicyCase& of : cases) {
    SCOPED_TRACE(of.spec.group);
    std::vector<torch::jit::Module> modules;
    for (int set = 0; set < of.spec.stack.num_sets; ++set) {
      modules.push_back(torch::jit::load(folder / (*names)[next++]));
    }
    Follow(of, modules);
  }
  EXPECT_EQ(next, names->size());
}

TEST(TorchscriptTest, AFileSaysWhoseActorsItHas) {
  const TemporaryFolder folder;
  std::vector<PolicyCase> cases = EveryPolicy();
  std::erase_if(cases, [](const PolicyCase& of) {
    return of.spec.group != "gru_gaussian_shared" && of.spec.group != "dense_categorical_sets";
  });
  const auto names = WriteTorchscriptActors(folder / "new", FileOf(cases));
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names,
              ElementsAre("dense_categorical_sets.0.pt", "dense_categorical_sets.1.pt", "gru_gaussian_shared.pt"));
  torch::jit::ExtraFilesMap extra = {{"metadata.json", ""}};
  torch::jit::load(folder / "new/dense_categorical_sets.1.pt", std::nullopt, extra);
  const auto told = nlohmann::json::parse(extra["metadata.json"]);
  EXPECT_EQ(told["format"], "troupe-torchscript/1");
  EXPECT_EQ(told["group"], "dense_categorical_sets");
  EXPECT_EQ(told["agent_indices"], "[1]");
  EXPECT_EQ(told["scalar.noise_scale"], "0.75");
}

TEST(TorchscriptTest, RefusesWhatIsNoActorsFile) {
  const TemporaryFolder folder;
  std::vector<PolicyCase> cases = {EveryPolicy()[0]};
  ActorFile file = FileOf(cases);
  file.weights.tensors.pop_back();
  EXPECT_TRUE(absl::IsInvalidArgument(WriteTorchscriptActors(folder.path(), file).status()));
  file = FileOf(cases);
  file.policies[0].options = {.count = 2, .steps = 3};
  EXPECT_THAT(std::string(WriteTorchscriptActors(folder.path(), file).status().message()),
              testing::HasSubstr("num_options is 2"));
  file.policies[0].options = {};
  file.policies[0].group = "../one";
  EXPECT_TRUE(absl::IsInvalidArgument(WriteTorchscriptActors(folder.path(), file).status()));
}

}  // namespace
}  // namespace troupe
