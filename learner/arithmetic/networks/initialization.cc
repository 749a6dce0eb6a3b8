#include <algorithm>
#include <cmath>
#include <string>

#include "common/base/random.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

// Orthonormal columns ([rows, columns], rows >= columns) by modified Gram–Schmidt, twice, of a Gaussian matrix; that is
// its QR decomposition with a positive diagonal, hence uniformly distributed.
std::vector<double> OrthonormalColumns(int64_t rows, int64_t columns, RandomStream* random) {
  std::vector<double> transposed(rows * columns);  // [columns, rows]
  for (double& value : transposed) value = random->Normal();
  for (int64_t c = 0; c < columns; ++c) {
    double* column = transposed.data() + c * rows;
    for (int64_t pass = 0; pass < 2; ++pass) {
      for (int64_t earlier = 0; earlier < c; ++earlier) {
        const double* other = transposed.data() + earlier * rows;
        double dot = 0;
        for (int64_t r = 0; r < rows; ++r) dot += column[r] * other[r];
        for (int64_t r = 0; r < rows; ++r) column[r] -= dot * other[r];
      }
    }
    double squares = 0;
    for (int64_t r = 0; r < rows; ++r) squares += column[r] * column[r];
    const double scale = 1.0 / std::sqrt(squares);
    for (int64_t r = 0; r < rows; ++r) column[r] *= scale;
  }
  return transposed;
}

void FillWeight(int64_t inputs, int64_t outputs, bool orthogonal, double gain, RandomStream* random, float* weight) {
  if (!orthogonal) {
    const double bound = gain * std::sqrt(3.0 / static_cast<double>(inputs));
    for (int64_t i = 0; i < inputs * outputs; ++i) {
      weight[i] = static_cast<float>((2.0 * random->UniformDouble() - 1.0) * bound);
    }
    return;
  }
  const bool tall = inputs >= outputs;
  const int64_t rows = tall ? inputs : outputs, columns = tall ? outputs : inputs;
  const std::vector<double> transposed = OrthonormalColumns(rows, columns, random);
  for (int64_t i = 0; i < inputs; ++i) {
    for (int64_t o = 0; o < outputs; ++o) {
      weight[i * outputs + o] = static_cast<float>(gain * (tall ? transposed[o * rows + i] : transposed[i * rows + o]));
    }
  }
}

// Whether no activation of the hidden layers' follows the product of this weight, which is not the last.
bool IsLinear(const std::string& name) {
  return name.starts_with("cell.") || name == "message.weight" || name.starts_with("embeddings.") ||
         (name.starts_with("attention.") && !name.ends_with("feed_weight"));
}

}  // namespace

std::vector<float> InitialParameters(const DenseStackSpec& spec, uint64_t key) {
  const double hidden_gain = spec.activation == Activation::kRelu ? std::sqrt(2.0) : 5.0 / 3.0;
  std::vector<float> values;
  uint64_t stream = 0;
  for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
    int64_t count = 1;
    for (const int64_t size : parameter.shape) count *= size;
    const size_t start = values.size();
    values.resize(start + count, parameter.name.ends_with(".gain") ? 1.0f : 0.0f);
    ++stream;
    // An LSTM forgets little at first.
    if (parameter.name == "cell.input_bias" && spec.cell == Cell::kLstm) {
      for (int set = 0; set < spec.num_sets; ++set) {
        const auto gates = values.begin() + static_cast<int64_t>(start) + int64_t{4} * set * spec.recurrent_size;
        std::fill_n(gates + spec.recurrent_size, spec.recurrent_size, 1.0f);
      }
    }
    if (!parameter.name.ends_with("weight")) continue;
    const int64_t inputs = parameter.shape[1], outputs = parameter.shape[2];
    for (int64_t set = 0; set < parameter.shape[0]; ++set) {
      RandomStream random(MixKey({key, stream}), static_cast<uint64_t>(set));
      const double gain = parameter.name == "output.weight" ? spec.output_gain
                          : IsLinear(parameter.name)        ? 1.0
                                                            : hidden_gain;
      FillWeight(inputs, outputs, spec.orthogonal_init, gain, &random, values.data() + start + set * inputs * outputs);
    }
  }
  return values;
}

}  // namespace troupe
