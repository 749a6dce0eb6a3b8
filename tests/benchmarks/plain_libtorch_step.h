// One minibatch of PPO as it is commonly written with LibTorch: its operators, autograd and fused Adam, all of its
// threads; what the learner's own arithmetic is measured against.
#ifndef TROUPE_TESTS_BENCHMARKS_PLAIN_LIBTORCH_STEP_H_
#define TROUPE_TESTS_BENCHMARKS_PLAIN_LIBTORCH_STEP_H_

#include <ATen/Parallel.h>

#include "learner/algorithms/modules/actor_rows.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/objectives/losses.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {

class PlainLibTorchStep {
 public:
  PlainLibTorchStep(const AlgorithmContext& context, const TrainingBatch& batch, int64_t minibatch, int threads)
      : policy_(context.policies[0]),
        layout_(MakeCriticLayouts(context.experiment.critic(), context.environment).value()[0]),
        actor_(policy_.stack, 1, at::kCPU),
        critic_(layout_.stack, 2, at::kCPU),
        actor_adam_(actor_.parameters()),
        critic_adam_(critic_.parameters()),
        states_(at::empty({batch.env_steps() + batch.columns, layout_.stack.input_size}, at::kFloat)),
        value_rows_(at::rand({batch.env_steps(), ValueRow::kCount})),
        minibatch_(minibatch),
        threads_(threads) {
    const SlotMap map(policy_);
    const int64_t steps = batch.env_steps();
    inputs_ = at::empty({map.sets, steps, int64_t{map.slots} * policy_.stack.input_size}, at::kFloat);
    masks_ = at::empty({map.sets, steps, int64_t{map.slots} * policy_.action_size}, at::kByte);
    rows_ = at::empty({map.sets, steps, int64_t{map.slots} * PolicyRow::kCount}, at::kFloat);
    WriteActorRows(policy_, map, batch.groups[0], steps, {inputs_.data_ptr<float>(), masks_.data_ptr<uint8_t>()});
    const std::vector<float> advantages(steps * policy_.num_agents, 0.1f);
    WritePolicyRows(policy_, map, batch.groups[0], steps,
                    {.reference_log_probabilities = &batch.groups[0].log_probabilities, .advantages = &advantages},
                    rows_.data_ptr<float>());
    WriteCriticInputs(layout_, context.environment, batch, states_.data_ptr<float>());
    value_rows_.select(1, ValueRow::kActive).fill_(1.0);
  }

  void Run() {
    at::set_num_threads(threads_);
    const at::Tensor steps =
        at::randperm(value_rows_.size(0), at::TensorOptions().dtype(at::kLong)).narrow(0, 0, minibatch_);
    const auto pick = [&](const at::Tensor& all, int64_t width) {
      return all.index_select(1, steps).reshape({all.size(0), -1, width});
    };
    const at::Tensor rows = pick(rows_, PolicyRow::kCount);
    const at::Tensor logits =
        ForwardReference(actor_.spec(), actor_.parameters(), pick(inputs_, policy_.stack.input_size));
    const double living = static_cast<double>(rows.numel()) / static_cast<double>(PolicyRow::kCount);
    const auto policy =
        ComputePolicyLossReference(logits, pick(masks_, policy_.action_size), rows, {.denominator = living});
    logits.backward(policy.gradient);
    actor_adam_.Step();
    const at::Tensor values =
        ForwardReference(critic_.spec(), critic_.parameters(), states_.index_select(0, steps).unsqueeze(0));
    const auto value = ComputeValueLossReference(values.reshape({-1}), value_rows_.index_select(0, steps),
                                                 {.denominator = static_cast<double>(minibatch_)});
    values.backward(value.gradient.reshape(values.sizes()));
    critic_adam_.Step();
    at::set_num_threads(1);
  }

 private:
  // Gradient norm clipping and fused Adam, as torch.optim has it.
  class Adam {
   public:
    explicit Adam(const at::Tensor& parameters)
        : parameters_(parameters),
          first_(at::zeros_like(parameters.detach())),
          second_(at::zeros_like(parameters.detach())),
          steps_(at::zeros({}, at::kFloat)) {}
    void Step() {
      const at::NoGradGuard no_gradient;
      const at::Tensor gradient = parameters_.grad();
      gradient.mul_(at::clamp_max(0.5 / (at::linalg_vector_norm(gradient, 2) + 1e-6), 1.0));
      steps_ += 1;
      at::Tensor parameters = parameters_.detach();
      at::_fused_adam_({parameters}, {gradient}, {first_}, {second_}, {}, {steps_}, 1e-4, 0.9, 0.999, 0, 1e-5,
                       /*amsgrad=*/false, /*maximize=*/false);
      parameters_.mutable_grad().reset();
    }

   private:
    at::Tensor parameters_, first_, second_, steps_;
  };

  PolicySpec policy_;
  CriticLayout layout_;
  DenseStack actor_, critic_;
  Adam actor_adam_, critic_adam_;
  at::Tensor inputs_, masks_, rows_;  // [sets, steps, slots · …]
  at::Tensor states_, value_rows_;
  int64_t minibatch_;
  int threads_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_PLAIN_LIBTORCH_STEP_H_
