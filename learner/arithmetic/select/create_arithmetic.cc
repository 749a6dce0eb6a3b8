#include "learner/arithmetic/select/create_arithmetic.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "learner/arithmetic/autograd/autograd_engine.h"
#include "learner/arithmetic/autograd/autograd_sequence.h"
#include "learner/arithmetic/autograd/communicating_engine.h"
#include "learner/arithmetic/blocks/block_engine.h"
#include "learner/arithmetic/blocks/block_sequence.h"
#include "learner/arithmetic/cpu/host_arithmetic.h"
#include "learner/arithmetic/cpu/sequence_engine.h"
#include "learner/arithmetic/gpu/gpu_arithmetic.h"
#include "learner/arithmetic/host/cpu_features.h"

namespace troupe {
namespace {

std::unique_ptr<GradientEngine> MakeAutogradEngine(const TrainedNetwork& network) {
  const DenseStackSpec& stack = network.plan.stack;
  if (stack.communicates()) {
    return std::make_unique<CommunicatingEngine>(network.plan, network.stack.parameters());
  }
  if (stack.is_recurrent()) {
    return std::make_unique<SequenceEngine>(network.plan,
                                            std::make_unique<AutogradSequence>(stack, network.stack.parameters()),
                                            network.stack.parameters().const_data_ptr<float>());
  }
  return std::make_unique<AutogradEngine>(
      AutogradEngine::Sizes{.sets = stack.num_sets,
                            .input = stack.input_size,
                            .output = stack.output_size,
                            .free = network.plan.free.size,
                            .tokens = stack.attends() ? stack.attention.num_tokens() : 1},
      [stack](const at::Tensor& parameters, const at::Tensor& rows) {
        return ForwardReference(stack, parameters, rows);
      },
      network.plan.objective, network.stack.parameters());
}

std::unique_ptr<GradientEngine> MakeBlockEngine(const TrainedNetwork& network, const BlockKernels* kernels) {
  const DenseStackSpec& stack = network.plan.stack;
  const float* const parameters = network.stack.parameters().const_data_ptr<float>();
  if (stack.is_recurrent()) {
    return std::make_unique<SequenceEngine>(
        network.plan, std::make_unique<BlockSequence>(stack, BlockKernelsF32(), parameters), parameters);
  }
  return std::make_unique<BlockEngine>(stack, kernels, network.plan.objective, parameters, network.plan.free.size);
}

// Those that are stepped in blocks.
std::vector<std::string> RecurrentNetworks(const std::vector<NetworkPlan>& plans) {
  std::vector<std::string> names;
  for (const NetworkPlan& plan : plans) {
    if (plan.stack.is_recurrent() && BlockStack::Covers(plan.stack)) names.push_back(plan.name);
  }
  return names;
}

// Why some network is trained on the CPU wherever the others would be; empty: none is.
std::string WhyOnCpu(const std::vector<NetworkPlan>& plans) {
  for (const NetworkPlan& plan : plans) {
    if (plan.stack.communicates()) return absl::StrCat("network ", plan.name, " communicates");
    if (plan.stack.is_recurrent()) return absl::StrCat("network ", plan.name, " is recurrent");
    if (plan.stack.attends()) return absl::StrCat("network ", plan.name, " attends over agents");
    if (plan.objective == nullptr) return absl::StrCat("network ", plan.name, " is a target network");
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Arithmetic>> CreateOnCpu(std::vector<NetworkPlan> plans,
                                                        const ArithmeticOptions& options, Collective* ranks) {
  const Precision precision = options.compute.precision();
  if (precision == TF32) {
    return absl::FailedPreconditionError(
        "compute.precision is TF32, but this learner trains on the CPU, which has none; expected FASTEST, F32 or BF16");
  }
  const auto is_covered = [&](const NetworkPlan& plan) {
    return !options.overrides.autograd && BlockStack::Covers(plan.stack);
  };
  std::vector<std::string> uncovered;
  for (const NetworkPlan& plan : plans) {
    if (!is_covered(plan)) uncovered.push_back(plan.name);
  }
  // Recurrent ones are multiplied in float32 wherever they are.
  const std::vector<std::string> recurrent = RecurrentNetworks(plans);
  const BlockKernels* const bfloat16 = FastestBlockKernelsBf16();
  const std::vector<std::string>& not_in_bfloat16 = uncovered.empty() ? recurrent : uncovered;
  if (precision == BF16 && (!not_in_bfloat16.empty() || bfloat16 == nullptr)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "compute.precision is BF16, but ", bfloat16 == nullptr ? "this processor has no AVX512_BF16"
                                                               : absl::StrCat("network ", not_in_bfloat16.front(),
                                                                              " is not one that is multiplied in it")));
  }
  const bool multiplies_bfloat16 = precision == BF16 || (precision == FASTEST && CpuFavoursBf16());
  const BlockKernels* const kernels = multiplies_bfloat16 ? bfloat16 : BlockKernelsF32();
  std::string description, bits;
  if (kernels == nullptr || uncovered.size() == plans.size()) {
    description = "float32, LibTorch";
    bits = "cpu autograd";
  } else {
    description = kernels == BlockKernelsF32Avx2() ? "fast f32: float32 in AVX2 blocks"
                  : !multiplies_bfloat16           ? "fast f32: float32 in AVX-512 blocks"
                  : kernels == BlockKernelsAmx()
                      ? "fast bf16: bfloat16 products in AMX tiles, sums and parameters float32"
                      : "fast bf16: bfloat16 products in AVX-512 blocks, sums and parameters float32";
    bits = !multiplies_bfloat16 ? "cpu float32 blocks" : kernels == BlockKernelsAmx() ? "cpu AMX" : "cpu AVX512_BF16";
    if (multiplies_bfloat16 && !recurrent.empty()) {
      absl::StrAppend(&description, "; float32 blocks: ", absl::StrJoin(recurrent, ", "));
      absl::StrAppend(&bits, ", recurrent in float32 blocks");
    }
    if (!uncovered.empty()) {
      absl::StrAppend(&description, "; float32 through LibTorch: ", absl::StrJoin(uncovered, ", "));
      absl::StrAppend(&bits, ", autograd");
    }
  }
  const auto make_engine = [&](const TrainedNetwork& network) -> std::unique_ptr<GradientEngine> {
    if (kernels == nullptr || !is_covered(network.plan)) return MakeAutogradEngine(network);
    return MakeBlockEngine(network, kernels);
  };
  return std::make_unique<HostArithmetic>(std::move(plans), make_engine, description, bits, ranks);
}

std::unique_ptr<Arithmetic> CreateOnGpu(std::vector<NetworkPlan> plans, const ArithmeticOptions& options,
                                        Collective* ranks) {
  const Precision precision = options.compute.precision();
  GpuArithmetic::Options gpu{.bfloat16 = precision == BF16,
                             .tf32 = precision != BF16 && precision != F32,
                             .make_graph = options.overrides.graphs,
                             .warn = options.warn};
  if (options.overrides.rows_per_part > 0) gpu.rows_per_part = options.overrides.rows_per_part;
  std::string graphs = "CUDA graphs";
  if (!options.compute.cuda_graphs() || ranks->size() > 1) {
    gpu.make_graph = nullptr;
    graphs = absl::StrCat("no CUDA graphs: ", ranks->size() > 1 ? "several learners add up gradients in between"
                                                                : "compute.cuda_graphs is false");
  } else if (!gpu.make_graph) {
    if (const auto loaded = LoadedStepGraphs(); loaded.ok()) {
      gpu.make_graph = *loaded;
    } else {
      graphs = absl::StrCat("no CUDA graphs: ", loaded.status().message());
    }
  }
  gpu.description = absl::StrCat(gpu.bfloat16 ? "bfloat16 products, sums and parameters float32"
                                 : gpu.tf32   ? "TF32 products, all else float32"
                                              : "float32",
                                 ", LibTorch; ", graphs);
  return std::make_unique<GpuArithmetic>(std::move(plans), at::Device(options.device), ranks, std::move(gpu));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Arithmetic>> CreateArithmetic(std::vector<NetworkPlan> plans,
                                                             const ArithmeticOptions& options, Collective* ranks) {
  if (options.device == "cpu" && !options.overrides.gpu_on_cpu) return CreateOnCpu(std::move(plans), options, ranks);
  if (const std::string why = WhyOnCpu(plans); !why.empty()) {
    if (options.compute.device() == CUDA || options.overrides.gpu_on_cpu) {
      return absl::FailedPreconditionError(absl::StrCat(
          "compute.device is CUDA, but ", why, ", and such networks are trained on the CPU; expected AUTO or CPU"));
    }
    options.warn(absl::StrCat(why, ": this run is trained on the CPU"));
    return CreateOnCpu(std::move(plans), options, ranks);
  }
  return CreateOnGpu(std::move(plans), options, ranks);
}

bool RunsInBlocks(const DenseStackSpec& stack) { return BlockKernelsF32() != nullptr && BlockStack::Covers(stack); }

}  // namespace troupe
