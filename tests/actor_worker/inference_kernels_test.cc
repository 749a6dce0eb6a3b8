#include <cmath>

#include "actor_worker/acting/kernels.h"
#include "common/base/random.h"
#include "common/specs/policy_spec.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

class KernelsTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (GetParam() >= int(AvailableKernels().size())) GTEST_SKIP() << "not on this machine";
  }
  const Kernels& kernels() const { return AvailableKernels()[GetParam()]; }
};

TEST_P(KernelsTest, DenseLayerEqualsTheDefinitionForEveryTileAndPanelRemainder) {
  for (const int rows : {1, 2, 3, 5, 8, 13, 31}) {
    for (const int outputs : {1, 4, 16, 17, 40, 64, 80}) {
      const int inputs = 19, stride = 23, padded = PaddedSize(outputs);
      RandomStream random(MixKey({uint64_t(rows), uint64_t(outputs)}));
      std::vector<float> input(rows * stride), weights(inputs * outputs);
      for (float& v : input) v = float(random.Normal());
      for (float& v : weights) v = float(random.Normal());
      AlignedFloats packed, biases, output;
      packed.Resize(inputs * padded);
      biases.Resize(padded);
      output.Resize(rows * padded);
      for (int n = 0; n < outputs; ++n) biases.data()[n] = float(random.Normal());
      PackWeights(weights.data(), inputs, outputs, kernels().panel_width, packed.data());
      for (const bool relu : {false, true}) {
        kernels().dense_layer(
            {input.data(), stride, rows, inputs, padded, packed.data(), biases.data(), relu, output.data(), padded});
        for (int r = 0; r < rows; ++r) {
          for (int n = 0; n < padded; ++n) {
            double expected = biases.data()[n];
            for (int k = 0; k < inputs && n < outputs; ++k)
              expected += double(input[r * stride + k]) * weights[k * outputs + n];
            if (relu) expected = std::max(expected, 0.0);
            ASSERT_NEAR(output.data()[r * padded + n], expected, 1e-5)
                << rows << "x" << outputs << " at " << r << "," << n;
          }
        }
      }
    }
  }
}

TEST_P(KernelsTest, ExponentialIsWithinThreeTenMillionths) {
  AlignedFloats values;
  values.Resize(16);
  for (float x = -86.9f; x < 87.9f; x += 0.0173f) {
    values.data()[3] = x;
    kernels().exponential(values.data(), 16);
    ASSERT_NEAR(values.data()[3] / std::exp(double(x)), 1.0, 3e-7) << x;
  }
  values.data()[0] = -1e10f;
  values.data()[1] = 0.0f;
  kernels().exponential(values.data(), 16);
  EXPECT_LT(values.data()[0], 2e-38f);
  EXPECT_EQ(values.data()[1], 1.0f);
}

TEST_P(KernelsTest, HyperbolicTangentIsWithinThreeTenMillionths) {
  AlignedFloats values;
  values.Resize(16);
  for (float x = -20.0f; x < 20.0f; x += 0.00371f) {
    values.data()[7] = x;
    kernels().hyperbolic_tangent(values.data(), 16);
    ASSERT_NEAR(values.data()[7], std::tanh(double(x)), 3e-7) << x;
  }
}

TEST_P(KernelsTest, LayerNormEqualsTheDefinition) {
  for (const int size : {1, 3, 17, 64, 155}) {
    RandomStream random(size);
    std::vector<float> input(size), gain(size), bias(size), output(size);
    for (int i = 0; i < size; ++i) {
      input[i] = float(3 + 2 * random.Normal());
      gain[i] = float(random.Normal());
      bias[i] = float(random.Normal());
    }
    kernels().layer_norm(input.data(), size, gain.data(), bias.data(), output.data());
    double mean = 0, variance = 0;
    for (const float v : input) mean += v / double(size);
    for (const float v : input) variance += (v - mean) * (v - mean) / size;
    for (int i = 0; i < size; ++i) {
      const double expected = (input[i] - mean) / std::sqrt(variance + kLayerNormEpsilon) * gain[i] + bias[i];
      EXPECT_NEAR(output[i], expected, 2e-5) << size << " at " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, KernelsTest, testing::Values(0, 1, 2));

}  // namespace
}  // namespace troupe
