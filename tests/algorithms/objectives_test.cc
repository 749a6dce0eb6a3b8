// Every objective in every arithmetic: one gradient step along the same rows, held to the loss as the papers define it,
// differentiated by autograd in double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "common/base/random.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/objectives/chosen_output.h"
#include "learner/arithmetic/objectives/clipped_gaussian.h"
#include "learner/arithmetic/objectives/clipped_policy.h"
#include "learner/arithmetic/objectives/clipped_value.h"
#include "learner/arithmetic/objectives/pushed_outputs.h"
#include "learner/arithmetic/select/create_arithmetic.h"

namespace troupe {
namespace {

constexpr int64_t kSets = 2, kSteps = 200, kRowsPerStep = 3, kInputs = 7, kOutputs = 4;
const std::vector<double> kDenominators = {300, 41};
const Objective::Scalars kScalars = {0.3, 0.0};

struct Case {
  std::string name;
  std::shared_ptr<const Objective> objective;
  // Writes a row's fields.
  std::function<void(RandomStream* random, float* fields)> fill;
  // The loss's figures of rows y, masks, fields and the set's free parameters, summed over the rows, and the loss
  // itself; all double.
  std::function<std::pair<std::vector<at::Tensor>, at::Tensor>(const at::Tensor& y, const at::Tensor& masks,
                                                               const at::Tensor& fields, const at::Tensor& free)>
      loss;
  int64_t free = 0;
  std::vector<int> sizes = {kOutputs};  // choices of each index of an action, where there are masks
};

// Of kOutputs outputs: four dimensions, or two where the state decides about their deviations.
Case GaussianCase(const std::string& name, DistributionKind kind, bool by_state) {
  const int64_t size = by_state ? kOutputs / 2 : kOutputs;
  Case gaussian{name, std::make_shared<ClippedGaussianObjective>(DistributionSpec{kind, by_state}, size, 0.2), {}, {}};
  gaussian.free = by_state ? 0 : size;
  gaussian.fill = [size](RandomStream* random, float* fields) {
    double log_density = 0;  // near what the network will say
    for (int64_t j = 0; j < size; ++j) {
      const double u = 0.7 * random->Normal();
      fields[GaussianRow::kSample + j] = static_cast<float>(u);
      log_density -= u * u + 0.52;
    }
    fields[GaussianRow::kReferenceLogDensity] = static_cast<float>(log_density + 0.3 * random->Normal());
    fields[GaussianRow::kImportance] = static_cast<float>(std::exp(0.2 * random->Normal()));
    fields[GaussianRow::kAdvantage] = static_cast<float>(random->Normal());
    fields[GaussianRow::kAlive] = random->Below(5) != 0 ? 1.0f : 0.0f;
  };
  gaussian.loss = [=](const at::Tensor& y, const at::Tensor&, const at::Tensor& f, const at::Tensor& free) {
    const at::Tensor mean = y.narrow(-1, 0, size);
    const at::Tensor log_std = (by_state ? y.narrow(-1, size, size) : free.expand_as(mean)).clamp(-20, 2);
    const at::Tensor variance = (2 * log_std).exp(), u = f.narrow(-1, 4, size);
    const at::Tensor log_p = -((u - mean).square() / (2 * variance) + 0.5 * (2 * M_PI * variance).log()).sum(-1);
    const at::Tensor log_ratio = log_p - f.select(-1, 0), ratio = log_ratio.exp(), advantage = f.select(-1, 2);
    const at::Tensor alive = f.select(-1, 3);
    const at::Tensor surrogate =
        (-f.select(-1, 1) * at::minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage) * alive).sum();
    at::Tensor entropy = 0.5 * (2 * M_PI * M_E * variance).log();
    if (kind == DistributionKind::kSquashedGaussian) {
      // E log(1 − tanh²(u)) by sixteen nodes, which are the eigenvalues of Hermite's recurrence (Golub and Welsch,
      // 1969).
      const at::Tensor off = at::arange(1, 16, at::kDouble).sqrt();
      const auto [node, vectors] = at::linalg_eigh(at::diag(off, 1) + at::diag(off, -1));
      const at::Tensor weight = vectors[0].square();
      const at::Tensor at_node = mean.unsqueeze(-1) + log_std.exp().unsqueeze(-1) * node;
      entropy = entropy - 2 * (at_node.cosh().log() * weight).sum(-1);
    }
    const at::Tensor total = (entropy.sum(-1) * alive).sum();
    const at::Tensor kl = ((ratio - 1 - log_ratio) * alive).sum();
    const at::Tensor outside = (((ratio - 1).abs() > 0.2).to(at::kDouble) * alive).sum();
    const at::Tensor deviation = (log_std.exp().mean(-1) * alive).sum();
    return std::pair(std::vector<at::Tensor>{surrogate, total, kl, outside, deviation},
                     surrogate - kScalars[0] * total);
  };
  return gaussian;
}

// Of kOutputs outputs in all, an index for each of `sizes`.
Case PolicyCase(const std::string& name, const std::vector<int>& sizes) {
  Case policy{name, std::make_shared<ClippedPolicyObjective>(0.2, sizes), {}, {}};
  policy.sizes = sizes.empty() ? std::vector<int>{kOutputs} : sizes;
  policy.fill = [sizes = policy.sizes](RandomStream* random, float* fields) {
    double likely = 0;
    for (size_t i = 0; i < sizes.size(); ++i) {
      fields[PolicyRow::kAction + i] = static_cast<float>(random->Below(sizes[i]));
      likely -= std::log(sizes[i]);
    }
    fields[PolicyRow::kReferenceLogProb] = static_cast<float>(likely + 0.3 * random->Normal());
    fields[PolicyRow::kImportance] = static_cast<float>(std::exp(0.2 * random->Normal()));
    fields[PolicyRow::kAdvantage] = static_cast<float>(random->Normal());
    fields[PolicyRow::kAlive] = random->Below(5) != 0 ? 1.0f : 0.0f;
  };
  policy.loss = [sizes = policy.sizes](const at::Tensor& y, const at::Tensor& masks, const at::Tensor& f,
                                       const at::Tensor&) {
    const at::Tensor allowed = y.masked_fill(masks == 0, -1e10);
    at::Tensor taken = at::zeros_like(y.select(-1, 0)), entropies = at::zeros_like(taken);
    int64_t first = 0;
    for (size_t i = 0; i < sizes.size(); first += sizes[i++]) {
      const at::Tensor log_p = at::log_softmax(allowed.narrow(-1, first, sizes[i]), -1);
      const at::Tensor action = f.select(-1, PolicyRow::kAction + static_cast<int64_t>(i)).to(at::kLong);
      taken = taken + log_p.gather(-1, action.unsqueeze(-1)).squeeze(-1);
      entropies = entropies - (log_p.exp() * log_p).sum(-1);
    }
    const at::Tensor alive = f.select(-1, PolicyRow::kAlive), advantage = f.select(-1, PolicyRow::kAdvantage);
    const at::Tensor log_ratio = taken - f.select(-1, PolicyRow::kReferenceLogProb), ratio = log_ratio.exp();
    const at::Tensor better = at::minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage);
    const at::Tensor surrogate = (-f.select(-1, PolicyRow::kImportance) * better * alive).sum();
    const at::Tensor entropy = (entropies * alive).sum();
    const at::Tensor kl = ((ratio - 1 - log_ratio) * alive).sum();
    const at::Tensor outside = (((ratio - 1).abs() > 0.2).to(at::kDouble) * alive).sum();
    return std::pair(std::vector<at::Tensor>{surrogate, entropy, kl, outside}, surrogate - kScalars[0] * entropy);
  };
  return policy;
}

