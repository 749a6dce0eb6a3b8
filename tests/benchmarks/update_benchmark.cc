// The PPO update of the traffic scenario's size: nine per-agent actors 17-128-64-4 and a team critic 155-256-256-128-1,
// on two threads, at minibatches of 2048 and of 32768 joint steps, against what the machine can multiply.
//
//   update_benchmark [--rounds=3] [--seconds=1] [--layer_norms]
//   update_benchmark --device=cuda [--precision=F32|TF32|BF16] [--cuda_graphs=true|false] [--rounds=3] [--seconds=1]
//
// With --layer_norms the update is measured a second time, in turn with the first, with a layer norm of every network's
// input and of all its hidden layers; operations are counted as without, so that rates are to one another as the times.
//
// The second form measures the update on a GPU, with every precision, with graphs and without, unless told which. A
// step is one minibatch through all networks: what an update of twelve epochs takes more than one of four, per
// minibatch.
//
// All figures are from one run, measured in turn `rounds` times; printed are medians, by the clock and by the processor
// time that the whole process used, which tells more where others use the machine too. An update is what
// traffic_grid_reference does with a batch: values, advantages and four epochs. Counted are the floating point
// operations of the epochs' matrix products alone: forward, the weights' gradients and, but for the first layers, the
// inputs' gradients. "share" is of the float32 products' rate.
#include <dlfcn.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "learner/algorithms/modules/minibatches.h"
#include "learner/arithmetic/blocks/block_kernels.h"
#include "learner/arithmetic/blocks/block_stack.h"
#include "learner/arithmetic/gpu/device.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "tests/algorithms/batch_builder.h"
#include "tests/benchmarks/plain_libtorch_step.h"

