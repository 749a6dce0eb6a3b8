// What the processor can do, as far as the learner's own kernels ask. Always false off x86-64. The environment variable
// TROUPE_CPU takes instructions away, so that the paths of lesser processors can be tried and tested: "bf16" (no AMX),
// "avx512" (no AVX512_BF16 either), "avx2" (no AVX-512) or "none" (LibTorch's operators alone). It is read at every
// call.
#ifndef TROUPE_LEARNER_ARITHMETIC_HOST_CPU_FEATURES_H_
#define TROUPE_LEARNER_ARITHMETIC_HOST_CPU_FEATURES_H_

namespace troupe {

bool CpuHasAvx2();        // and FMA
bool CpuHasAvx512();      // F, BW, DQ and VL
bool CpuHasAvx512Bf16();  // and BF16
bool CpuHasAmxBf16();     // and AMX's tiles of BF16, which the first call asks the kernel for
bool CpuFavoursBf16();    // multiplies it faster than float32: Intel's AVX512_BF16 alone does not, AMD's does

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_HOST_CPU_FEATURES_H_
