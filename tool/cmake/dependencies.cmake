# The libraries of deps/debian.txt as targets dep::NAME; everything from Debian 12, nothing in the tree.
find_package(PkgConfig REQUIRED)
function(dependency name package)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${package})
    add_library(dep::${name} ALIAS PkgConfig::${name})
endfunction()

dependency(openssl openssl)
dependency(cares   libcares)
dependency(yaml    yaml-0.1)
dependency(jansson jansson)
dependency(sqlite  sqlite3)
dependency(zlib    zlib)
dependency(curl    libcurl)
dependency(cminpack cminpack)

# llhttp comes as C source (Debian node-llhttp): a target of its own, without our warnings.
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp REQUIRED NO_DEFAULT_PATH)
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp REQUIRED NO_DEFAULT_PATH)
add_library(llhttp STATIC ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
target_compile_options(llhttp PRIVATE -w)
if(PLIMSOLL_SANITIZE)
    target_compile_options(llhttp PRIVATE -fsanitize=${PLIMSOLL_SANITIZE})
endif()
add_library(dep::llhttp ALIAS llhttp)

pkg_check_modules(cmocka IMPORTED_TARGET GLOBAL cmocka)
