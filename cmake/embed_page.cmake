# cmake -DFOLDER=… -DSCRIPTS=a.js,b.js -DOUTPUT=page_template.cc -P embed_page.cmake: FOLDER's page.html, page.css and
# scripts as one string of C++. Brackets and semicolons keep their meaning, for nothing is treated as a list.
file(READ ${FOLDER}/page.html page)
file(READ ${FOLDER}/page.css style)
set(scripts "")
string(REPLACE "," ";" names "${SCRIPTS}")
foreach(name IN LISTS names)
  file(READ ${FOLDER}/${name} script)
  string(APPEND scripts "${script}")
endforeach()
string(REPLACE "/*STYLE*/" "${style}" page "${page}")
string(REPLACE "/*SCRIPTS*/" "${scripts}" page "${page}")
file(WRITE ${OUTPUT} "#include \"actor_worker/replay_page/page_template.h\"\n\nnamespace troupe {\n\n"
     "absl::string_view PageTemplate() {\n  static constexpr char kPage[] = R\"troupe(")
file(APPEND ${OUTPUT} "${page}")
file(APPEND ${OUTPUT} ")troupe\";\n  return {kPage, sizeof kPage - 1};\n}\n\n}  // namespace troupe\n")
