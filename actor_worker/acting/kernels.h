// The arithmetic of acting, compiled for every instruction set worth having and chosen once per process.
//
// Every output row is computed in the same order of operations whatever the number of rows, so a row's bits depend on
// its inputs and on the machine's instruction set alone: an observation acted on by itself, in a batch of 8 or by
// another thread gives equal bits.
#ifndef TROUPE_ACTOR_WORKER_ACTING_KERNELS_H_
#define TROUPE_ACTOR_WORKER_ACTING_KERNELS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

// Memory of whole cache lines, at cache line boundaries.
struct alignas(64) CacheLine {
  float values[16];
};
inline constexpr int kLineFloats = 16;

class AlignedFloats {
 public:
  void Resize(size_t floats) { lines_.assign((floats + kLineFloats - 1) / kLineFloats, CacheLine{}); }
  float* data() { return lines_.empty() ? nullptr : lines_.front().values; }
  const float* data() const { return lines_.empty() ? nullptr : lines_.front().values; }

 private:
  std::vector<CacheLine> lines_;
};

// Smallest multiple of kLineFloats that holds `size`.
constexpr int PaddedSize(int size) { return (size + kLineFloats - 1) / kLineFloats * kLineFloats; }

struct DenseLayerCall {
  const float* input = nullptr;  // [rows, inputs], rows `input_stride` floats apart
  int64_t input_stride = 0;
  int rows = 0;
  int inputs = 0;
  int padded_outputs = 0;          // a multiple of kLineFloats
  const float* weights = nullptr;  // packed by PackWeights, aligned
  const float* biases = nullptr;   // [padded_outputs], aligned
  bool relu = false;
  float* output = nullptr;  // [rows, padded_outputs], rows `output_stride` floats apart; not overlapping input
  int64_t output_stride = 0;
};

struct Kernels {
  std::string instruction_set;  // "avx512", "avx2", "baseline"
  int panel_width = 0;          // outputs that PackWeights keeps together

  // output = input · weights + biases, then max(0, ·) if relu.
  void (*dense_layer)(const DenseLayerCall& call);
  // values[i] = e^values[i], relative error below 3e-7; arguments are clamped to [-87, 88]. `count`: a multiple of
  // kLineFloats.
  void (*exponential)(float* values, int64_t count);
  // values[i] = tanh(values[i]), absolute error below 3e-7. `count`: a multiple of kLineFloats.
  void (*hyperbolic_tangent)(float* values, int64_t count);
  // output = (input − mean) / sqrt(variance + kLayerNormEpsilon) · gain + bias over `size` numbers; in place is
  // allowed.
  void (*layer_norm)(const float* input, int size, const float* gain, const float* bias, float* output);
};

// The fastest this machine can run.
const Kernels& BestKernels();
// All that this machine can run, best first; for tests.
const std::vector<Kernels>& AvailableKernels();

// Copies weights [inputs, outputs] into the order dense_layer reads them in, padded with zeros to PaddedSize(outputs):
// panels of `panel_width` outputs (the last may be half as wide), each [inputs, width].
void PackWeights(const float* weights, int inputs, int outputs, int panel_width, float* packed);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_KERNELS_H_
