// Mappo on a GPU: what its gradient steps work on, and bringing batches there.
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "learner/algorithms/mappo.h"
#include "learner/algorithms/modules/batch_check.h"

namespace troupe {
namespace {

// How long the next batch is waited for before the device is asked again whether it has finished.
constexpr absl::Duration kPoll = absl::Milliseconds(1);

// Sets how float32 is multiplied from here on; LibTorch keeps one setting for all.
void SetProducts(bool tf32) {
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowBF16ReductionCuBLAS(false);
}

}  // namespace

absl::Status Mappo::PrepareArithmetic() {
  if (device_.is_cpu() && context_.experiment.compute().precision() == TF32) {
    return absl::FailedPreconditionError(
        "compute.precision is TF32, but this learner trains on the CPU, which has none; expected FASTEST, F32 or BF16");
  }
  if (device_.is_cpu() && !context_.device_steps.on_cpu) return PrepareBlocks();
  PrepareDevice();
  return absl::OkStatus();
}

void Mappo::PrepareDevice() {
  const ComputeSettings& compute = context_.experiment.compute();
  std::vector<DeviceNetwork::Spec> networks;
  for (Actor& actor : actors_) {
    networks.push_back({.stack = &actor.stack,
                        .optimizer = &actor.optimizer,
                        .rows_per_step = SlotMap(actor.policy).slots,
                        .is_policy = true,
                        .policy = {.clip = ppo_.clip()}});
  }
  for (Critic& critic : critics_) {
    networks.push_back({.stack = &critic.stack,
                        .optimizer = &critic.optimizer,
                        .rows_per_step = critic.layout.rows_per_step,
                        .value = ValueLossWith(/*denominator=*/1)});
  }
  const bool bfloat16 = compute.precision() == BF16, tf32 = !bfloat16 && compute.precision() != F32;
  DeviceStep::Options options{.bfloat16 = bfloat16, .make_graph = context_.device_steps.graphs, .warn = context_.warn};
  if (context_.device_steps.rows_per_part > 0) options.rows_per_part = context_.device_steps.rows_per_part;
  std::string graphs = "CUDA graphs";
  if (!compute.cuda_graphs() || ranks_.size() > 1) {
    options.make_graph = nullptr;
    graphs = absl::StrCat("no CUDA graphs: ", ranks_.size() > 1 ? "several learners add up gradients in between"
                                                                : "compute.cuda_graphs is false");
  } else if (!options.make_graph) {
    if (const auto loaded = LoadedStepGraphs(); loaded.ok()) {
      options.make_graph = *loaded;
    } else {
      graphs = absl::StrCat("no CUDA graphs: ", loaded.status().message());
    }
  }
  arithmetic_ = absl::StrCat(bfloat16 ? "bfloat16 products, sums and parameters float32"
                             : tf32   ? "TF32 products, all else float32"
                                      : "float32",
                             ", LibTorch; ", graphs);
  device_side_.reset(new DeviceSide{DeviceStream(device_), UploadBuffers(device_),
                                    DeviceStep(networks, device_, &ranks_, std::move(options)), tf32, std::nullopt});
}

Mappo::BatchInputs Mappo::TakeInputs(const TrainingBatch& batch) {
  if (device_side_ == nullptr) return MakeInputs(batch);
  SetProducts(device_side_->tf32);
  auto prefetched = std::exchange(device_side_->prefetched, std::nullopt);
  BatchInputs inputs =
      prefetched.has_value() && prefetched->first == &batch ? std::move(prefetched->second) : MakeInputs(batch);
  device_side_->uploads.Await();
  return inputs;
}

void Mappo::LoadDevice(const std::vector<ActorRows>& rows, const std::vector<CriticData>& data, int64_t steps) {
  DeviceStep& step = device_side_->step;
  for (size_t g = 0; g < rows.size(); ++g) {
    const ActorMinibatch all = rows[g].All();
    step.Load(g, {.inputs = all.inputs, .masks = all.masks, .fields = all.rows});
  }
  for (size_t c = 0; c < data.size(); ++c) {
    step.Load(rows.size() + c,
              {.inputs = data[c].inputs.narrow(0, 0, steps).unsqueeze(0), .fields = data[c].rows.unsqueeze(0)});
  }
  device_side_->uploads.Release();
}

void Mappo::PrefetchMeanwhile() {
  if (!next_batch_) return;
  DeviceMark finished(device_);
  finished.Set();
  absl::Duration timeout = absl::ZeroDuration();
  do {
    const TrainingBatch* const next = next_batch_(timeout);
    if (next != nullptr) {
      if (!CheckBatch(context_.environment, *next).ok()) return;  // its Update says why
      device_side_->prefetched.emplace(next, MakeInputs(*next));
      return;
    }
    timeout = kPoll;
  } while (!finished.IsPassed());
}

}  // namespace troupe
