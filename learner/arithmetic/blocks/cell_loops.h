// The elementwise parts of recurrent cells over rows of floats, forward and backward, compiled for several instruction
// sets and chosen when the program starts. Formulas and the order of gates: common/specs/policy_spec.h. H is `size`,
// rows are contiguous. Pure functions; single-threaded. No LibTorch here.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_CELL_LOOPS_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_CELL_LOOPS_H_

#include <cstdint>

namespace troupe::cell_loops {

// gates [rows, 3H]: in gi, out r, z and n; products [rows, 3H] is gh; state [rows, H] is replaced.
void GruForward(int64_t rows, int64_t size, const float* products, float* gates, float* state);
// slope [rows, H]: in that by the new state, out that by the old one as far as it does not pass through gh.
// candidates [rows, H] is gh's last part, before [rows, H] the old state. Writes the gradients by gi and gh, [rows,
// 3H].
void GruBackward(int64_t rows, int64_t size, const float* gates, const float* candidates, const float* before,
                 float* slope, float* input_slopes, float* product_slopes);

// gates [rows, 4H]: in gi, out i, f, g and o; products [rows, 4H] is gh; state [rows, 2H], m and c, is replaced;
// tangents [rows, H] becomes tanh(c').
void LstmForward(int64_t rows, int64_t size, const float* products, float* gates, float* tangents, float* state);
// slope [rows, 2H], by m and c: in by the new ones, out by the old ones as far as they do not pass through gh. before
// [rows, 2H] is the old state. Writes the gradient by gi, which is that by gh, [rows, 4H].
void LstmBackward(int64_t rows, int64_t size, const float* gates, const float* tangents, const float* before,
                  float* slope, float* gate_slopes);

}  // namespace troupe::cell_loops

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_CELL_LOOPS_H_
