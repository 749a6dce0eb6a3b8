# troupe_libtorch: LibTorch's CPU libraries, from the wheel that deploy/setup.sh installs or from TROUPE_LIBTORCH.
#
# Only libtorch_cpu and libc10 are linked; libtorch.so would drag CUDA in. libtorch_cuda is loaded at run time.
# The headers are reached through a folder of links that leaves out what hides the system's own: the wheel carries an
# old protobuf and a newer oneDNN.
if(NOT TROUPE_BUILD_LEARNER)
  return()
endif()
set(TROUPE_LIBTORCH "" CACHE PATH "LibTorch's folder (the one with include/ and lib/); default: the wheel in .deps")
set(libtorch ${TROUPE_LIBTORCH})
if(NOT libtorch)
  file(GLOB libtorch ${PROJECT_SOURCE_DIR}/.deps/python/lib/python3*/site-packages/torch)
endif()
if(NOT EXISTS "${libtorch}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch not found: run deploy/setup.sh, or pass -DTROUPE_LIBTORCH=FOLDER")
endif()
# What `learner --version` says.
file(STRINGS ${libtorch}/include/torch/headeronly/version.h parts REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
list(TRANSFORM parts REPLACE ".* " "")
list(JOIN parts "." TROUPE_LIBTORCH_VERSION)

set(links ${CMAKE_BINARY_DIR}/libtorch_include)
if(NOT EXISTS ${links}/torch)
  file(MAKE_DIRECTORY ${links})
  file(GLOB entries ${libtorch}/include/*)
  foreach(entry ${entries})
    get_filename_component(name ${entry} NAME)
    if(NOT name MATCHES "^(google|absl|grpc.*|dnnl.*|oneapi)$")
      file(CREATE_LINK ${entry} ${links}/${name} SYMBOLIC)
    endif()
  endforeach()
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(troupe_libtorch INTERFACE)
target_include_directories(troupe_libtorch SYSTEM INTERFACE ${links} ${links}/torch/csrc/api/include)
target_link_libraries(troupe_libtorch INTERFACE ${libtorch}/lib/libtorch_cpu.so ${libtorch}/lib/libc10.so dl)
# By flag: the imported target names the compiler's own libgomp by path, which the wheel's would hide.
target_compile_options(troupe_libtorch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${OpenMP_CXX_FLAGS}>)
target_link_options(troupe_libtorch INTERFACE ${OpenMP_CXX_FLAGS})
target_link_options(troupe_libtorch INTERFACE -Wl,-rpath,${libtorch}/lib)

find_library(JEMALLOC jemalloc)
# LibTorch's large temporaries are freed and faulted back every step unless the allocator keeps them: see learner/allocator.cc.
function(troupe_use_learner_allocator target)
  if(JEMALLOC AND NOT TROUPE_SANITIZER)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/learner/allocator.cc)
    target_link_libraries(${target} PRIVATE ${JEMALLOC})
  endif()
endfunction()
