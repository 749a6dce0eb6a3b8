# The replay page's HTML, style and scripts as a source of troupe_worker.
set(page_folder ${PROJECT_SOURCE_DIR}/actor_worker/replay_page/page)
set(page_scripts recording.js theme.js scene_view.js observation_view.js agent_table.js charts.js player_card.js
                 transport.js main.js)
set(page_files ${page_folder}/page.html ${page_folder}/page.css)
foreach(script IN LISTS page_scripts)
  list(APPEND page_files ${page_folder}/${script})
endforeach()
string(REPLACE ";" "," page_script_names "${page_scripts}")
set(page_source ${PROJECT_BINARY_DIR}/page_template.cc)
add_custom_command(OUTPUT ${page_source}
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${page_folder} -DSCRIPTS=${page_script_names} -DOUTPUT=${page_source}
          -P ${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake
  DEPENDS ${page_files} ${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake VERBATIM)
target_sources(troupe_worker PRIVATE ${page_source})
