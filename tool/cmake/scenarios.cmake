# The shipped scenarios: example/scenario/*.yaml as arrays, and the table of them that room `lib`
# reads (src/lib/scenario_table.h). Sorted by name, as GLOB gives them.
file(GLOB scenario_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/example/scenario/*.yaml)
set(folder ${CMAKE_BINARY_DIR}/scenario)
file(MAKE_DIRECTORY ${folder})
set(declared "")
set(rows "")
set(arrays "")
foreach(file IN LISTS scenario_files)
    get_filename_component(name ${file} NAME_WE)
    string(MAKE_C_IDENTIFIER "scenario_${name}" array)
    add_custom_command(
        OUTPUT ${folder}/${array}.c
        DEPENDS embed ${file}
        COMMAND embed ${array} ${file} ${folder}/${array}.c
        COMMENT "Embedding the scenario ${name}" VERBATIM)
    list(APPEND arrays ${folder}/${array}.c)
    string(APPEND declared "extern const unsigned char ${array}[];\n")
    string(APPEND rows "    {\"${name}\", (const char *)${array}},\n")
endforeach()
list(LENGTH scenario_files scenario_count)
file(CONFIGURE OUTPUT ${folder}/scenario_table.c CONTENT
"/* Made by tool/cmake/scenarios.cmake. */
#include \"lib/scenario_table.h\"

${declared}
const struct scenario scenario_table[] = {
${rows}};
const size_t scenario_table_count = ${scenario_count};
")
target_sources(room_lib PRIVATE ${folder}/scenario_table.c ${arrays})
