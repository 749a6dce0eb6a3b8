// The stations of a chunk by themselves, on one core, against copying as many bytes. Argument: environment steps of a
// chunk of 8 copies of traffic_grid (nine junctions). bytes_per_second counts the message's bytes.
#include <zlib.h>

#include <cstring>
#include <string>
#include <vector>

#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/stream/shared_encoding.h"
#include "benchmark/benchmark.h"
#include "common/base/bounded_queue.h"
#include "common/config/experiment_loader.h"
#include "common/wire/message_reader.h"
#include "grpcpp/support/byte_buffer.h"
#include "learner/ingest/chunk_admission.h"
#include "learner/ingest/chunk_copy.h"
#include "proto/training_service.pb.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/recorded_chunk.h"
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
    bytes = message.SerializeAsString();
  }
  // As HTTP/2 frames cut it.
  std::vector<absl::string_view> pieces() const {
    constexpr size_t kFrameBytes = 16375;
    std::vector<absl::string_view> pieces;
    for (size_t begin = 0; begin < bytes.size(); begin += kFrameBytes) {
      pieces.push_back(absl::string_view(bytes).substr(begin, kFrameBytes));
    }
    return pieces;
  }
  const EnvironmentSpec spec = NineJunctions();
  const ChunkShape shape;
  wire::WorkerMessage message;
  std::string bytes;
};

void Count(benchmark::State& state, const Sample& sample) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(sample.bytes.size()));
}

void BM_Memcpy(benchmark::State& state) {
  const Sample sample(state);
  const std::vector<char> from(sample.bytes.size(), 'x');
  std::vector<char> to(sample.bytes.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  Count(state, sample);
}

void BM_Encode(benchmark::State& state) {
  const Sample sample(state);
  const auto message = std::make_shared<const wire::WorkerMessage>(sample.message);
  for (auto _ : state) {
    grpc::ByteBuffer bytes = EncodeShared(message);
    benchmark::DoNotOptimize(bytes);
  }
  Count(state, sample);
}

void BM_Read(benchmark::State& state) {
  const Sample sample(state);
  const std::vector<absl::string_view> pieces = sample.pieces();
  const MessageLimits limits = LimitsOfChunks(sample.spec, sample.shape);
  ReceivedMessage received;
  for (auto _ : state) {
    if (!ReadMessage(pieces, limits, &received).ok()) return state.SkipWithError("not read");
    benchmark::DoNotOptimize(received);
  }
  Count(state, sample);
}

void BM_Check(benchmark::State& state) {
  const Sample sample(state);
  ReceivedMessage received;
  if (!ReadMessage(sample.pieces(), LimitsOfChunks(sample.spec, sample.shape), &received).ok())
    return state.SkipWithError("not read");
  for (auto _ : state) {
    auto view = CheckChunk(sample.spec, sample.shape, received.chunk);
    if (!view.ok()) return state.SkipWithError(std::string(view.status().message()).c_str());
    benchmark::DoNotOptimize(view);
  }
  Count(state, sample);
}

void BM_CopyIntoBatch(benchmark::State& state) {
  const Sample sample(state);
  ReceivedMessage received;
  if (!ReadMessage(sample.pieces(), LimitsOfChunks(sample.spec, sample.shape), &received).ok())
    return state.SkipWithError("not read");
  TrainingBatch batch;
  AllocateBatch(sample.spec, sample.shape, /*num_chunks=*/8, &batch);
  const auto view = ViewChunk(sample.spec, sample.shape, received.chunk);
  int block = 0;
  for (auto _ : state) {
    CopyColumns(sample.spec, sample.shape, *view, block, &batch);
    block = (block + 1) % 8;
    benchmark::ClobberMemory();
  }
  Count(state, sample);
}

// What compressing a real chunk would take. Argument: zlib's level. bytes_per_second counts what goes in, "share" is
// what comes out of it.
void BM_Deflate(benchmark::State& state) {
  const Experiment experiment =
      Must(LoadExperiment(TROUPE_SOURCE_DIR "/deploy/experiments/traffic_grid.textproto", {}));
  const std::string bytes = RecordChunk(Must(MakeRolloutPlan(experiment, FindEnvironment))).SerializeAsString();
  std::vector<unsigned char> deflated(compressBound(bytes.size()));
  uLongf size = 0;
  for (auto _ : state) {
    size = deflated.size();
    Must(compress2(deflated.data(), &size, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                   static_cast<int>(state.range(0))) == Z_OK,
         "compress2");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
  state.counters["share"] = static_cast<double>(size) / static_cast<double>(bytes.size());
}
BENCHMARK(BM_Deflate)->Arg(1)->Arg(6)->Unit(benchmark::kMillisecond);

BENCHMARK(BM_Memcpy)->Arg(90)->Arg(225);
BENCHMARK(BM_Encode)->Arg(90)->Arg(225);
BENCHMARK(BM_Read)->Arg(90)->Arg(225);
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
