# libtroupe_cuda.so: what needs NVIDIA's headers (learner/cuda), opened at run time by the learner. Left out, with a word,
# where the headers are not; GPUs then work without CUDA graphs.
get_filename_component(packages ${libtorch} DIRECTORY)
find_path(TROUPE_CUDA_INCLUDE cuda_runtime_api.h NO_DEFAULT_PATH
          HINTS ${packages}/nvidia/cu13/include ${packages}/nvidia/cuda_runtime/include ${libtorch}/include
                $ENV{CUDA_HOME}/include /usr/local/cuda/include)
if(NOT TROUPE_CUDA_INCLUDE OR NOT EXISTS ${libtorch}/include/ATen/cuda/CUDAGraph.h
   OR NOT EXISTS ${libtorch}/include/c10/cuda/impl/cuda_cmake_macros.h)
  message(STATUS "No headers of CUDA's runtime found: libtroupe_cuda.so (CUDA graphs) is not built")
  return()
endif()
add_library(troupe_cuda MODULE learner/cuda/step_graph.cc)
target_include_directories(troupe_cuda PRIVATE ${PROJECT_SOURCE_DIR})
target_include_directories(troupe_cuda SYSTEM PRIVATE ${TROUPE_CUDA_INCLUDE}
                           $<TARGET_PROPERTY:troupe_libtorch,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_options(troupe_cuda PRIVATE -idirafter ${PROJECT_SOURCE_DIR}/learner/cuda/headers)
# Beside the programs. Its undefined symbols are those of libtorch_cuda and libc10_cuda, loaded before it.
set_target_properties(troupe_cuda PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
add_dependencies(troupe_learner_torch troupe_cuda)
