// The gradient steps of Mappo out of blocks of rows: one minibatch through all networks at once.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "learner/algorithms/mappo.h"
#include "learner/arithmetic/host/cpu_features.h"

namespace troupe {

absl::Status Mappo::PrepareBlocks() {
  const Precision precision = context_.experiment.compute().precision();
  bool covered = true;
  for (const Actor& actor : actors_) covered &= BlockStack::Covers(actor.policy.stack);
  for (const Critic& critic : critics_) covered &= BlockStack::Covers(critic.layout.stack);
  const BlockKernels* const bfloat16 = FastestBlockKernelsBf16();
  if (precision == BF16 && (!covered || bfloat16 == nullptr)) {
    return absl::FailedPreconditionError(
        absl::StrCat("compute.precision is BF16, but ",
                     !covered ? "a network has layer norms" : "this processor has no AVX512_BF16"));
  }
  const bool multiplies_bfloat16 = precision == BF16 || (precision == FASTEST && CpuFavoursBf16());
  const BlockKernels* const kernels = multiplies_bfloat16 ? bfloat16 : BlockKernelsF32();
  if (!covered || kernels == nullptr) {
    arithmetic_ = DenseStackKernel::Available() ? "float32, oneDNN's products and LibTorch" : "float32, LibTorch";
    return absl::OkStatus();
  }
  arithmetic_ = kernels == BlockKernelsF32Avx2() ? "fast f32: float32 in AVX2 blocks"
                : !multiplies_bfloat16           ? "fast f32: float32 in AVX-512 blocks"
                : kernels == BlockKernelsAmx()
                    ? "fast bf16: bfloat16 products in AMX tiles, sums and parameters float32"
                    : "fast bf16: bfloat16 products in AVX-512 blocks, sums and parameters "
                      "float32";
  blocks_ = std::make_unique<BlockStep>();
  for (const Critic& critic : critics_) blocks_->Add(critic.layout.stack, kernels, critic.stack.parameters());
  for (const Actor& actor : actors_) blocks_->Add(actor.policy.stack, kernels, actor.stack.parameters());
  return absl::OkStatus();
}

void Mappo::StepBlocks(const std::vector<ActorRows>& actor_rows, const std::vector<CriticData>& data,
                       const std::vector<int64_t>& steps, bool whole, const double* denominators,
                       UpdateTotals* totals) {
  const auto rows_of = [&](BlockRows rows) {
    rows.steps = whole ? nullptr : steps.data();
    rows.num_steps = static_cast<int64_t>(steps.size());
    return rows;
  };
  const double* critic_denominators = denominators + actors_.size();
  for (size_t c = 0; c < critics_.size(); ++c) {
    const int64_t per_step = critics_[c].layout.rows_per_step;
    blocks_->Begin(c,
                   rows_of({.x = data[c].inputs.const_data_ptr<float>(),
                            .rows_in_set = data[c].inputs.size(0) * per_step,
                            .rows_per_step = per_step}),
                   {.fields = data[c].rows.const_data_ptr<float>(), .value = ValueLossWith(critic_denominators[c])});
  }
  for (size_t g = 0; g < actors_.size(); ++g) {
    blocks_->Begin(critics_.size() + g, rows_of(actor_rows[g].blocks()),
                   {.fields = actor_rows[g].fields(),
                    .masks = actor_rows[g].masks(),
                    .policy = PolicyLossWith(denominators[g], *totals)});
  }
  blocks_->Run();
  ranks_.Sum(&blocks_->sums());
  const auto step = [&](size_t network, double learning_rate, int64_t figures, FlatAdam* optimizer, at::Tensor* into) {
    const float* values = blocks_->figures(network);
    float loss = 0;
    for (int64_t i = 0; i < figures; ++i) loss += values[i];
    totals->AddOnHost(values, figures, optimizer->StepOnHost(learning_rate, blocks_->gradient(network), loss), into);
  };
  for (size_t c = 0; c < critics_.size(); ++c) {
    step(c, totals->critic_learning_rate, 1, &critics_[c].optimizer, &totals->critic);
  }
  for (size_t g = 0; g < actors_.size(); ++g) {
    step(critics_.size() + g, totals->actor_learning_rate, PolicyLossResult::kCount, &actors_[g].optimizer,
         &totals->actor);
  }
  blocks_->Repack();
}

}  // namespace troupe
