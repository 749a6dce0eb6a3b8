// Networks whose rows tell each other something: what is learnt through a message, by hand, and one gradient step and
// what is inferred along sequences of teams, held to the formulas with every message in its place, differentiated by
// autograd in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/base/random.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/objectives/clipped_value.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

// Half the squared error: neither cut nor clipped.
std::shared_ptr<const Objective> SquaredError() {
  return std::make_shared<ClippedValueObjective>(ValueLossSettings{.huber_delta = 1e6, .clip = 1e6, .coefficient = 1});
}

std::unique_ptr<Arithmetic> Make(const NetworkPlan& plan) {
  static SingleRank alone;
  ArithmeticOptions options;
  options.compute.set_precision(F32);
  return CreateArithmetic({plan}, options, &alone).value();
}

// Adam's first moment after one gradient, from the state: a tenth of it.
std::vector<double> GradientOf(const Arithmetic& arithmetic) {
  std::vector<HostTensor> state;
  arithmetic.Save(0, &state);
  std::vector<double> gradient;
  for (const HostTensor& tensor : state) {
    if (tensor.name != "network/adam.first_moment") continue;
    for (int64_t i = 0; i < tensor.num_elements(); ++i) gradient.push_back(tensor.floats()[i] / 0.1);
  }
  return gradient;
}

