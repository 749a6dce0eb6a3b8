# The files that are compiled for more than the least processor; what they hold is chosen at run time
# (learner/arithmetic/host/cpu_features.h).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx512 -O3 -mfma -mavx512f -mavx512bw -mavx512dq -mavx512vl)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND avx512 -Wno-maybe-uninitialized)  # GCC 12 says so of its own intrinsics
  endif()
  set_source_files_properties(learner/arithmetic/blocks/block_kernels_avx2.cc PROPERTIES
                              COMPILE_OPTIONS "-O3;-mfma;-mavx2" SKIP_PRECOMPILE_HEADERS ON)
  set_source_files_properties(learner/arithmetic/blocks/block_kernels_f32.cc PROPERTIES
                              COMPILE_OPTIONS "${avx512}" SKIP_PRECOMPILE_HEADERS ON)
  set_source_files_properties(learner/arithmetic/blocks/block_kernels_bf16.cc PROPERTIES
                              COMPILE_OPTIONS "${avx512};-mavx512bf16" SKIP_PRECOMPILE_HEADERS ON)
  set_source_files_properties(learner/arithmetic/blocks/block_kernels_amx.cc PROPERTIES
                              COMPILE_OPTIONS "${avx512};-mavx512bf16;-mamx-tile;-mamx-bf16" SKIP_PRECOMPILE_HEADERS ON)
  # A product and what is added to it are one rounding in both, so that they give the same bits.
  set(norm -ffp-contract=fast -fno-math-errno)
  set_source_files_properties(learner/arithmetic/blocks/block_norm_avx2.cc PROPERTIES
                              COMPILE_OPTIONS "-O3;-mfma;-mavx2;${norm}" SKIP_PRECOMPILE_HEADERS ON)
  set_source_files_properties(learner/arithmetic/blocks/block_norm_avx512.cc PROPERTIES
                              COMPILE_OPTIONS "${avx512};${norm}" SKIP_PRECOMPILE_HEADERS ON)
endif()
# Loops that the compiler is to spread over vectors (learner/arithmetic/host/vector_functions.h).
set_source_files_properties(learner/arithmetic/host/vector_math.cc learner/arithmetic/objectives/loss_rows.cc
                            learner/arithmetic/blocks/cell_loops.cc learner/arithmetic/objectives/gaussian_rows.cc PROPERTIES
                            COMPILE_OPTIONS "-O3;-fno-math-errno;-fno-trapping-math" SKIP_PRECOMPILE_HEADERS ON)
