// NVIDIA's header of this name comes with its compiler, not with the runtime's headers that PyPI's wheel holds. Here
// are the names from it that those use, as GCC and Clang take them in host code. Found only where NVIDIA's own is not.
#ifndef TROUPE_LEARNER_CUDA_HEADERS_CRT_HOST_DEFINES_H_
#define TROUPE_LEARNER_CUDA_HEADERS_CRT_HOST_DEFINES_H_

#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __align__(n)
#define __host__
#define __device__
#define __global__
#define __shared__
#define __constant__
#define __managed__
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __cudart_builtin__
#define __location__(a)
#define __specialization_static
#define __no_return__ __attribute__((noreturn))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define CUDARTAPI
#define CUDARTAPI_CDECL

#endif  // TROUPE_LEARNER_CUDA_HEADERS_CRT_HOST_DEFINES_H_
