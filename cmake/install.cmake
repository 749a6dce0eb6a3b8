# What `cmake --install` puts where, in four components; below the prefix:
#   lib/troupe/bin   the programs side by side, as they look for each other
#   lib/troupe/lib   LibTorch's libraries, laid out as in site-packages: they find each other
#   lib, include/troupe  the C libraries of cmake/libraries.cmake and their headers
#   bin              troupe-learner and troupe-worker, links to the programs
set(troupe_programs lib/troupe/bin)
install(DIRECTORY deploy/experiments DESTINATION share/troupe COMPONENT common)
install(PROGRAMS deploy/certificates.sh DESTINATION lib/troupe COMPONENT common)
install(PROGRAMS deploy/debian/with_credentials.sh DESTINATION lib/troupe COMPONENT common)

# A program's link in bin, its manual and its service.
function(troupe_install_service component program)
  install(CODE "
    set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin\")
    file(MAKE_DIRECTORY \${folder})
    file(CREATE_LINK ../${troupe_programs}/${program} \${folder}/troupe-${component} SYMBOLIC)" COMPONENT ${component})
  set(manual ${PROJECT_BINARY_DIR}/debian/troupe-${component}.1.gz)
  set(source ${PROJECT_SOURCE_DIR}/deploy/debian/troupe-${component}.1)
  add_custom_command(OUTPUT ${manual} COMMAND sh -c "gzip -9nc ${source} > ${manual}" DEPENDS ${source} VERBATIM)
  add_custom_target(manual_of_${component} ALL DEPENDS ${manual})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/debian)
  install(FILES ${manual} DESTINATION share/man/man1 COMPONENT ${component})
  install(FILES deploy/debian/troupe-${component}.service DESTINATION lib/systemd/system COMPONENT ${component})
  install(FILES deploy/debian/${component}.conf DESTINATION share/doc/troupe-${component}/examples
          COMPONENT ${component})
endfunction()

if(TROUPE_BUILD_WORKER)
  install(TARGETS actor_worker DESTINATION ${troupe_programs} COMPONENT worker)
  troupe_install_service(worker actor_worker)
  foreach(library policy environments)
    install(TARGETS troupe_${library} LIBRARY DESTINATION lib COMPONENT libraries)
    install(FILES actor_worker/libraries/troupe_${library}.h DESTINATION include/troupe COMPONENT libraries)
  endforeach()
endif()
# deploy/wheel, which scikit-build-core builds.
if(SKBUILD)
  install(TARGETS actor_worker DESTINATION ${SKBUILD_SCRIPTS_DIR} COMPONENT wheel)
  install(TARGETS troupe_environments LIBRARY DESTINATION ${SKBUILD_PLATLIB_DIR}/troupe/environments NAMELINK_SKIP
          COMPONENT wheel)
endif()
if(TROUPE_BUILD_LEARNER)
  set_target_properties(learner_train PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib/torch/lib")
  install(TARGETS learner learner_train DESTINATION ${troupe_programs} COMPONENT learner)
  if(TARGET troupe_cuda)
    install(TARGETS troupe_cuda DESTINATION ${troupe_programs} COMPONENT learner)
  endif()
  get_filename_component(site_packages ${libtorch} DIRECTORY)
  install(CODE "
    set(program \"$<TARGET_FILE:learner_train>\")
    set(site_packages \"${site_packages}\")
    set(folder lib/troupe/lib)
    include(\"${PROJECT_SOURCE_DIR}/cmake/install_libtorch.cmake\")" COMPONENT learner)
  troupe_install_service(learner learner)
  install(PROGRAMS deploy/gateway/gateway.sh DESTINATION lib/troupe/gateway COMPONENT learner)
  install(FILES deploy/gateway/nginx.conf.in DESTINATION lib/troupe/gateway COMPONENT learner)
  install(FILES deploy/debian/troupe-gateway.service DESTINATION lib/systemd/system COMPONENT learner)
  install(FILES deploy/debian/gateway.conf DESTINATION share/doc/troupe-learner/examples COMPONENT learner)
endif()
