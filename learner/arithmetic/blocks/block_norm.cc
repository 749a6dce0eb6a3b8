#include "learner/arithmetic/blocks/block_norm.h"

namespace troupe {

const BlockNorm* BlockNormOf(const BlockKernels* kernels) {
  if (kernels->row_words != 0) return BlockNormBf16();
  return kernels == BlockKernelsF32Avx2() ? BlockNormAvx2() : BlockNormAvx512();
}

}  // namespace troupe
