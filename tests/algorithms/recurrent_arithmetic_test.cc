// Recurrent networks in every arithmetic of a CPU: what they put out and remember along a batch's columns, and one
// gradient step along sequences, held to the cells' formulas differentiated by autograd in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/random.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/objectives/clipped_value.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

// Seven steps in sequences of three: each column's last is shorter. Rows enough for several blocks.
constexpr int64_t kSets = 2, kColumns = 90, kSteps = 7, kLength = 3, kSlots = 2, kInputs = 5, kOutputs = 3;
constexpr int64_t kSequences = 3 * kColumns;
const std::vector<double> kDenominators = {300, 41};

// A batch of two episode ends on the average in a column, one in three of them a truncation.
struct Data {
  std::shared_ptr<Timeline> timeline = std::make_shared<Timeline>();
  int64_t states = 0;
  std::vector<float> inputs, fields, remembered;

  Data(const DenseStackSpec& stack, int64_t width) {
    RandomStream random(5);
    timeline->columns = kColumns;
    timeline->steps = kSteps;
    timeline->sequence_length = kLength;
    timeline->begins.assign((kSteps + 1) * kColumns, 0);
    for (int64_t step = 0; step < kSteps * kColumns; ++step) {
      if (random.Below(7) > 1) continue;
      timeline->begins[step + kColumns] = 1;
      if (random.Below(3) == 0) timeline->finals.push_back(step);
    }
    states = (kSteps + 1) * kColumns + static_cast<int64_t>(timeline->finals.size());
    inputs.resize(kSets * states * kSlots * kInputs);
    fields.resize(kSets * kSteps * kColumns * kSlots * width);
    remembered.resize(kSets * kSequences * kSlots * stack.state_size());
    for (float& x : inputs) x = static_cast<float>(random.Normal());
    for (float& x : remembered) x = static_cast<float>(0.5 * random.Normal());
    for (size_t i = 0; i < fields.size(); i += ValueRow::kCount) {
      fields[i + ValueRow::kOldValue] = static_cast<float>(0.3 * random.Normal());
      fields[i + ValueRow::kTarget] = static_cast<float>(random.Normal());
      fields[i + ValueRow::kActive] = random.Below(4) != 0 ? 1.0f : 0.0f;
    }
  }

  at::Tensor Inputs(int64_t set, int64_t state) const {
    const float* from = inputs.data() + (set * states + state) * kSlots * kInputs;
    return at::from_blob(const_cast<float*>(from), {kSlots, kInputs}, at::kFloat).to(at::kDouble);
  }
  at::Tensor Remembered(int64_t set, int64_t sequence, int64_t size) const {
    const float* from = remembered.data() + (set * kSequences + sequence) * kSlots * size;
    return at::from_blob(const_cast<float*>(from), {kSlots, size}, at::kFloat).to(at::kDouble);
  }
};

// Both sets' rows at the states of one step, [kSets, kSlots, …].
RecurrentStep StepAt(const DenseStackSpec& stack, const at::Tensor& parameters, const Data& data, int64_t state,
                     const at::Tensor& before) {
  return RecurrentReference(stack, parameters, at::stack({data.Inputs(0, state), data.Inputs(1, state)}), before);
}

at::Tensor Given(const DenseStackSpec& stack, const Data& data, int64_t sequence) {
  return at::stack(
      {data.Remembered(0, sequence, stack.state_size()), data.Remembered(1, sequence, stack.state_size())});
}

std::unique_ptr<Arithmetic> Ready(const NetworkPlan& plan, bool autograd, const Data& data) {
  static SingleRank alone;
  ArithmeticOptions options{.overrides = {.autograd = autograd}};
  options.compute.set_precision(F32);
  std::unique_ptr<Arithmetic> arithmetic = CreateArithmetic({plan}, options, &alone).value();
  arithmetic->BeginRows(data.timeline);
  const RowMemory memory = arithmetic->Rows(0, data.states, kSteps * kColumns);
  std::ranges::copy(data.inputs, memory.inputs);
  std::ranges::copy(data.remembered, memory.remembered);
  arithmetic->SendRows(0);
  arithmetic->UseRows();
  std::ranges::copy(data.fields, arithmetic->fields(0));
  arithmetic->LoadFields(0);
  return arithmetic;
}

