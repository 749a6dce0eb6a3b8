# Which gRPC. The system's, or one that was installed with its protobuf and its Abseil into a folder of its own (gRPC's
# `cmake --install`); whatever of the three is looked for is looked for there first.
set(TROUPE_GRPC_ROOT "" CACHE PATH "Where another gRPC is installed, with its protobuf and Abseil; empty: the system's")
if(TROUPE_GRPC_ROOT)
  list(PREPEND CMAKE_PREFIX_PATH ${TROUPE_GRPC_ROOT})
  # Its own description, whose targets gRPC's names; CMake's module would find the system's library.
  find_package(Protobuf CONFIG REQUIRED)
else()
  find_package(Protobuf REQUIRED)
endif()
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
foreach(package Protobuf absl gRPC)
  if(TROUPE_GRPC_ROOT AND NOT ${package}_DIR MATCHES "^${TROUPE_GRPC_ROOT}/")
    message(FATAL_ERROR "TROUPE_GRPC_ROOT=${TROUPE_GRPC_ROOT}: ${package} is not there, ${${package}_DIR} was found")
  endif()
endforeach()
