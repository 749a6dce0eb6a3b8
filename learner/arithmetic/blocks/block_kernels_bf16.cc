#if defined(__AVX512BF16__)
#include "learner/arithmetic/blocks/block_format_bf16.h"
#else
#include "learner/arithmetic/blocks/block_kernels.h"
#endif
#include "learner/arithmetic/host/cpu_features.h"

namespace troupe {
#if defined(__AVX512BF16__)
const BlockKernels* BlockKernelsBf16() { return CpuHasAvx512Bf16() ? &Kernels<Bf16>::kTable : nullptr; }
#else
const BlockKernels* BlockKernelsBf16() { return nullptr; }
#endif
}  // namespace troupe
