// NVIDIA's header of this name comes with its compiler, not with the runtime's headers that PyPI's wheel holds. For a
// C++ compiler there is nothing to configure.
#ifndef TROUPE_LEARNER_CUDA_HEADERS_CRT_HOST_CONFIG_H_
#define TROUPE_LEARNER_CUDA_HEADERS_CRT_HOST_CONFIG_H_
#endif  // TROUPE_LEARNER_CUDA_HEADERS_CRT_HOST_CONFIG_H_
