// What the learner uses of LibTorch, compiled once (precompiled header): tensors and autograd. torch::nn and
// torch::optim are left out: networks are dense_stack.h, the optimiser flat_adam.h.
#ifndef TROUPE_LEARNER_TORCH_TORCH_HEADERS_H_
#define TROUPE_LEARNER_TORCH_TORCH_HEADERS_H_

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/types.h>

#endif  // TROUPE_LEARNER_TORCH_TORCH_HEADERS_H_
