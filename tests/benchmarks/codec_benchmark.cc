// The stations of a chunk by themselves, on one core, against copying as many bytes. Argument: environment steps of a
// chunk of 8 copies of traffic_grid (nine junctions). bytes_per_second counts the message's bytes.
#include <cstring>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/bounded_queue.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "learner/ingest/chunk_admission.h"
#include "learner/ingest/chunk_copy.h"
#include "proto/training_service.pb.h"
#include "tests/support/chunk_maker.h"

namespace troupe::testing {
namespace {

EnvironmentSpec NineJunctions() {
  EnvironmentSpec spec;
  spec.name = "traffic_grid";
  spec.groups = {{"junction", {"a", "b", "c", "d", "e", "f", "g", "h", "i"}, 17, ActionKind::kDiscrete, 4}};
  spec.state_includes_observations = true;
  spec.state_extras_size = 2;
  spec.statistics = {"mean_waiting_seconds", "mean_delay_seconds", "vehicles", "stops"};
  return spec;
}

struct Sample {
  explicit Sample(const benchmark::State& state) : shape{static_cast<int>(state.range(0)), 8} {
    *message.mutable_chunk() = MakeChunk(spec, shape, {}, /*seed=*/1);
    bool own = false;
    grpc::SerializationTraits<wire::WorkerMessage>::Serialize(message, &bytes, &own);
    size = bytes.Length();
  }
  const EnvironmentSpec spec = NineJunctions();
  const ChunkShape shape;
  wire::WorkerMessage message;
  grpc::ByteBuffer bytes;
  size_t size = 0;
};

void Count(benchmark::State& state, const Sample& sample) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sample.size));
}

void BM_Memcpy(benchmark::State& state) {
  const Sample sample(state);
  const std::vector<char> from(sample.size, 'x');
  std::vector<char> to(sample.size);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  Count(state, sample);
}

void BM_Serialise(benchmark::State& state) {
  const Sample sample(state);
  for (auto _ : state) {
    grpc::ByteBuffer bytes;
    bool own = false;
    grpc::SerializationTraits<wire::WorkerMessage>::Serialize(sample.message, &bytes, &own);
    benchmark::DoNotOptimize(bytes);
  }
  Count(state, sample);
}

void BM_Parse(benchmark::State& state) {
  const Sample sample(state);
  wire::WorkerMessage message;
  for (auto _ : state) {
    grpc::ByteBuffer bytes(sample.bytes);
    grpc::SerializationTraits<wire::WorkerMessage>::Deserialize(&bytes, &message);
    benchmark::DoNotOptimize(message);
  }
  Count(state, sample);
}

void BM_Check(benchmark::State& state) {
  const Sample sample(state);
  for (auto _ : state) {
    auto view = CheckChunk(sample.spec, sample.shape, sample.message.chunk());
    if (!view.ok()) return state.SkipWithError(std::string(view.status().message()).c_str());
    benchmark::DoNotOptimize(view);
  }
  Count(state, sample);
}

void BM_CopyIntoBatch(benchmark::State& state) {
  const Sample sample(state);
  TrainingBatch batch;
  AllocateBatch(sample.spec, sample.shape, /*num_chunks=*/8, &batch);
  const auto view = ViewChunk(sample.spec, sample.shape, sample.message.chunk());
  int block = 0;
  for (auto _ : state) {
    CopyColumns(*view, sample.shape, block, &batch);
    block = (block + 1) % 8;
    benchmark::ClobberMemory();
  }
  Count(state, sample);
}

BENCHMARK(BM_Memcpy)->Arg(90)->Arg(225);
BENCHMARK(BM_Serialise)->Arg(90)->Arg(225);
BENCHMARK(BM_Parse)->Arg(90)->Arg(225);
BENCHMARK(BM_Check)->Arg(90)->Arg(225);
BENCHMARK(BM_CopyIntoBatch)->Arg(90)->Arg(225);

void BM_QueuePushPop(benchmark::State& state) {
  BoundedQueue<int> queue(64);
  for (auto _ : state) {
    queue.Push(1);
    benchmark::DoNotOptimize(queue.Pop());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_QueuePushPop);

// One thread pushes, one pops; an item that changes hands.
void BM_QueueHandOver(benchmark::State& state) {
  static BoundedQueue<int>* queue = nullptr;
  if (state.thread_index() == 0) queue = new BoundedQueue<int>(64);
  for (auto _ : state) {
    if (state.thread_index() == 0) {
      queue->Push(1);
    } else {
      benchmark::DoNotOptimize(queue->Pop());
    }
  }
  if (state.thread_index() == 0) {
    delete queue;
    state.SetItemsProcessed(state.iterations());
  }
}
BENCHMARK(BM_QueueHandOver)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace troupe::testing