void PrintTo(const Case& what, std::ostream* out) { *out << what.name; }

std::vector<Case> Cases() {
  Case value{
      "ClippedValue",
      std::make_shared<ClippedValueObjective>(ValueLossSettings{.huber_delta = 0.7, .clip = 0.2, .coefficient = 0.5}),
      {},
      {}};
  value.fill = [](RandomStream* random, float* fields) {
    for (int64_t i = 0; i < kOutputs; ++i, fields += ValueRow::kCount) {
      fields[ValueRow::kOldValue] = static_cast<float>(0.3 * random->Normal());
      fields[ValueRow::kTarget] = static_cast<float>(random->Normal());
      fields[ValueRow::kActive] = random->Below(4) != 0 ? 1.0f : 0.0f;
    }
  };
  value.loss = [](const at::Tensor& y, const at::Tensor&, const at::Tensor& all, const at::Tensor&) {
    const at::Tensor f = all.view({all.size(0), kOutputs, ValueRow::kCount});
    const at::Tensor old = f.select(-1, 0), target = f.select(-1, 1), active = f.select(-1, 2);
    const auto huber = [](const at::Tensor& error) {
      const at::Tensor size = error.abs();
      return at::where(size > 0.7, 0.7 * (size - 0.35), 0.5 * error * error);
    };
    const at::Tensor sum =
        (at::maximum(huber(y - target), huber(old + (y - old).clamp(-0.2, 0.2) - target)) * active).sum();
    return std::pair(std::vector<at::Tensor>{sum}, 0.5 * sum);
  };
  Case chosen{"ChosenOutput", std::make_shared<ChosenOutputObjective>(), {}, {}};
  chosen.fill = [](RandomStream* random, float* fields) {
    fields[ChosenOutputRow::kAction] = static_cast<float>(random->Below(kOutputs));
    fields[ChosenOutputRow::kSlope] = static_cast<float>(random->Normal());
    fields[ChosenOutputRow::kAlive] = random->Below(5) != 0 ? 1.0f : 0.0f;
  };
  chosen.loss = [](const at::Tensor& y, const at::Tensor&, const at::Tensor& f, const at::Tensor&) {
    const at::Tensor taken = y.gather(-1, f.select(-1, 0).to(at::kLong).unsqueeze(-1)).squeeze(-1);
    const at::Tensor sum = (f.select(-1, 1) * taken * f.select(-1, 2)).sum();
    return std::pair(std::vector<at::Tensor>{sum}, sum);
  };
  Case pushed{"PushedOutputs", std::make_shared<PushedOutputsObjective>(), {}, {}};
  pushed.fill = [](RandomStream* random, float* fields) {
    for (int64_t j = 0; j < kOutputs; ++j) fields[j] = static_cast<float>(random->Normal());
  };
  pushed.loss = [](const at::Tensor& y, const at::Tensor&, const at::Tensor& f, const at::Tensor&) {
    const at::Tensor sum = (f * y).sum();
    return std::pair(std::vector<at::Tensor>{sum}, sum);
  };
  return {PolicyCase("ClippedPolicy", {}),
          PolicyCase("ClippedPolicyOfTwoIndices", {kOutputs - 2, 2}),
          PolicyCase("ClippedPolicyOfThreeIndices", {1, kOutputs - 2, 1}),
          value,
          chosen,
          pushed,
          GaussianCase("ClippedGaussian", DistributionKind::kGaussian, false),
          GaussianCase("ClippedGaussianByState", DistributionKind::kGaussian, true),
          GaussianCase("ClippedSquashedGaussian", DistributionKind::kSquashedGaussian, false),
          GaussianCase("ClippedSquashedGaussianByState", DistributionKind::kSquashedGaussian, true)};
}

