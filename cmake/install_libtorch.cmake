# Run while installing: the libraries that `program` needs from wheels below `site_packages` go to the prefix's `folder`,
# laid out as there, without symbols that nothing links.
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${program}
     RESOLVED_DEPENDENCIES_VAR needed UNRESOLVED_DEPENDENCIES_VAR missing CONFLICTING_DEPENDENCIES_PREFIX conflict
     POST_EXCLUDE_REGEXES "^/lib/" "^/usr/lib/")
if(missing)
  message(FATAL_ERROR "libraries that ${program} needs and that are not found: ${missing}")
endif()
foreach(library IN LISTS needed)
  if(NOT library MATCHES "/site-packages/(.*)/[^/]+$")
    continue()
  endif()
  set(place "${CMAKE_INSTALL_PREFIX}/${folder}/${CMAKE_MATCH_1}")
  file(INSTALL ${library} DESTINATION "${place}" FOLLOW_SYMLINK_CHAIN)
  get_filename_component(name ${library} NAME)
  execute_process(COMMAND strip --strip-unneeded "$ENV{DESTDIR}${place}/${name}" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND chmod 644 "$ENV{DESTDIR}${place}/${name}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
# Where the wheel was at build time, a flag of the linker that installing does not know of.
file(RPATH_SET FILE "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${folder}/../bin/learner_train"
     NEW_RPATH "\$ORIGIN/../lib/torch/lib")