class RecurrentArithmetic : public ::testing::TestWithParam<std::tuple<Cell, bool, bool>> {
 protected:
  NetworkPlan Plan(bool finds_states) const {
    const auto [cell, norms, autograd] = GetParam();
    return {.name = "network",
            .stack = {.num_sets = kSets,
                      .input_size = kInputs,
                      .hidden_sizes = {24, 17},
                      .output_size = kOutputs,
                      .activation = norms ? Activation::kTanh : Activation::kRelu,
                      .input_layer_norm = norms,
                      .hidden_layer_norm = norms,
                      .cell = cell,
                      .recurrent_size = 37},
            .initial_key = 3,
            .rows_per_step = kSlots,
            .objective = std::make_shared<ClippedValueObjective>(
                ValueLossSettings{.huber_delta = 0.7, .clip = 0.2, .coefficient = 0.5}),
            .optimizer = {.max_gradient_norm = 0},
            .finds_states = finds_states};
  }
  bool autograd() const { return std::get<2>(GetParam()); }
};

TEST_P(RecurrentArithmetic, StepsAlongTheLossOfSequences) {
  const NetworkPlan plan = Plan(false);
  const Data data(plan.stack, plan.objective->FieldsPerRow(kOutputs));
  const Timeline& timeline = *data.timeline;
  // Half of the sequences, in an order of their own.
  std::vector<int64_t> sequences, steps;
  for (int64_t sequence = kSequences - 1; sequence >= 0; sequence -= 2) sequences.push_back(sequence);
  at::Tensor parameters = at::tensor(InitialParameters(plan.stack, 3), at::kFloat).to(at::kDouble).requires_grad_(true);
  at::Tensor loss = at::zeros({}, at::kDouble);
  std::vector<double> expected(kSets, 0.0);
  const auto huber = [](const at::Tensor& error) {
    const at::Tensor size = error.abs();
    return at::where(size > 0.7, 0.7 * (size - 0.35), 0.5 * error * error);
  };
  for (const int64_t sequence : sequences) {
    at::Tensor state = Given(plan.stack, data, sequence);
    for (int64_t t = 0; t < timeline.Length(sequence); ++t) {
      const int64_t step = timeline.FirstStep(sequence) + t * kColumns;
      steps.push_back(step);
      if (timeline.begins[step] != 0) state = at::zeros_like(state);
      const RecurrentStep made = StepAt(plan.stack, parameters, data, step, state);
      state = made.state;
      for (int64_t set = 0; set < kSets; ++set) {
        const float* from =
            data.fields.data() + (set * kSteps * kColumns + step) * kSlots * kOutputs * ValueRow::kCount;
        const at::Tensor f =
            at::from_blob(const_cast<float*>(from), {kSlots, kOutputs, ValueRow::kCount}, at::kFloat).to(at::kDouble);
        const at::Tensor y = made.outputs[set], old = f.select(-1, 0), target = f.select(-1, 1);
        const at::Tensor sum =
            (at::maximum(huber(y - target), huber(old + (y - old).clamp(-0.2, 0.2) - target)) * f.select(-1, 2)).sum();
        loss = loss + 0.5 * sum / kDenominators[set];
        expected[set] += sum.item<double>() / kDenominators[set];
      }
    }
  }
  const at::Tensor gradient = torch::autograd::grad({loss}, {parameters})[0];

  const std::unique_ptr<Arithmetic> arithmetic = Ready(plan, autograd(), data);
  Epoch epoch;
  epoch.minibatches = {steps, {}};
  epoch.sequences = {sequences, {}};
  epoch.networks = {{.learning_rate = 1e-3}};
  for (int minibatch = 0; minibatch < 2; ++minibatch) {
    for (const double denominator : kDenominators) epoch.networks[0].denominators.push_back(denominator);
  }
  arithmetic->RunEpoch(epoch);
  const UpdateFigures figures = arithmetic->TakeFigures();
  std::vector<HostTensor> state;
  arithmetic->Save(0, &state);
  for (const HostTensor& tensor : state) {
    if (tensor.name != "network/adam.first_moment") continue;
    // Adam's first moment after a gradient and one of 0: 0.9 · 0.1 of the gradient.
    const at::Tensor moment = at::from_blob(const_cast<float*>(tensor.floats()), {tensor.num_elements()}, at::kFloat);
    const at::Tensor came = moment.to(at::kDouble) / 0.09;
    ASSERT_EQ(came.numel(), gradient.numel());
    EXPECT_LT((came - gradient).abs().max().item<double>(), 2e-5 * gradient.abs().max().item<double>());
  }
  for (int64_t set = 0; set < kSets; ++set) {
    EXPECT_NEAR(figures[0][set].sums[0], expected[set], 2e-5 * (1 + expected[set]));
  }
}

