#if defined(__AVX2__) && defined(__FMA__)
#include "learner/arithmetic/blocks/block_norm_loops.h"
#else
#include "learner/arithmetic/blocks/block_norm.h"
#endif

namespace troupe {

#if defined(__AVX2__) && defined(__FMA__)
const BlockNorm* BlockNormAvx2() { return &kNormTable<FloatSheet, OwnSlope>; }
#else
const BlockNorm* BlockNormAvx2() { return nullptr; }
#endif

}  // namespace troupe
