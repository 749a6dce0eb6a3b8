# `cpack --config build/release/CPackConfig.cmake -B build/packages` makes Debian packages: troupe-common, troupe-worker,
# troupe-libraries, troupe-learner. Their services start when somebody asks for it (docs/packages.md).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME troupe)
set(CPACK_PACKAGE_VENDOR Troupe)
set(CPACK_PACKAGE_CONTACT "Troupe maintainers <maintainers@users.noreply.github.com>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(words "Troupe trains teams of agents: actor workers step copies of an environment and
stream what they lived through to one learner, which trains and sends new
weights back.")
set(CPACK_COMPONENTS_ALL common)
set(CPACK_DEBIAN_COMMON_PACKAGE_NAME troupe-common)
set(CPACK_DEBIAN_COMMON_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_COMMON_DESCRIPTION "multi-agent reinforcement learning: experiments and certificates
${words}
.
This package has the experiments, the maker of certificates and what starts
the services with their credentials.")
set(CPACK_DEBIAN_COMMON_PACKAGE_DEPENDS openssl)
if(TROUPE_BUILD_WORKER)
  list(APPEND CPACK_COMPONENTS_ALL worker)
  set(CPACK_DEBIAN_WORKER_PACKAGE_NAME troupe-worker)
  set(CPACK_COMPONENT_WORKER_DESCRIPTION "multi-agent reinforcement learning: actor worker
${words}
.
This package has the worker: it collects for a learner, and evaluates, replays
and runs trained actors by itself.")
  set(CPACK_DEBIAN_WORKER_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_WORKER_PACKAGE_DEPENDS "troupe-common (= ${PROJECT_VERSION})")
  list(APPEND CPACK_COMPONENTS_ALL libraries)
  set(CPACK_DEBIAN_LIBRARIES_PACKAGE_NAME troupe-libraries)
  set(CPACK_COMPONENT_LIBRARIES_DESCRIPTION "multi-agent reinforcement learning: C libraries
${words}
.
This package has trained actors and the worker's environments as libraries for
other programs, and their C headers.")
  set(CPACK_DEBIAN_LIBRARIES_PACKAGE_SECTION libs)
  set(CPACK_DEBIAN_LIBRARIES_PACKAGE_SHLIBDEPS ON)
  # What dpkg-shlibdeps reads of packages that link them, and that the linker's cache is written anew.
  set(control ${PROJECT_BINARY_DIR}/debian/libraries)
  file(CONFIGURE OUTPUT ${control}/triggers CONTENT "activate-noawait ldconfig\n")
  file(CONFIGURE OUTPUT ${control}/shlibs CONTENT "libtroupe_environments 1 troupe-libraries (>= ${PROJECT_VERSION})
libtroupe_policy 1 troupe-libraries (>= ${PROJECT_VERSION})\n")
  set(CPACK_DEBIAN_LIBRARIES_PACKAGE_CONTROL_EXTRA ${control}/triggers ${control}/shlibs)
endif()
if(TROUPE_BUILD_LEARNER)
  list(APPEND CPACK_COMPONENTS_ALL learner)
  set(CPACK_DEBIAN_LEARNER_PACKAGE_NAME troupe-learner)
  set(CPACK_COMPONENT_LEARNER_DESCRIPTION "multi-agent reinforcement learning: learner
${words}
.
This package has the learner and LibTorch's libraries for the CPU.")
  set(CPACK_DEBIAN_LEARNER_PACKAGE_SHLIBDEPS ON)
  file(GLOB_RECURSE wheel_libraries ${site_packages}/torch/lib/*.so ${site_packages}/nvidia/*/lib/*.so.*)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "")
  foreach(library IN LISTS wheel_libraries)
    get_filename_component(folder ${library} DIRECTORY)
    list(APPEND CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${folder})
  endforeach()
  list(REMOVE_DUPLICATES CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS)
  set(CPACK_DEBIAN_LEARNER_PACKAGE_DEPENDS "troupe-common (= ${PROJECT_VERSION})")
  set(CPACK_DEBIAN_LEARNER_PACKAGE_RECOMMENDS "troupe-worker (= ${PROJECT_VERSION})")
  # For troupe-gateway.service.
  set(CPACK_DEBIAN_LEARNER_PACKAGE_SUGGESTS "nginx, libnginx-mod-stream")
endif()

# What Debian wants of every package: its licence, and what changed.
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(changes ${PROJECT_BINARY_DIR}/debian/changelog-${component})
  set(package troupe-${component})
  configure_file(deploy/debian/changelog.in ${changes} @ONLY)
  execute_process(COMMAND gzip -9nkf ${changes} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${changes}.gz DESTINATION share/doc/${package} RENAME changelog.gz COMPONENT ${component})
  install(FILES deploy/debian/copyright DESTINATION share/doc/${package} COMPONENT ${component})
  if(EXISTS ${PROJECT_SOURCE_DIR}/deploy/debian/${package}.lintian-overrides)
    install(FILES deploy/debian/${package}.lintian-overrides DESTINATION share/lintian/overrides RENAME ${package}
            COMPONENT ${component})
  endif()
endforeach()
include(CPack)
