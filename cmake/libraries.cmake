# libtroupe_policy and libtroupe_environments: what the worker acts with and steps, for other programs and languages by
# the C headers in actor_worker/libraries. Their sources are compiled once more, position-independent, with everything
# hidden but those headers' functions.
#
# troupe_c_library(NAME SOURCES glob… [EXCEPT regex] [LINK library…])
function(troupe_c_library name)
  cmake_parse_arguments(LIB "" "EXCEPT" "SOURCES;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${LIB_SOURCES})
  if(LIB_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "${LIB_EXCEPT}")
  endif()
  add_library(${name} SHARED ${sources})
  # Headers of specs name enumerations of settings: of protobuf, headers and nothing more.
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_include_directories(${name} SYSTEM PRIVATE ${generated_dir})
  add_dependencies(${name} troupe_proto)
  troupe_precompile(${name})
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
  target_link_libraries(${name} PRIVATE absl::status absl::statusor absl::strings absl::str_format absl::span ${LIB_LINK})
  target_link_options(${name} PRIVATE -Wl,--gc-sections -Wl,--as-needed
                      -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/libraries.map)
  if(NOT TROUPE_SANITIZER)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON SOVERSION 1
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
endfunction()

set(library_specs common/specs/agent_group_json.cc common/specs/environment_spec.cc common/specs/neighbours.cc
    common/config/settings_reader.cc common/base/finite.cc common/base/random.cc)
troupe_c_library(troupe_policy SOURCES ${library_specs}
  actor_worker/libraries/policy_library.cc actor_worker/acting/*.cc
  common/base/host_tensor.cc common/base/policy_snapshot.cc
  common/files/atomic_file.cc common/files/crc32c.cc common/files/metadata.cc common/files/safetensors.cc
  common/files/snapshot_scalars.cc
  common/specs/bounds_text.cc common/specs/distribution_spec.cc
  common/specs/option_policies.cc common/specs/policy_spec.cc common/specs/policy_spec_json.cc
  common/specs/saved_policies.cc
  EXCEPT "/acting/(actor_team|fit_policies|policy_store|saved_actors)")
# Without those that start processes of their own.
troupe_c_library(troupe_environments SOURCES ${library_specs}
  actor_worker/libraries/environments_library.cc actor_worker/libraries/environment_copies.cc
  common/specs/environment_spec_json.cc
  actor_worker/libraries/other_environments.cc actor_worker/environments/*.cc
  EXCEPT "/environments/(external|traffic/sumo)/|/environments/(same_spaces|vector_environment)")