TEST_P(RecurrentArithmetic, InfersAlongColumnsFromWhatIsGivenOrFound) {
  for (const bool finds : {false, true}) {
    const NetworkPlan plan = Plan(finds);
    const Data data(plan.stack, plan.objective->FieldsPerRow(kOutputs));
    const Timeline& timeline = *data.timeline;
    const int64_t size = plan.stack.state_size();
    const at::Tensor parameters = at::tensor(InitialParameters(plan.stack, 3), at::kFloat).to(at::kDouble);
    const std::unique_ptr<Arithmetic> arithmetic = Ready(plan, autograd(), data);
    std::vector<float> outputs;
    arithmetic->Infer(0, &outputs);
    ASSERT_EQ(outputs.size(), kSets * data.states * kSlots * kOutputs);
    const auto far = [](const at::Tensor& expected, const std::vector<float>& came, int64_t per_set, int64_t place) {
      double most = 0;
      for (int64_t set = 0; set < kSets; ++set) {
        const at::Tensor rows =
            at::from_blob(const_cast<float*>(came.data()) + (set * per_set + place) * expected[set].numel(),
                          expected[set].sizes(), at::kFloat);
        most = std::max(most, (rows.to(at::kDouble) - expected[set]).abs().max().item<double>());
      }
      return most;
    };
    double farthest = 0, last_farthest = 0;
    for (int64_t column = 0; column < kColumns; ++column) {
      at::Tensor state;
      for (int64_t t = 0; t <= kSteps; ++t) {
        const int64_t step = t * kColumns + column;
        const bool starts = t < kSteps && t % kLength == 0;
        if (starts && (t == 0 || !finds)) state = Given(plan.stack, data, t / kLength * kColumns + column);
        if (t == kSteps) {
          last_farthest = std::max(last_farthest, far(state, arithmetic->RememberedLast(0), kColumns, column));
        }
        if (timeline.begins[step] != 0) state = at::zeros_like(state);
        const RecurrentStep made = StepAt(plan.stack, parameters, data, step, state);
        state = made.state;
        farthest = std::max(farthest, far(made.outputs, outputs, data.states, step));
        const auto final = std::ranges::find(timeline.finals, step);
        if (final == timeline.finals.end()) continue;
        const int64_t after = (kSteps + 1) * kColumns + (final - timeline.finals.begin());
        farthest = std::max(
            farthest, far(StepAt(plan.stack, parameters, data, after, state).outputs, outputs, data.states, after));
      }
    }
    EXPECT_LT(farthest, 1e-5) << finds;
    EXPECT_LT(last_farthest, 1e-5) << finds;
    EXPECT_EQ(arithmetic->RememberedLast(0).size(), kSets * kColumns * kSlots * size);
  }
}

// What is found where sequences begin is what training then begins with: with unchanged parameters the first minibatch
// reports the loss of what was inferred.
TEST_P(RecurrentArithmetic, TrainsFromTheStatesItFound) {
  NetworkPlan plan = Plan(true);
  const Data data(plan.stack, plan.objective->FieldsPerRow(kOutputs));
  const std::unique_ptr<Arithmetic> arithmetic = Ready(plan, autograd(), data);
  std::vector<float> outputs;
  arithmetic->Infer(0, &outputs);
  // The old value is the inferred one, and the target 1 above it: of every living row the loss is Huber's of 1.
  float* fields = arithmetic->fields(0);
  std::vector<double> active(kSets, 0.0);
  for (int64_t set = 0; set < kSets; ++set) {
    for (int64_t row = 0; row < kSteps * kColumns * kSlots * kOutputs; ++row, fields += ValueRow::kCount) {
      fields[ValueRow::kOldValue] = outputs[set * data.states * kSlots * kOutputs + row];
      fields[ValueRow::kTarget] = fields[ValueRow::kOldValue] + 1.0f;
      active[set] += fields[ValueRow::kActive];
    }
  }
  Epoch epoch;
  epoch.minibatches = {std::vector<int64_t>(kSteps * kColumns)};
  epoch.sequences = {std::vector<int64_t>(kSequences)};
  for (int64_t i = 0; i < kSequences; ++i) epoch.sequences[0][i] = i;
  epoch.networks = {{.learning_rate = 1e-3, .denominators = kDenominators}};
  arithmetic->RunEpoch(epoch);
  const UpdateFigures figures = arithmetic->TakeFigures();
  for (int64_t set = 0; set < kSets; ++set) {
    EXPECT_NEAR(figures[0][set].sums[0], 0.7 * (1 - 0.35) * active[set] / kDenominators[set], 1e-4);
  }
}