namespace troupe {
namespace {

constexpr int kAgents = 9, kObserved = 17, kActions = 4, kThreads = 2;
// Multiplications with an addition of one joint step: forward and weights' gradients, and inputs' gradients but for the
// first layers.
constexpr double kForward = 9.0 * (17 * 128 + 128 * 64 + 64 * 4) + 155 * 256 + 256 * 256 + 256 * 128 + 128;
constexpr double kFirst = 9.0 * 17 * 128 + 155 * 256;
constexpr double kOperationsPerStep = 2.0 * (3.0 * kForward - kFirst);

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Operations per second, by the clock and by processor time.
struct Measured {
  double clock = 0, processor = 0;
};

// Of `body`, which does `operations` a call, over at least `seconds`.
Measured Rate(double operations, double seconds, const std::function<void()>& body) {
  body();
  double done = 0;
  const double began = Seconds(CLOCK_MONOTONIC), used = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  double now = began;
  for (; now - began < seconds || done == 0; now = Seconds(CLOCK_MONOTONIC)) body(), done += operations;
  return {done / (now - began), done / (Seconds(CLOCK_PROCESS_CPUTIME_ID) - used)};
}

// oneDNN's float32 product, or null where the library is not. Opened rather than linked: LibTorch holds a copy of its
// own, and a library of 40 MiB need not be carried along for a row of a table.
using Sgemm = int (*)(char, char, int64_t, int64_t, int64_t, float, const float*, int64_t, const float*, int64_t, float,
                      float*, int64_t);
Sgemm FindSgemm() {
  void* const library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  return library == nullptr ? nullptr : reinterpret_cast<Sgemm>(dlsym(library, "dnnl_sgemm"));
}

// oneDNN's float32 products of 2048 × 256 × 256 as forward, inputs' and weights' gradient, one product per thread.
Measured ProductRate(double seconds) {
  static const Sgemm sgemm = FindSgemm();
  if (sgemm == nullptr) return {};
  constexpr int64_t kRows = 2048, kSize = 256;
  struct Operands {
    std::vector<float> x = std::vector<float>(kRows * kSize, 0.5f), w = std::vector<float>(kSize * kSize, 0.5f),
                       y = std::vector<float>(kRows * kSize, 0.5f);
  };
  std::vector<Operands> lanes(kThreads);
  return Rate(kThreads * 3.0 * 2.0 * kRows * kSize * kSize, seconds, [&] {
    ParallelTasks(kThreads, [&](int, int64_t task) {
      float *x = lanes[task].x.data(), *w = lanes[task].w.data(), *y = lanes[task].y.data();
      sgemm('N', 'N', kRows, kSize, kSize, 1.0f, x, kSize, w, kSize, 0.0f, y, kSize);
      sgemm('N', 'T', kRows, kSize, kSize, 1.0f, y, kSize, w, kSize, 0.0f, x, kSize);
      sgemm('T', 'N', kSize, kSize, kRows, 1.0f, x, kSize, y, kSize, 0.0f, w, kSize);
      std::fill_n(x, 64, 0.5f), std::fill_n(w, kSize * kSize, 0.01f);
    });
  });
}

// The same shapes through the block kernels, a block of rows at a time.
Measured BlockRate(const BlockKernels* kernels, double seconds);

AlgorithmContext Context(Precision precision, int minibatch, int rollout_length, int epochs = 4,
                         bool layer_norms = false) {
  const std::string norms = layer_norms ? " input_layer_norm: true hidden_layer_norm: true" : "";
  AlgorithmContext context = MakeContext(
      "policy { sharing: PER_AGENT hidden_sizes: [128, 64]" + norms + " } critic { hidden_sizes: [256, 256, 128]" +
          norms + " } collection { num_shards: 4 copies_per_shard: 16 rollout_length: " +
          std::to_string(rollout_length) + " } ppo { epochs: " + std::to_string(epochs) +
          " max_gradient_norm: 0.5 minibatch_size: " + std::to_string(minibatch) + " }",
      {DiscreteGroup("junction", kAgents, kObserved, kActions)}, 155 - kAgents * kObserved);
  context.experiment.mutable_compute()->set_precision(precision);
  context.experiment.mutable_compute()->set_device(CPU);
  context.arithmetic.device = ChooseDevice(context.experiment.compute())->name;
  return context;
}

double Median(const std::vector<Measured>& measured, double Measured::*clock) {
  std::vector<double> values;
  for (const Measured& one : measured) values.push_back(one.*clock);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Report {
 public:
  void Add(const std::string& name, Measured rate) {
    if (rates_.count(name) == 0) order_.push_back(name);
    rates_[name].push_back(rate);
  }
  double Get(const std::string& name, double Measured::*clock = &Measured::clock) const {
    return rates_.count(name) == 0 ? 0.0 : Median(rates_.at(name), clock);
  }
  void Print() const {
    std::printf("%-32s %9s %7s %11s %7s\n", "", "GFLOP/s", "share", "per CPU s", "share");
    for (const std::string& name : order_) {
      std::printf("%-32s", name.c_str());
      for (const auto clock : {&Measured::clock, &Measured::processor}) {
        const double rate = Get(name, clock);
        std::printf(" %9.1f %6.0f %%", rate / 1e9, 100.0 * rate / Get("oneDNN products f32", clock));
      }
      std::printf("\n");
    }
    for (const std::string& batch : {std::string("batch 2048"), std::string("batch 32768")}) {
      for (const auto clock : {&Measured::clock, &Measured::processor}) {
        const double plain = Get("plain LibTorch, " + batch, clock), single = Get("update f32, " + batch, clock),
                     bfloat = Get("update bf16, " + batch, clock);
        std::printf("%s, by %s: f32 %.2f x products, %.2f x plain LibTorch", batch.c_str(),
                    clock == &Measured::clock ? "the clock" : "processor time",
                    single / Get("oneDNN products f32", clock), single / plain);
        if (bfloat > 0) std::printf("; bf16 %.2f x f32, %.2f x plain LibTorch", bfloat / single, bfloat / plain);
        std::printf("\n");
        for (const std::string& precision : {std::string("f32"), std::string("bf16")}) {
          const double without = Get("update " + precision + ", " + batch, clock);
          const double with = Get("update " + precision + ", norms, " + batch, clock);
          if (with > 0) std::printf("  %s with layer norms %.3f x without\n", precision.c_str(), with / without);
        }
      }
    }
  }

 private:
  std::map<std::string, std::vector<Measured>> rates_;
  std::vector<std::string> order_;
};

// Rollout lengths by minibatch: batches of eight minibatches, and of one.
const std::map<int, int> kLengths = {{2048, 256}, {32768, 512}};

// The median time of an update on `device`.
double SecondsPerUpdate(AlgorithmContext context, const std::string& device, bool graphs, const TrainingBatch& batch,
                        int rounds, double seconds) {
  context.arithmetic.device = device;
  context.experiment.mutable_compute()->set_cuda_graphs(graphs);
  context.arithmetic.warn = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  const auto algorithm = CreateAlgorithm(context).value();
  std::vector<Measured> rates;
  for (int round = 0; round < rounds; ++round) {
    rates.push_back(Rate(1, seconds, [&] {
      if (!algorithm->Update(batch, {.total_env_steps = 1}).ok()) std::abort();
    }));
  }
  return 1 / Median(rates, &Measured::clock);
}

int RunOnGpu(int rounds, double seconds, const std::vector<Precision>& precisions, const std::vector<bool>& graphs) {
  ComputeSettings settings;
  settings.set_device(CUDA);
  const auto device = ChooseDevice(settings);
  if (!device.ok()) {
    std::fprintf(stderr, "%s\n", std::string(device.status().message()).c_str());
    return 1;
  }
  std::printf("%s\n%-9s %-9s %9s %12s %10s %12s\n", device->description.c_str(), "products", "graphs", "batch",
              "step, us", "GFLOP/s", "update, ms");
  for (const auto& [minibatch, length] : kLengths) {
    const TrainingBatch batch = RandomBatch(Context(F32, minibatch, length).environment, length, 64, 1, /*ends=*/false);
    const double minibatches = static_cast<double>(batch.env_steps()) / minibatch;
    for (const Precision precision : precisions) {
      for (const bool with : graphs) {
        const auto measure = [&](int epochs) {
          return SecondsPerUpdate(Context(precision, minibatch, length, epochs), device->name, with, batch, rounds,
                                  seconds);
        };
        const double update = measure(4), step = (measure(12) - update) / (8 * minibatches);
        std::printf("%-9s %-9s %9d %12.1f %10.1f %12.2f\n", Precision_Name(precision).c_str(), with ? "yes" : "no",
                    minibatch, 1e6 * step, kOperationsPerStep * minibatch / step / 1e9, 1e3 * update);
      }
    }
  }
  return 0;
}

std::string NameOf(const std::string& precision, bool norms, int minibatch) {
  return std::string(precision == "F32" ? "update f32" : "update bf16") + (norms ? ", norms" : "") + ", batch " +
         std::to_string(minibatch);
}

void Run(int rounds, double seconds, bool layer_norms) {
  Report report;
  std::map<std::string, std::unique_ptr<Algorithm>> algorithms;
  std::map<int, TrainingBatch> batches;
  std::map<int, std::unique_ptr<PlainLibTorchStep>> plain;
  std::vector<std::string> precisions = {"F32"};
  if (BlockKernelsBf16() != nullptr) precisions.push_back("BF16");
  const std::vector<bool> kinds = layer_norms ? std::vector<bool>{false, true} : std::vector<bool>{false};
  for (const auto& [minibatch, length] : kLengths) {
    const AlgorithmContext context = Context(F32, minibatch, length);
    batches[minibatch] = RandomBatch(context.environment, length, 64, 1, /*ends=*/false);
    plain[minibatch] = std::make_unique<PlainLibTorchStep>(context, batches[minibatch], minibatch, kThreads);
    for (const std::string& precision : precisions) {
      for (const bool norms : kinds) {
        auto& algorithm = algorithms[NameOf(precision, norms, minibatch)];
        algorithm = CreateAlgorithm(Context(precision == "BF16" ? BF16 : F32, minibatch, length, 4, norms)).value();
        if (minibatch == 2048) {
          std::printf("%s%s: %s\n", precision.c_str(), norms ? " with norms" : "", algorithm->arithmetic().c_str());
        }
      }
    }
  }
  for (int round = 0; round < rounds; ++round) {
    report.Add("oneDNN products f32", ProductRate(seconds));
    for (const std::string& precision : precisions) {
      const bool single = precision == "F32";
      const BlockKernels* kernels = single ? BlockKernelsF32() : FastestBlockKernelsBf16();
      if (kernels != nullptr)
        report.Add(single ? "block products f32" : "block products bf16", BlockRate(kernels, seconds));
      for (const auto& [minibatch, batch] : batches) {
        for (const bool norms : kinds) {
          const std::string name = NameOf(precision, norms, minibatch);
          Algorithm& algorithm = *algorithms.at(name);
          const double operations = 4 * kOperationsPerStep * static_cast<double>(batch.env_steps());
          report.Add(name, Rate(operations, seconds, [&, &batch = batch] {
                       if (!algorithm.Update(batch, {.total_env_steps = 1}).ok()) std::abort();
                     }));
        }
      }
    }
    for (const auto& [minibatch, step] : plain) {
      report.Add("plain LibTorch, batch " + std::to_string(minibatch),
                 Rate(kOperationsPerStep * minibatch, seconds, [&, &step = step] { step->Run(); }));
    }
  }
  report.Print();
}

Measured BlockRate(const BlockKernels* kernels, double seconds) {
  constexpr int64_t kSize = 256, kBlocks = 16;
  struct Lane {
    Lane(const BlockStack& stack) : scratch(stack), gradient(stack.set_gradient_size()) {}
    BlockStack::Scratch scratch;
    std::vector<float> gradient;
  };
  const DenseStackSpec spec{.input_size = kSize, .hidden_sizes = {kSize, kSize, kSize}, .output_size = kSize};
  BlockStack stack(spec, kernels);
  const std::vector<float> parameters(4 * (kSize * kSize + kSize), 0.01f), x(kBlockRows * kSize, 0.5f);
  for (int64_t layer = 0; layer < stack.num_layers(); ++layer) stack.Pack(parameters.data(), 0, layer);
  std::vector<Lane> lanes;
  for (int lane = 0; lane < kThreads; ++lane) lanes.emplace_back(stack);
  std::vector<std::vector<float>> y(kThreads, std::vector<float>(kBlockRows * kSize));
  const double operations = 2.0 * kThreads * kBlocks * kBlockRows * static_cast<double>(stack.products_per_row());
  return Rate(operations, seconds, [&] {
    ParallelTasks(kThreads, [&](int lane, int64_t) {
      for (int64_t block = 0; block < kBlocks; ++block) {
        stack.Forward(parameters.data(), 0, x.data(), nullptr, kBlockRows, &lanes[lane].scratch, y[lane].data());
        stack.Backward(0, x.data(), kBlockRows, block > 0, &lanes[lane].scratch, lanes[lane].gradient.data());
      }
    });
  });
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  int rounds = 3;
  double seconds = 1;
  bool on_gpu = false, layer_norms = false;
  std::vector<troupe::Precision> precisions = {troupe::F32, troupe::TF32, troupe::BF16};
  std::vector<bool> graphs = {false, true};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    troupe::Precision precision;
    if (argument.starts_with("--rounds=")) {
      rounds = std::max(1, std::atoi(argv[i] + 9));
    } else if (argument.starts_with("--seconds=")) {
      seconds = std::atof(argv[i] + 10);
    } else if (argument == "--layer_norms") {
      layer_norms = true;
    } else if (argument == "--device=cuda" || argument == "--device=cpu") {
      on_gpu = argument == "--device=cuda";
    } else if (argument == "--cuda_graphs=true" || argument == "--cuda_graphs=false") {
      graphs = {argument == "--cuda_graphs=true"};
    } else if (argument.starts_with("--precision=") && troupe::Precision_Parse(argument.substr(12), &precision)) {
      precisions = {precision};
    } else {
      std::fprintf(stderr, "%s: not a flag of this benchmark\n", argv[i]);
      return 2;
    }
  }
  if (on_gpu) return troupe::RunOnGpu(rounds, seconds, precisions, graphs);
  troupe::Run(rounds, seconds, layer_norms);
}
