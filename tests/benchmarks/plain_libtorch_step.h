// One minibatch of PPO as it is commonly written with LibTorch: its operators, autograd and fused Adam, all of its
// threads; what the learner's own arithmetic is measured against.
#ifndef TROUPE_TESTS_BENCHMARKS_PLAIN_LIBTORCH_STEP_H_
#define TROUPE_TESTS_BENCHMARKS_PLAIN_LIBTORCH_STEP_H_

#include <ATen/Parallel.h>

#include "learner/algorithms/modules/actor_rows.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/networks/flat_adam.h"
#include "learner/arithmetic/objectives/losses.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {

class PlainLibTorchStep {
 public:
  PlainLibTorchStep(const AlgorithmContext& context, const TrainingBatch& batch, int64_t minibatch, int threads)
      : rows_(context.policies[0], batch.groups[0], batch.env_steps(), at::kCPU),
        layout_(MakeCriticLayouts(context.experiment.critic(), context.environment).value()[0]),
        actor_(context.policies[0].stack, 1, at::kCPU),
        critic_(layout_.stack, 2, at::kCPU),
        actor_adam_(actor_.parameters(), {.max_gradient_norm = 0.5}),
        critic_adam_(critic_.parameters(), {.max_gradient_norm = 0.5}),
        states_(at::empty({batch.env_steps() + batch.columns, layout_.stack.input_size}, at::kFloat)),
        value_rows_(at::rand({batch.env_steps(), ValueRow::kCount})),
        minibatch_(minibatch),
        threads_(threads) {
    WriteCriticInputs(layout_, context.environment, batch, states_.data_ptr<float>());
    value_rows_.select(1, ValueRow::kActive).fill_(1.0);
    rows_.SetColumn(PolicyRow::kAdvantage,
                    std::vector<float>(batch.env_steps() * context.policies[0].num_agents, 0.1f));
  }

  void Run() {
    at::set_num_threads(threads_);
    const at::Tensor steps =
        at::randperm(value_rows_.size(0), at::TensorOptions().dtype(at::kLong)).narrow(0, 0, minibatch_);
    const ActorMinibatch part = rows_.Select(steps);
    const at::Tensor logits = ForwardReference(actor_.spec(), actor_.parameters(), part.inputs);
    const double living = static_cast<double>(part.rows.numel()) / PolicyRow::kCount;
    const auto policy = ComputePolicyLossReference(logits, part.masks, part.rows, {.denominator = living});
    logits.backward(policy.gradient);
    actor_adam_.Step(1e-4, policy.sums.sum());
    const at::Tensor values =
        ForwardReference(critic_.spec(), critic_.parameters(), states_.index_select(0, steps).unsqueeze(0));
    const auto value = ComputeValueLossReference(values.reshape({-1}), value_rows_.index_select(0, steps),
                                                 {.denominator = static_cast<double>(minibatch_)});
    values.backward(value.gradient.reshape(values.sizes()));
    critic_adam_.Step(1e-4, value.loss);
    at::set_num_threads(1);
  }

 private:
  ActorRows rows_;
  CriticLayout layout_;
  DenseStack actor_, critic_;
  FlatAdam actor_adam_, critic_adam_;
  at::Tensor states_, value_rows_;
  int64_t minibatch_;
  int threads_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_PLAIN_LIBTORCH_STEP_H_
