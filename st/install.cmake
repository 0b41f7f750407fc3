# What `cmake --install` puts where: headers, libraries, and how CMake, pkg-config and gdb find them.
# Included by st/CMakeLists.txt.
include(CMakePackageConfigHelpers)

set(ST_INSTALL_SOURCE_DIR ${CMAKE_CURRENT_LIST_DIR})
set(ST_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/st)

install(FILES ${ST_INSTALL_SOURCE_DIR}/include/st.h ${ST_INSTALL_SOURCE_DIR}/include/st.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(DIRECTORY ${ST_INSTALL_SOURCE_DIR}/include/st DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(TARGETS st_shared st_static EXPORT stTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# find_package(st 1.9): st::shared, st::static, and st::st, which is one of them.
install(EXPORT stTargets NAMESPACE st:: DESTINATION ${ST_CMAKE_DIR} COMPONENT development)
configure_package_config_file(${ST_INSTALL_SOURCE_DIR}/cmake/stConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/stConfig.cmake
                              INSTALL_DESTINATION ${ST_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/stConfigVersion.cmake VERSION 1.9 COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/stConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/stConfigVersion.cmake
        DESTINATION ${ST_CMAKE_DIR} COMPONENT development)

# st.pc says where it lies itself, so that `cmake --install --prefix` may choose another place.
set(ST_PC_DIR ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH ST_PC_TO_PREFIX ${ST_PC_DIR} ${CMAKE_INSTALL_PREFIX})
set(ST_PC_PRIVATE_LIBS -pthread)
if(ST_HAVE_IO_URING)
  string(APPEND ST_PC_PRIVATE_LIBS " -luring")
endif()
configure_file(${ST_INSTALL_SOURCE_DIR}/cmake/st.pc.in ${CMAKE_CURRENT_BINARY_DIR}/st.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/st.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# gdb loads the second by itself with the shared library, where its data directory is below the same prefix; programs that
# contain the library need `source` of the first.
install(FILES ${ST_INSTALL_SOURCE_DIR}/debug/st-gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/st COMPONENT development)
install(FILES ${ST_INSTALL_SOURCE_DIR}/debug/st-gdb.py
        DESTINATION ${CMAKE_INSTALL_DATADIR}/gdb/auto-load/${CMAKE_INSTALL_FULL_LIBDIR}
        RENAME libst.so.1.9-gdb.py COMPONENT development)
