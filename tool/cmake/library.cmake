# libplimsoll: a shared library of room lib and all below it. Only what include/plimsoll/ marks is
# visible. Installed with its header, a pkg-config file, and a name that carries the version:
# before 1.0 each minor version is a name of its own, as it may break programs.
target_include_directories(room_lib PUBLIC ${CMAKE_SOURCE_DIR}/include)
file(WRITE ${CMAKE_BINARY_DIR}/plimsoll_library.c "typedef int plimsoll_library_is_its_rooms;\n")
add_library(plimsoll_library SHARED ${CMAKE_BINARY_DIR}/plimsoll_library.c)
set_target_properties(plimsoll_library PROPERTIES
    OUTPUT_NAME plimsoll
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
get_property(below GLOBAL PROPERTY room_below_lib)
list(TRANSFORM below PREPEND room_)
list(REVERSE below) # the linker looks for what a room calls in what follows it
target_link_libraries(plimsoll_library PRIVATE house_options
    "-Wl,--whole-archive" room_lib "-Wl,--no-whole-archive" ${below})

install(TARGETS plimsoll_library LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/plimsoll DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# The paths in the file are beside it, so that an installation may be moved.
file(RELATIVE_PATH include_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(${CMAKE_SOURCE_DIR}/tool/cmake/plimsoll.pc.in ${CMAKE_BINARY_DIR}/plimsoll.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/plimsoll.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
