// Acting for nine per-agent actors 17-128-64-4: the worker's kernels against oneDNN's inner product, and the sampling
// alone. Argument: environment copies E. Items are agent-steps.
#include <dlfcn.h>

#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "actor_worker/acting/categorical.h"
#include "actor_worker/acting/network.h"
#include "benchmark/benchmark.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {
namespace {

PolicySpec NineActors() { return MakeTestSpec(9, 17, 4, {128, 64}, {0, 1, 2, 3, 4, 5, 6, 7, 8}); }

std::vector<float> RandomFloats(size_t count) {
  RandomStream random(3);
  std::vector<float> values(count);
  for (float& value : values) value = random.Uniform();
  return values;
}

void Logits(benchmark::State& state, const PolicySpec& spec) {
  const int copies = int(state.range(0));
  const auto network = MakeNetwork(spec, copies);
  network->SetParameters(RandomWeights(spec, 1));
  const std::vector<float> observations = RandomFloats(size_t(copies) * spec.num_agents * spec.observation_size);
  for (auto _ : state) benchmark::DoNotOptimize(network->Outputs(observations, {}).data());
  state.SetItemsProcessed(state.iterations() * copies * spec.num_agents);
}
void BM_LogitsPerAgent(benchmark::State& state) { Logits(state, NineActors()); }
void BM_LogitsShared(benchmark::State& state) {
  Logits(state, MakeTestSpec(9, 17, 4, {128, 64}, {0, 0, 0, 0, 0, 0, 0, 0, 0}));
}
void BM_LogitsSharedWithAgentId(benchmark::State& state) {
  Logits(state, WithAgentId(MakeTestSpec(9, 17, 4, {128, 64}, {0, 0, 0, 0, 0, 0, 0, 0, 0})));
}
void BM_LogitsNormalised(benchmark::State& state) {
  PolicySpec spec = NineActors();
  spec.stack.input_layer_norm = spec.stack.hidden_layer_norm = true;
  Logits(state, spec);
}
void BM_LogitsTanh(benchmark::State& state) {
  PolicySpec spec = NineActors();
  spec.stack.activation = Activation::kTanh;
  Logits(state, spec);
}
BENCHMARK(BM_LogitsPerAgent)->Arg(1)->Arg(8)->Arg(16)->Arg(64)->Arg(256);
BENCHMARK(BM_LogitsShared)->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(BM_LogitsSharedWithAgentId)->Arg(8)->Arg(64);
BENCHMARK(BM_LogitsNormalised)->Arg(8)->Arg(64);
BENCHMARK(BM_LogitsTanh)->Arg(8)->Arg(64);

// Products, bias and, in hidden layers, ReLU as one primitive.
dnnl::inner_product_forward::primitive_desc InferenceProduct(const dnnl::engine& engine,
                                                             const dnnl::memory::desc& source,
                                                             const dnnl::memory::desc& weights,
                                                             const dnnl::memory::desc& bias,
                                                             const dnnl::memory::desc& result, bool relu) {
  constexpr auto kRelu = dnnl::algorithm::eltwise_relu;
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  dnnl::post_ops after;
  dnnl::primitive_attr attributes;
#if DNNL_VERSION_MAJOR >= 3
  if (relu) after.append_eltwise(kRelu, 0.0f, 0.0f);
  attributes.set_post_ops(after);
  return {engine, kInference, source, weights, bias, result, attributes};
#else
  if (relu) after.append_eltwise(1.0f, kRelu, 0.0f, 0.0f);
  attributes.set_post_ops(after);
  return {{kInference, source, weights, bias, result}, attributes, engine};
#endif
}

// One inner product per agent and layer with fused bias and ReLU, weights in oneDNN's own layout, one thread. The
// observations are copied together first: oneDNN 2.6 has only a reference implementation for strided sources.
void BM_LogitsOneDnn(benchmark::State& state) {
  using dnnl::memory;
  using SetThreads = void (*)(int);  // of the OpenMP runtime that oneDNN brings along
  const auto set_threads = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (set_threads != nullptr) set_threads(1);
  const PolicySpec spec = NineActors();
  const int copies = int(state.range(0)), agents = spec.num_agents, observed = spec.observation_size;
  const std::vector<float> observations = RandomFloats(size_t(copies) * agents * observed);
  std::vector<float> transposed(observations.size());
  const std::vector<HostTensor> tensors = RandomWeights(spec, 1);
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  std::vector<std::pair<dnnl::inner_product_forward, std::unordered_map<int, memory>>> operations;
  const std::vector<int> sizes = {observed, 128, 64, 4};
  for (int agent = 0; agent < agents; ++agent) {
    memory source({{copies, observed}, memory::data_type::f32, memory::format_tag::ab}, engine,
                  &transposed[size_t(agent) * copies * observed]);
    for (int layer = 0; layer < 3; ++layer) {
      const int inputs = sizes[layer], outputs = sizes[layer + 1];
      const memory::desc any_weights({outputs, inputs}, memory::data_type::f32, memory::format_tag::any);
      const memory::desc bias({outputs}, memory::data_type::f32, memory::format_tag::a);
      const memory::desc result({copies, outputs}, memory::data_type::f32, memory::format_tag::ab);
      const auto description = InferenceProduct(engine, source.get_desc(), any_weights, bias, result, layer < 2);
      memory plain({{outputs, inputs}, memory::data_type::f32, memory::format_tag::ba}, engine,
                   const_cast<float*>(tensors[2 * layer].floats() + agent * inputs * outputs));
      memory packed(description.weights_desc(), engine);
      dnnl::reorder(plain, packed).execute(stream, plain, packed);
      memory biases(bias, engine, const_cast<float*>(tensors[2 * layer + 1].floats() + agent * outputs));
      memory target(result, engine);
      operations.push_back(
          {dnnl::inner_product_forward(description),
           {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, biases}, {DNNL_ARG_DST, target}}});
      source = target;
    }
  }
  for (auto _ : state) {
    for (int agent = 0; agent < agents; ++agent) {
      for (int c = 0; c < copies; ++c) {
        std::memcpy(&transposed[(size_t(agent) * copies + c) * observed],
                    &observations[(size_t(c) * agents + agent) * observed], observed * sizeof(float));
      }
    }
    for (const auto& [primitive, arguments] : operations) primitive.execute(stream, arguments);
  }
  state.SetItemsProcessed(state.iterations() * copies * agents);
}
BENCHMARK(BM_LogitsOneDnn)->Arg(1)->Arg(8)->Arg(16)->Arg(64)->Arg(256);

void BM_Sampling(benchmark::State& state) {
  const int rows = int(state.range(0)) * 9;
  Categorical categorical(rows, 4);
  const std::vector<float> logits = RandomFloats(size_t(rows) * 4);
  std::vector<float> uniforms(rows), log_probabilities(rows);
  const std::vector<uint8_t> masks(size_t(rows) * 4, 1);
  std::vector<int32_t> actions(rows);
  RandomStream random(9);
  for (auto _ : state) {
    for (float& uniform : uniforms) uniform = random.Uniform();
    categorical.Choose(logits, masks, uniforms,
                       {.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)});
    benchmark::DoNotOptimize(actions.data());
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(BM_Sampling)->Arg(8)->Arg(64);

void BM_SetParameters(benchmark::State& state) {
  const PolicySpec spec = NineActors();
  const auto network = MakeNetwork(spec, 8);
  const std::vector<HostTensor> weights = RandomWeights(spec, 1);
  for (auto _ : state) {
    network->SetParameters(weights);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_SetParameters);

}  // namespace
}  // namespace troupe
