// What a network's outputs are trained towards: a loss as its gradient with respect to them. One file per loss; an
// arithmetic asks for it block by block on the CPU, or in LibTorch's operators on a device.
//
// Rows are as the arithmetic numbers them (arithmetic/arithmetic.h). Objects are immutable and thread-safe. No LibTorch
// types here beyond their names.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_OBJECTIVE_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_OBJECTIVE_H_

#include <array>
#include <cstdint>

namespace at {
class Tensor;
}

namespace troupe {

// Some rows in host memory. Row r's fields lie at fields + index[r] · FieldsPerRow(width), its mask (1 = allowed) at
// masks + index[r] · width; without index, index[r] = r.
struct ObjectiveRows {
  const float* outputs = nullptr;  // [rows, width]
  int64_t rows = 0;
  int64_t width = 0;
  const float* fields = nullptr;
  const uint8_t* masks = nullptr;  // null where the objective has none
  const int64_t* index = nullptr;
  // Of the rows' set, where the network has free parameters: these, and where their gradient is added up.
  const float* free = nullptr;
  float* free_gradient = nullptr;
};

class Objective {
 public:
  static constexpr int kMaxFigures = 5;
  static constexpr int kMaxScalars = 2;
  // Numbers that change from update to update; what each is, the objective says.
  using Scalars = std::array<double, kMaxScalars>;
  using Figures = std::array<double, kMaxFigures>;

  virtual ~Objective() = default;

  // Floats that a row of `width` outputs brings to the loss.
  virtual int64_t FieldsPerRow(int64_t width) const = 0;
  virtual bool has_masks() const = 0;
  // How many sums over rows it reports; the loss is not finite when one of them is not.
  virtual int num_figures() const = 0;

  // Writes the gradient [rows, width] of the loss, which is a sum over rows divided by `denominator`, adds that of the
  // free parameters to theirs, and adds to `sums` what each row contributes, not divided. Single-threaded; same
  // arguments, same bits.
  virtual void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
                    Figures* sums) const = 0;

  // The same out of LibTorch's operators, recorded once and run again with other contents. outputs and masks [S, rows,
  // width], fields [S, rows, FieldsPerRow(width)], free [S, free parameters] or undefined, denominators [S], scalars
  // [kMaxScalars]; all float32 but masks, uint8 or undefined. Returns the gradient, like outputs, writes that of the
  // free parameters, where there are some, and into `sums` [S, num_figures()], each divided by its denominator.
  virtual at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                               const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                               at::Tensor* free_gradient, at::Tensor* sums) const = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_OBJECTIVE_H_
