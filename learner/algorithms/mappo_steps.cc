// The gradient steps of Mappo: one minibatch through one network.
#include <algorithm>

#include "learner/algorithms/mappo.h"

namespace troupe {
namespace {

// Input rows that pass forward and backward at once; larger minibatches add up gradients over several such parts, which
// bounds memory and, on the CPU, keeps activations near the cache.
constexpr int64_t kRowsPerPartCpu = 16384, kRowsPerPartGpu = 1 << 20;

// Calls body(part of `steps` as a device tensor, first, count) for parts of at most so many rows.
template <typename Body>
void ForEachPart(const std::vector<int64_t>& steps, int64_t rows_per_step, at::Device device, Body&& body) {
  const auto total = static_cast<int64_t>(steps.size());
  const int64_t most = std::max<int64_t>(1, (device.is_cpu() ? kRowsPerPartCpu : kRowsPerPartGpu) / rows_per_step);
  const int64_t parts = (total + most - 1) / most;
  const at::Tensor indices = at::from_blob(const_cast<int64_t*>(steps.data()), {total}, at::kLong).to(device);
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = total * part / parts, count = total * (part + 1) / parts - first;
    body(indices.narrow(0, first, count), first, count);
  }
}

double CountAt(const std::vector<int32_t>& per_step, const std::vector<int64_t>& steps) {
  int64_t count = 0;
  for (const int64_t step : steps) count += per_step[step];
  return static_cast<double>(std::max<int64_t>(1, count));
}

}  // namespace

void Mappo::StepActor(Actor* actor, const ActorRows& rows, const std::vector<int64_t>& steps, bool whole,
                      UpdateTotals* totals) {
  const PolicyLossSettings settings{.clip = ppo_.clip(),
                                    .entropy_coefficient = totals->entropy_coefficient,
                                    .denominator = CountAt(rows.living(), steps)};
  at::Tensor sums = at::zeros({PolicyLossResult::kCount}, at::TensorOptions().dtype(at::kFloat).device(device_));
  ForEachPart(steps, rows.rows_per_step(), device_, [&](const at::Tensor& indices, int64_t first, int64_t count) {
    const ActorMinibatch part = whole ? rows.Slice(first, count) : rows.Select(indices);
    const at::Tensor logits = actor->stack.Forward(part.inputs);
    const PolicyLossResult loss = ComputePolicyLoss(logits, part.masks, part.rows, settings);
    logits.backward(loss.gradient);
    sums += loss.sums;
  });
  totals->Add(sums, actor->optimizer.Step(totals->actor_learning_rate, sums.sum()), &totals->actor);
}

void Mappo::StepCritic(Critic* critic, const CriticData& data, const std::vector<int64_t>& steps, bool whole,
                       UpdateTotals* totals) {
  const ValueLossSettings settings{.huber = ppo_.value_loss() != SQUARED,
                                   .huber_delta = ppo_.huber_delta(),
                                   .clip_value = ppo_.clip_value(),
                                   .clip = ppo_.clip(),
                                   .coefficient = ppo_.value_coefficient(),
                                   .denominator = CountAt(data.active_per_step, steps)};
  at::Tensor sum = at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device_));
  ForEachPart(steps, critic->layout.rows_per_step, device_,
              [&](const at::Tensor& indices, int64_t first, int64_t count) {
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
  totals->Add(sum, critic->optimizer.Step(totals->critic_learning_rate, sum), &totals->critic);
}

}  // namespace troupe
