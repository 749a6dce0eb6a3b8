// The gradient steps of Mappo through autograd, on the CPU: one minibatch through one network.
#include <algorithm>

#include "learner/algorithms/mappo.h"

namespace troupe {
namespace {

// Input rows that pass forward and backward at once; larger minibatches add up gradients over several such parts, which
// bounds memory and keeps activations near the cache.
constexpr int64_t kRowsPerPart = 16384;

// Calls body(part of `steps` as a tensor, first, count) for parts of at most so many rows.
template <typename Body>
void ForEachPart(const std::vector<int64_t>& steps, int64_t rows_per_step, Body&& body) {
  const auto total = static_cast<int64_t>(steps.size());
  const int64_t most = std::max<int64_t>(1, kRowsPerPart / rows_per_step);
  const int64_t parts = (total + most - 1) / most;
  const at::Tensor indices = at::from_blob(const_cast<int64_t*>(steps.data()), {total}, at::kLong);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = total * part / parts, count = total * (part + 1) / parts - first;
    body(indices.narrow(0, first, count), first, count);
  }
}

double CountAt(const std::vector<int32_t>& per_step, const std::vector<int64_t>& steps) {
  int64_t count = 0;
  for (const int64_t step : steps) count += per_step[step];
  return static_cast<double>(count);
}

}  // namespace

std::vector<std::vector<double>> Mappo::Denominators(const std::vector<std::vector<int64_t>>& minibatches,
                                                     const std::vector<ActorRows>& actor_rows,
                                                     const std::vector<CriticData>& data) const {
  std::vector<double> counts;
  for (const std::vector<int64_t>& minibatch : minibatches) {
    for (const ActorRows& rows : actor_rows) counts.push_back(CountAt(rows.living(), minibatch));
    for (const CriticData& one : data) counts.push_back(CountAt(one.active_per_step, minibatch));
  }
  ranks_.Sum(absl::MakeSpan(counts));
  for (double& count : counts) count = std::max(1.0, count);
  std::vector<std::vector<double>> denominators;
  const size_t networks = actor_rows.size() + data.size();
  for (size_t first = 0; first < counts.size(); first += networks) {
    denominators.emplace_back(counts.begin() + first, counts.begin() + first + networks);
  }
  return denominators;
}

void Mappo::SumOverRanks(const DenseStack& stack, at::Tensor* figures) {
  if (ranks_.size() == 1) return;
  const at::NoGradGuard no_gradient;
  at::Tensor& gradient = stack.parameters().mutable_grad();
  // None of the minibatch's steps may be this rank's.
  if (!gradient.defined()) gradient = at::zeros_like(stack.parameters().detach());
  const int64_t size = gradient.numel();
  at::Tensor all = at::cat({gradient, figures->reshape({-1})});
  ranks_.Sum(&all);
  gradient.copy_(all.narrow(0, 0, size));
  figures->copy_(all.narrow(0, size, figures->numel()).reshape(figures->sizes()));
}

PolicyLossSettings Mappo::PolicyLossWith(double denominator, const UpdateTotals& totals) const {
  return {.clip = ppo_.clip(), .entropy_coefficient = totals.entropy_coefficient, .denominator = denominator};
}

ValueLossSettings Mappo::ValueLossWith(double denominator) const {
  return {.huber = ppo_.value_loss() != SQUARED,
          .huber_delta = ppo_.huber_delta(),
          .clip_value = ppo_.clip_value(),
          .clip = ppo_.clip(),
          .coefficient = ppo_.value_coefficient(),
          .denominator = denominator};
}

void Mappo::StepActor(Actor* actor, const ActorRows& rows, const std::vector<int64_t>& steps, bool whole,
                      double denominator, UpdateTotals* totals) {
  const PolicyLossSettings settings = PolicyLossWith(denominator, *totals);
  at::Tensor sums = at::zeros({PolicyLossResult::kCount}, at::kFloat);
  ForEachPart(steps, rows.rows_per_step(), [&](const at::Tensor& indices, int64_t first, int64_t count) {
    const ActorMinibatch part = whole ? rows.Slice(first, count) : rows.Select(indices);
    const at::Tensor logits = actor->stack.Forward(part.inputs);
    const PolicyLossResult loss = ComputePolicyLoss(logits, part.masks, part.rows, settings);
    logits.backward(loss.gradient);
    sums += loss.sums;
  });
  SumOverRanks(actor->stack, &sums);
  totals->Add(sums, actor->optimizer.Step(totals->actor_learning_rate, sums.sum()), &totals->actor);
}

void Mappo::StepCritic(Critic* critic, const CriticData& data, const std::vector<int64_t>& steps, bool whole,
                       double denominator, UpdateTotals* totals) {
  const ValueLossSettings settings = ValueLossWith(denominator);
  at::Tensor sum = at::zeros({}, at::kFloat);
  ForEachPart(steps, critic->layout.rows_per_step, [&](const at::Tensor& indices, int64_t first, int64_t count) {
    const auto pick = [&](const at::Tensor& all) {
      return whole ? all.narrow(0, first, count) : all.index_select(0, indices);
    };
    const at::Tensor inputs = pick(data.inputs).reshape({1, -1, critic->layout.stack.input_size});
    const at::Tensor values = critic->stack.Forward(inputs);
    const ValueLossResult loss =
        ComputeValueLoss(values.reshape({-1}), pick(data.rows).reshape({-1, ValueRow::kCount}), settings);
    values.backward(loss.gradient.reshape(values.sizes()));
    sum += loss.loss;
  });
  SumOverRanks(critic->stack, &sum);
  totals->Add(sum, critic->optimizer.Step(totals->critic_learning_rate, sum), &totals->critic);
}

}  // namespace troupe