struct Way {
  const char* name;
  ArithmeticOptions::Overrides overrides;
};

class Objectives : public ::testing::TestWithParam<Case> {};

TEST_P(Objectives, StepAlongTheLossAsThePapersDefineItInEveryArithmetic) {
  const Case& what = GetParam();
  const NetworkPlan plan{
      .name = "network",
      .stack = {.num_sets = kSets,
                .input_size = kInputs,
                .hidden_sizes = {24, 17},
                .output_size = kOutputs,
                .output_gain = what.objective->has_masks() || what.name == "ClippedValue" ? 1.0f : 0.3f},
      .initial_key = 3,
      .rows_per_step = kRowsPerStep,
      .objective = what.objective,
      .optimizer = {.max_gradient_norm = 0},
      .free = {.name = "free", .size = what.free, .initial = -0.4f}};
  const int64_t rows = kSets * kSteps * kRowsPerStep, width = what.objective->FieldsPerRow(kOutputs);
  RandomStream random(11);
  std::vector<float> inputs(rows * kInputs), fields(rows * width);
  std::vector<uint8_t> masks(rows * kOutputs, 1);
  for (float& x : inputs) x = static_cast<float>(random.Normal());
  for (int64_t row = 0; row < rows; ++row) what.fill(&random, fields.data() + row * width);
  for (int64_t row = 0; row < rows && what.objective->has_masks(); ++row) {
    uint8_t* mask = masks.data() + row * kOutputs;
    for (size_t i = 0; i < what.sizes.size(); ++i) {
      const auto taken = static_cast<int>(fields[row * width + PolicyRow::kAction + static_cast<int64_t>(i)]);
      for (int j = 0; j < what.sizes[i]; ++j) *mask++ = j == taken || random.Below(4) != 0;
    }
  }
  // Half of the steps, in an order of their own.
  std::vector<int64_t> steps;
  for (int64_t step = kSteps - 1; step >= 0; step -= 2) steps.push_back(step);

  // What it must come to.
  std::vector<float> initial = InitialParameters(plan.stack, 3);
  initial.insert(initial.end(), kSets * what.free, -0.4f);
  at::Tensor parameters = at::tensor(initial, at::kFloat).to(at::kDouble).requires_grad_(true);
  const at::Tensor free =
      parameters.narrow(0, parameters.numel() - kSets * what.free, kSets * what.free).view({kSets, what.free});
  const at::Tensor index = at::tensor(steps, at::kLong);
  const auto pick = [&](void* data, at::ScalarType type, int64_t size) {
    return at::from_blob(data, {kSets, kSteps, kRowsPerStep * size}, type)
        .index_select(1, index)
        .to(at::kDouble)
        .view({kSets, -1, size});
  };
  const at::Tensor y = ForwardReference(plan.stack, parameters, pick(inputs.data(), at::kFloat, kInputs));
  std::vector<std::vector<double>> expected_figures;
  at::Tensor loss = at::zeros({}, at::kDouble);
  for (int64_t set = 0; set < kSets; ++set) {
    const auto [figures, of_set] = what.loss(y[set], pick(masks.data(), at::kByte, kOutputs)[set],
                                             pick(fields.data(), at::kFloat, width)[set], free[set]);
    loss = loss + of_set / kDenominators[set];
    expected_figures.emplace_back();
    for (const at::Tensor& figure : figures) {
      expected_figures.back().push_back(figure.item<double>() / kDenominators[set]);
    }
  }
  const at::Tensor gradient = torch::autograd::grad({loss}, {parameters})[0];

  for (const Way& way : {Way{"as the processor likes", {}}, Way{"autograd", {.autograd = true}},
                         Way{"as on a GPU", {.gpu_on_cpu = true}},
                         Way{"as on a GPU, in parts", {.gpu_on_cpu = true, .rows_per_part = 100}}}) {
    ArithmeticOptions options{.overrides = way.overrides};
    options.compute.set_precision(F32);
    SingleRank alone;
    const auto arithmetic = CreateArithmetic({plan}, options, &alone).value();
    arithmetic->BeginRows(nullptr);
    const RowMemory memory = arithmetic->Rows(0, kSteps, kSteps);
    std::copy(inputs.begin(), inputs.end(), memory.inputs);
    if (what.objective->has_masks()) std::copy(masks.begin(), masks.end(), memory.masks);
    arithmetic->SendRows(0);
    arithmetic->UseRows();
    std::copy(fields.begin(), fields.end(), arithmetic->fields(0));
    arithmetic->LoadFields(0);
    // Two minibatches, so that these steps are picked; the other one is empty.
    Epoch epoch;
    epoch.minibatches = {steps, {}};
    epoch.networks = {{.learning_rate = 1e-3, .scalars = kScalars}};
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
      EXPECT_LT((came - gradient).abs().max().item<double>(), 2e-5 * gradient.abs().max().item<double>()) << way.name;
      if (what.free == 0) continue;
      const at::Tensor error = (came - gradient).narrow(0, came.numel() - kSets * what.free, kSets * what.free);
      EXPECT_GT(gradient.narrow(0, came.numel() - kSets * what.free, kSets * what.free).abs().min().item<double>(),
                1e-4);
      EXPECT_LT(error.abs().max().item<double>(), 1e-4) << way.name;
    }
    for (int64_t set = 0; set < kSets; ++set) {
      for (size_t i = 0; i < expected_figures[set].size(); ++i) {
        const double expected = expected_figures[set][i];
        EXPECT_NEAR(figures[0][set].sums[i], expected, 2e-5 * (1 + std::abs(expected))) << way.name << " " << i;
        EXPECT_NEAR(figures[0][set].first[i], expected, 2e-5 * (1 + std::abs(expected))) << way.name << " " << i;
      }
      EXPECT_EQ(figures[0][set].steps, 2) << way.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Objectives, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace troupe
