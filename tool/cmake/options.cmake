# Warnings, sanitizers and where programs go, for every target of the house.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # the rooms are in libplimsoll too ...
set(CMAKE_C_VISIBILITY_PRESET hidden)   # ... which shows only what its header marks
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
include(GNUInstallDirs)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)

set(PLIMSOLL_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")
option(PLIMSOLL_WERROR "Warnings are errors" OFF)
option(PLIMSOLL_FUZZ "Build libFuzzer targets (needs clang)" OFF)

add_library(house_options INTERFACE)
target_compile_definitions(house_options INTERFACE _GNU_SOURCE PLIMSOLL_VERSION="${PROJECT_VERSION}")
target_compile_options(house_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
    $<$<BOOL:${PLIMSOLL_WERROR}>:-Werror>)
if(PLIMSOLL_SANITIZE)
    target_compile_options(house_options INTERFACE -fsanitize=${PLIMSOLL_SANITIZE} -fno-omit-frame-pointer
                           -fno-sanitize-recover=all)
    target_link_options(house_options INTERFACE -fsanitize=${PLIMSOLL_SANITIZE})
endif()
if(PLIMSOLL_FUZZ)
    target_compile_options(house_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_package(Threads REQUIRED)
target_link_libraries(house_options INTERFACE Threads::Threads)
