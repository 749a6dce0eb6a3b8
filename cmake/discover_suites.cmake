# After a test program is linked: writes OUTPUT, a file for ctest with a test for each suite of PROGRAM, started by RUN.
# A case each, as gtest_discover_tests does it, would start the programs three thousand times, most of them to load
# LibTorch for a millisecond's work.
#
#   cmake -DPROGRAM=… -DRUN=… -DOUTPUT=… -DPROPERTIES=name;value;… -P discover_suites.cmake
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed RESULT_VARIABLE status TIMEOUT 60)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --gtest_list_tests: ${status}")
endif()
# Suites stand at the beginning of their lines, "Registry/EveryPair." or "Typed/0.  # TypeParam = float".
string(REGEX MATCHALL "(^|\n)[A-Za-z_][A-Za-z0-9_/]*\\." suites "${listed}")
set(text "")
foreach(suite ${suites})
  string(REGEX REPLACE "^\n|\\.$" "" suite ${suite})
  string(APPEND text "add_test([=[${suite}]=] [=[${RUN}]=] [=[${PROGRAM}]=] [=[--gtest_filter=${suite}.*]=])\n")
  string(APPEND text "set_tests_properties([=[${suite}]=] PROPERTIES SKIP_RETURN_CODE 77")
  foreach(word ${PROPERTIES})
    string(APPEND text " [=[${word}]=]")
  endforeach()
  string(APPEND text ")\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