// The guard against steps that are not finite sees what a network puts out.
TEST_P(RecurrentArithmetic, ANanInAnInputReachesTheOutputs) {
  const NetworkPlan plan = Plan(false);
  Data data(plan.stack, plan.objective->FieldsPerRow(kOutputs));
  data.inputs[0] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> outputs;
  Ready(plan, autograd(), data)->Infer(0, &outputs);
  for (int64_t i = 0; i < kOutputs; ++i) EXPECT_TRUE(std::isnan(outputs[i])) << i;
  EXPECT_FALSE(std::isnan(outputs[kOutputs])) << "another row";
}

// A network that the CPU alone trains, called as it is, and what is said of it.
void ExpectItsRefusals(const DenseStackSpec& stack, const std::string& what,
                       const std::vector<std::vector<int>>& hears = {}) {
  const NetworkPlan plan{.name = "actor/cars",
                         .stack = stack,
                         .objective = std::make_shared<ClippedValueObjective>(ValueLossSettings{}),
                         .hears = hears};
  SingleRank alone;
  ArithmeticOptions options{.overrides = {.gpu_on_cpu = true}};
  const absl::Status on_gpu = CreateArithmetic({plan}, options, &alone).status();
  EXPECT_EQ(on_gpu.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(on_gpu.message()), "compute.device is CUDA, but network actor/cars " + what +
                                               ", and such networks are trained on the CPU; expected AUTO or CPU");
  options.overrides = {.autograd = true};
  options.compute.set_precision(BF16);
  EXPECT_EQ(CreateArithmetic({plan}, options, &alone).status().code(), absl::StatusCode::kFailedPrecondition);
  // Where there is a GPU and nobody insists on it, the CPU does it, and a line says so.
  std::string told;
  options = {.device = "cuda:7", .warn = [&](const std::string& line) { told = line; }};
  options.compute.set_device(AUTO);
  options.compute.set_precision(F32);
  EXPECT_TRUE(CreateArithmetic({plan}, options, &alone).ok());
  EXPECT_EQ(told, "network actor/cars " + what + ": this run is trained on the CPU");
}

TEST(RecurrentArithmeticRefusals, NameTheNetworkThatADeviceOrAPrecisionDoesNotHave) {
  ExpectItsRefusals({.input_size = 2, .output_size = 2, .cell = Cell::kGru, .recurrent_size = 4}, "is recurrent");
  DenseStackSpec attending{.output_size = 1};
  attending.attention = {.heads = 1, .layers = 1, .token_size = 2, .kinds = {{.tokens = 2, .size = 3}}};
  attending.input_size = attending.attention.input_size();
  ExpectItsRefusals(attending, "attends over agents");
  DenseStackSpec talking{.input_size = 2, .output_size = 2};
  talking.messages = {.size = 1, .most_heard = 1, .first_input = 1};
  ExpectItsRefusals(talking, "communicates", {{}});
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentArithmetic,
                         ::testing::Combine(::testing::Values(Cell::kGru, Cell::kLstm), ::testing::Bool(),
                                            ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) == Cell::kGru ? "Gru" : "Lstm") +
                                  (std::get<1>(info.param) ? "Normed" : "") +
                                  (std::get<2>(info.param) ? "ByAutograd" : "InBlocks");
                         });

}  // namespace
}  // namespace troupe