// Two agents over two steps. The first sees 1 and says tanh(c · 1), c = 0.5; a step later the second puts out b · that,
// b = 3, and should have put out 1: with t = tanh(0.5) = 0.46211716 (Abramowitz and Stegun, table 4.15) it is off by
// e = 3 · t − 1 = 0.38635147. So ∂/∂b = e · t = 0.17853964 and ∂/∂c = e · b · (1 − t²) = 0.91153572, which is what the
// first one's silence at its own loss learns from. A dead speaker is heard as 0: ∂/∂c = 0, and e = −1.
TEST(CommunicatingArithmetic, WhatTheListenerGotWrongReachesTheSpeaker) {
  NetworkPlan plan{.name = "network",
                   .stack = {.input_size = 2, .output_size = 1, .messages = {.size = 1, .most_heard = 1}},
                   .rows_per_step = 2,
                   .objective = SquaredError(),
                   .optimizer = {.max_gradient_norm = 0},
                   .hears = {{}, {0}}};
  plan.stack.messages.first_input = 1;
  for (const float speaks : {1.0f, 0.0f}) {
    const std::unique_ptr<Arithmetic> arithmetic = Make(plan);
    std::vector<HostTensor> state;
    arithmetic->Save(0, &state);
    for (HostTensor& tensor : state) {
      const auto set = [&](const std::string& name, std::vector<float> values) {
        if (tensor.name == "network/" + name) std::ranges::copy(values, tensor.floats());
      };
      set("output.weight", {2, 3});  // of what is seen, of what is heard
      set("message.weight", {0.5f, 0});
    }
    arithmetic->Load(0, state);
    auto timeline = std::make_shared<Timeline>();
    timeline->columns = 1;
    timeline->steps = timeline->sequence_length = 2;
    timeline->begins = {1, 0, 0};
    arithmetic->BeginRows(timeline);
    const RowMemory memory = arithmetic->Rows(0, 2, 2);
    const float inputs[] = {1, speaks, 0, 1, 0, 1, 0, 1};  // [steps, agents, (seen, whether it speaks)]
    std::ranges::copy(inputs, memory.inputs);
    std::fill_n(memory.remembered, 2, 0.9f);  // what was said in the episode before
    arithmetic->SendRows(0);
    arithmetic->UseRows();
    std::vector<float> outputs;
    arithmetic->Infer(0, &outputs);
    const double t = speaks * 0.46211716, e = 3 * t - 1;
    EXPECT_NEAR(outputs[0], 2, 1e-6);
    EXPECT_NEAR(outputs[1], 0, 1e-6) << "an episode begins in silence";
    EXPECT_NEAR(outputs[3], 3 * t, 1e-6);
    float* const fields = arithmetic->fields(0);
    std::fill_n(fields, 4 * ValueRow::kCount, 0.0f);
    fields[3 * ValueRow::kCount + ValueRow::kTarget] = 1;
    fields[3 * ValueRow::kCount + ValueRow::kActive] = 1;
    arithmetic->LoadFields(0);
    Epoch epoch{.minibatches = {{0, 1}}, .sequences = {{0}}};
    epoch.networks = {{.learning_rate = 1e-3, .denominators = {1}}};
    arithmetic->RunEpoch(epoch);
    // output.weight [2], output.bias, message.weight [2], message.bias.
    const std::vector<double> expected = speaks != 0
                                             ? std::vector<double>{0, 0.17853964, 0.38635147, 0.91153572, 0, 0.91153572}
                                             : std::vector<double>{0, 0, -1, 0, 0, 0};
    const std::vector<double> gradient = GradientOf(*arithmetic);
    ASSERT_EQ(gradient.size(), expected.size());
    for (size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(gradient[i], expected[i], 2e-6) << i << " " << speaks;
    EXPECT_NEAR(arithmetic->TakeFigures()[0][0].sums[0], e * e / 2, 1e-6);
  }
}

// Seven steps in sequences of three: each column's last is shorter. Rows enough for several blocks.
constexpr int64_t kSets = 2, kColumns = 60, kSteps = 7, kLength = 3, kSlots = 2, kSeen = 4, kOutputs = 3, kSaid = 2;
constexpr int64_t kSequences = 3 * kColumns, kPlaces = kSets * kSlots;
const std::vector<double> kDenominators = {300, 41};
// The last place of set 1 has no agent.
const std::vector<std::vector<int>> kHears = {{1, 2}, {2}, {0, 1}, {}};

using Kind = std::tuple<Cell, bool>;

class CommunicatingTeams : public ::testing::TestWithParam<Kind> {
 protected:
  CommunicatingTeams() {
    const auto [cell, side_by_side] = GetParam();
    DenseStackSpec& stack = plan_.stack;
    stack = {.num_sets = kSets,
             .hidden_sizes = {11},
             .output_size = kOutputs,
             .activation = Activation::kTanh,
             .hidden_layer_norm = side_by_side,
             .cell = cell,
             .recurrent_size = cell == Cell::kNone ? 0 : 6};
    stack.messages = {.size = kSaid, .most_heard = 2, .side_by_side = side_by_side, .first_input = kSeen - 1};
    stack.input_size = kSeen + stack.messages.num_inputs();
    plan_.name = "network";
    plan_.initial_key = 3;
    plan_.rows_per_step = kSlots;
    plan_.objective = SquaredError();
    plan_.optimizer.max_gradient_norm = 0;
    plan_.hears = kHears;

    RandomStream random(5);
    timeline_->columns = kColumns;
    timeline_->steps = kSteps;
    timeline_->sequence_length = kLength;
    timeline_->begins.assign((kSteps + 1) * kColumns, 0);
    for (uint8_t& begins : timeline_->begins) begins = random.Below(5) == 0;
    inputs_.resize(kPlaces * kSteps * kColumns * stack.input_size);
    fields_.resize(kPlaces * kSteps * kColumns * kOutputs * ValueRow::kCount);
    remembered_.resize(kSets * kSequences * kSlots * stack.state_size());
    for (float& x : inputs_) x = static_cast<float>(random.Normal());
    for (float& x : remembered_) x = static_cast<float>(0.5 * random.Normal());
    for (size_t i = stack.messages.first_input; i < inputs_.size(); i += stack.input_size) {
      inputs_[i] = random.Below(4) == 0 ? 0.0f : 1.0f;
    }
    for (size_t i = 0; i < fields_.size(); i += ValueRow::kCount) {
      fields_[i + ValueRow::kTarget] = static_cast<float>(random.Normal());
      fields_[i + ValueRow::kActive] = random.Below(4) != 0 ? 1.0f : 0.0f;
    }
  }
  void TearDown() override { SetComputeThreads(1); }

  std::unique_ptr<Arithmetic> Ready() const {
    std::unique_ptr<Arithmetic> arithmetic = Make(plan_);
    arithmetic->BeginRows(timeline_);
    const RowMemory memory = arithmetic->Rows(0, kSteps * kColumns, kSteps * kColumns);
    std::ranges::copy(inputs_, memory.inputs);
    std::ranges::copy(remembered_, memory.remembered);
    arithmetic->SendRows(0);
    arithmetic->UseRows();
    std::ranges::copy(fields_, arithmetic->fields(0));
    arithmetic->LoadFields(0);
    return arithmetic;
  }
  // Half of the sequences, in an order of their own, in two minibatches of which the second is empty.
  Epoch HalfOfThem() const {
    Epoch epoch;
    epoch.minibatches.resize(1);
    epoch.sequences.resize(1);
    for (int64_t sequence = kSequences - 1; sequence >= 0; sequence -= 2) {
      epoch.sequences[0].push_back(sequence);
      for (int64_t t = 0; t < timeline_->Length(sequence); ++t) {
        epoch.minibatches[0].push_back(timeline_->FirstStep(sequence) + t * kColumns);
      }
    }
    epoch.minibatches.emplace_back();
    epoch.sequences.emplace_back();
    epoch.networks = {{.learning_rate = 0, .denominators = {300, 41, 300, 41}}};
    return epoch;
  }

  // Calls visit(step, outputs [kSets, kSlots, kOutputs]) along a sequence, every place's inputs put together by hand.
  template <typename Visit>
  void Walk(const at::Tensor& parameters, int64_t sequence, Visit&& visit) const {
    const DenseStackSpec& stack = plan_.stack;
    const MessageSpec& messages = stack.messages;
    const auto doubles = [](const float* from, int64_t size) {
      return at::from_blob(const_cast<float*>(from), {size}, at::kFloat).to(at::kDouble);
    };
    std::vector<at::Tensor> state;
    for (int64_t place = 0; place < kPlaces; ++place) {
      const int64_t row = (place / kSlots * kSequences + sequence) * kSlots + place % kSlots;
      state.push_back(doubles(remembered_.data() + row * stack.state_size(), stack.state_size()));
    }
    for (int64_t t = 0; t < timeline_->Length(sequence); ++t) {
      const int64_t step = timeline_->FirstStep(sequence) + t * kColumns;
      std::vector<at::Tensor> x, speaks;
      for (int64_t place = 0; place < kPlaces; ++place) {
        if (timeline_->begins[step] != 0) state[place] = at::zeros_like(state[place]);
      }
      for (int64_t place = 0; place < kPlaces; ++place) {
        const int64_t row = (place / kSlots * kSteps * kColumns + step) * kSlots + place % kSlots;
        const at::Tensor seen = doubles(inputs_.data() + row * stack.input_size, stack.input_size);
        at::Tensor sum = at::zeros({kSaid}, at::kDouble);
        std::vector<at::Tensor> apart(2, sum);
        for (size_t i = 0; i < kHears[place].size(); ++i) {
          apart[i] = state[kHears[place][i]].slice(0, stack.cell_state_size());
          sum = sum + apart[i] / static_cast<double>(kHears[place].size());
        }
        x.push_back(at::cat({seen.slice(0, 0, messages.first_input), messages.side_by_side ? at::cat(apart) : sum,
                             seen.slice(0, messages.first_input + messages.num_inputs())}));
        speaks.push_back(seen.slice(0, messages.first_input, messages.first_input + 1));
      }
      const RecurrentStep made =
          RecurrentReference(stack, parameters, at::stack(x).view({kSets, kSlots, stack.input_size}),
                             at::stack(state).view({kSets, kSlots, stack.state_size()}));
      for (int64_t place = 0; place < kPlaces; ++place) {
        const at::Tensor next = made.state[place / kSlots][place % kSlots];
        state[place] = at::cat(
            {next.slice(0, 0, stack.cell_state_size()), next.slice(0, stack.cell_state_size()) * speaks[place]});
      }
      visit(step, made.outputs);
    }
  }
  at::Tensor Parameters() const {
    return at::tensor(InitialParameters(plan_.stack, 3), at::kFloat).to(at::kDouble).requires_grad_(true);
  }

  NetworkPlan plan_;
  std::shared_ptr<Timeline> timeline_ = std::make_shared<Timeline>();
  std::vector<float> inputs_, fields_, remembered_;
};

TEST_P(CommunicatingTeams, StepAlongTheLossOfAllTheirSequences) {
  const Epoch epoch = HalfOfThem();
  const at::Tensor parameters = Parameters();
  at::Tensor loss = at::zeros({}, at::kDouble);
  for (const int64_t sequence : epoch.sequences[0]) {
    Walk(parameters, sequence, [&](int64_t step, const at::Tensor& outputs) {
      for (int64_t set = 0; set < kSets; ++set) {
        const float* from = fields_.data() + (set * kSteps * kColumns + step) * kSlots * kOutputs * ValueRow::kCount;
        const at::Tensor f =
            at::from_blob(const_cast<float*>(from), {kSlots, kOutputs, ValueRow::kCount}, at::kFloat).to(at::kDouble);
        const at::Tensor error = outputs[set] - f.select(-1, ValueRow::kTarget);
        loss = loss + (0.5 * error * error * f.select(-1, ValueRow::kActive)).sum() / kDenominators[set];
      }
    });
  }
  const at::Tensor expected = torch::autograd::grad({loss}, {parameters})[0];
  const std::unique_ptr<Arithmetic> arithmetic = Ready();
  arithmetic->RunEpoch(epoch);
  const std::vector<double> gradient = GradientOf(*arithmetic);
  ASSERT_EQ(static_cast<int64_t>(gradient.size()), expected.numel());
  const double largest = expected.abs().max().item<double>();
  for (int64_t i = 0; i < expected.numel(); ++i) {
    // A second gradient, of nothing, has taken a tenth off the moment.
    ASSERT_NEAR(gradient[i] / 0.9, expected[i].item<double>(), 2e-5 * largest) << i;
  }
  const UpdateFigures figures = arithmetic->TakeFigures();
  EXPECT_NEAR(figures[0][0].sums[0] + figures[0][1].sums[0], loss.item<double>(), 2e-5 * loss.item<double>());
}

TEST_P(CommunicatingTeams, AreInferredFromWhatTheySaidBefore) {
  const std::unique_ptr<Arithmetic> arithmetic = Ready();
  std::vector<float> outputs;
  arithmetic->Infer(0, &outputs);
  ASSERT_EQ(outputs.size(), kPlaces * kSteps * kColumns * kOutputs);
  const at::Tensor parameters = Parameters();
  double farthest = 0;
  for (int64_t sequence = 0; sequence < kSequences; ++sequence) {
    Walk(parameters, sequence, [&](int64_t step, const at::Tensor& expected) {
      for (int64_t set = 0; set < kSets; ++set) {
        const float* from = outputs.data() + (set * kSteps * kColumns + step) * kSlots * kOutputs;
        const at::Tensor rows = at::from_blob(const_cast<float*>(from), {kSlots, kOutputs}, at::kFloat);
        farthest = std::max(farthest, (rows.to(at::kDouble) - expected[set]).abs().max().item<double>());
      }
    });
  }
  EXPECT_LT(farthest, 1e-5);
}

TEST_P(CommunicatingTeams, StepAlikeOnAnyNumberOfThreads) {
  std::vector<std::vector<double>> gradients;
  for (const int threads : {1, 3}) {
    SetComputeThreads(threads);
    const std::unique_ptr<Arithmetic> arithmetic = Ready();
    arithmetic->RunEpoch(HalfOfThem());
    gradients.push_back(GradientOf(*arithmetic));
  }
  EXPECT_EQ(gradients[0], gradients[1]);
}

// A set that is left out brings no loss, and is left as it is; the other learns from its own.
TEST_P(CommunicatingTeams, ASetThatIsNotSteppedStays) {
  const std::unique_ptr<Arithmetic> arithmetic = Ready();
  const std::vector<HostTensor> before = arithmetic->Export(0, "n");
  Epoch epoch = HalfOfThem();
  epoch.networks[0].learning_rate = 1e-2;
  epoch.networks[0].stepped = {1, 0};
  arithmetic->RunEpoch(epoch);
  const std::vector<HostTensor> after = arithmetic->Export(0, "n");
  for (size_t i = 0; i < after.size(); ++i) {
    const int64_t size = after[i].num_elements() / kSets;
    EXPECT_FALSE(std::equal(before[i].floats(), before[i].floats() + size, after[i].floats())) << after[i].name;
    EXPECT_TRUE(std::equal(before[i].floats() + size, before[i].floats() + 2 * size, after[i].floats() + size))
        << after[i].name;
  }
  EXPECT_EQ(arithmetic->TakeFigures()[0][1].steps, 0);
}

INSTANTIATE_TEST_SUITE_P(All, CommunicatingTeams,
                         ::testing::Combine(::testing::Values(Cell::kNone, Cell::kGru, Cell::kLstm), ::testing::Bool()),
                         [](const auto& info) {
                           const Cell cell = std::get<0>(info.param);
                           return std::string(cell == Cell::kNone  ? "Dense"
                                              : cell == Cell::kGru ? "Gru"
                                                                   : "Lstm") +
                                  (std::get<1>(info.param) ? "Apart" : "Mean");
                         });

}  // namespace
}  // namespace troupe
