#if defined(__AVX512F__)
#include "learner/arithmetic/blocks/block_norm_loops.h"
#else
#include "learner/arithmetic/blocks/block_norm.h"
#endif

namespace troupe {

#if defined(__AVX512F__)
const BlockNorm* BlockNormAvx512() { return &kNormTable<FloatSheet, NotedSlope>; }
const BlockNorm* BlockNormBf16() { return &kNormTable<Bf16Sheet, NotedSlope>; }
#else
const BlockNorm* BlockNormAvx512() { return nullptr; }
const BlockNorm* BlockNormBf16() { return nullptr; }
#endif

}  // namespace troupe
