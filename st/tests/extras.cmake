# Tests of what is around the library: st.hpp, the examples, the documents, gdb, the installation.
# Included by st/CMakeLists.txt.
find_package(GTest REQUIRED)
include(GoogleTest)
find_package(Python3 COMPONENTS Interpreter REQUIRED)

set(ST_EXTRAS_DIR ${CMAKE_CURRENT_LIST_DIR})
cmake_path(GET ST_EXTRAS_DIR PARENT_PATH ST_ROOT_DIR)
set(ST_STRICT -Wall -Wextra -Wconversion -Wshadow -Werror)

add_executable(st_hpp_tests
  ${ST_EXTRAS_DIR}/hpp_beside_internals.cc
  ${ST_EXTRAS_DIR}/hpp_net.cc
  ${ST_EXTRAS_DIR}/hpp_offload.cc
  ${ST_EXTRAS_DIR}/hpp_sync.cc
  ${ST_EXTRAS_DIR}/hpp_threads.cc
  ${ST_EXTRAS_DIR}/isolated.cc
  ${ST_EXTRAS_DIR}/support.cc)
target_include_directories(st_hpp_tests PRIVATE ${ST_EXTRAS_DIR} ${ST_ROOT_DIR}/src)
# The second because the tests see the library's own structures.
target_compile_definitions(st_hpp_tests PRIVATE _GNU_SOURCE $<$<STREQUAL:${ST_CONTEXT},ucontext>:ST_CONTEXT_UCONTEXT>)
target_compile_options(st_hpp_tests PRIVATE -Wall -Wextra -Wshadow -Werror)
target_link_libraries(st_hpp_tests PRIVATE st_static GTest::gtest GTest::gtest_main Threads::Threads)
gtest_discover_tests(st_hpp_tests TEST_PREFIX st. PROPERTIES TIMEOUT 120)

# Every example is built like a user's program, with all warnings, and run by one test.
set(ST_EXAMPLE_TARGETS)
file(GLOB examples CONFIGURE_DEPENDS ${ST_ROOT_DIR}/examples/*.c ${ST_ROOT_DIR}/examples/*.cc)
foreach(source ${examples})
  cmake_path(GET source FILENAME name)
  string(REPLACE . _ name ${name})  # echo.c and echo.cc are two
  set(target st_example_${name})
  add_executable(${target} ${source})
  set_target_properties(${target} PROPERTIES C_STANDARD 11 RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/st_examples)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE ${ST_STRICT})
  target_link_libraries(${target} PRIVATE st_static)
  list(APPEND ST_EXAMPLE_TARGETS ${target})
endforeach()
add_test(NAME st.examples COMMAND Python3::Interpreter ${ST_EXTRAS_DIR}/examples_test.py
                                  ${CMAKE_CURRENT_BINARY_DIR}/st_examples ${ST_ROOT_DIR}/examples)
set_tests_properties(st.examples PROPERTIES TIMEOUT 120)

# Blocks of code in the documents compile, and the reference says what the header says.
add_test(NAME st.docs COMMAND Python3::Interpreter ${ST_EXTRAS_DIR}/docs_test.py ${ST_ROOT_DIR} ${CMAKE_C_COMPILER}
                              ${CMAKE_CXX_COMPILER})
set_tests_properties(st.docs PROPERTIES TIMEOUT 240)

# gdb, on the static and on the shared library. Sanitizers have their own ideas about stacks.
if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
  foreach(kind static shared)
    add_executable(st_gdb_program_${kind} ${ST_EXTRAS_DIR}/gdb_program.c)
    target_compile_options(st_gdb_program_${kind} PRIVATE -g -O1 -Wall -Wextra -Werror)
    target_link_libraries(st_gdb_program_${kind} PRIVATE st_${kind})
    add_test(NAME st.gdb.${kind} COMMAND Python3::Interpreter ${ST_EXTRAS_DIR}/gdb_test.py
                                         $<TARGET_FILE:st_gdb_program_${kind}> ${ST_ROOT_DIR}/debug/st-gdb.py)
    set_tests_properties(st.gdb.${kind} PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
  endforeach()
endif()

# Installed in a temporary place, found by CMake and pkg-config, and used from C and C++.
add_test(NAME st.install COMMAND ${ST_EXTRAS_DIR}/install_test.sh ${ST_ROOT_DIR} ${CMAKE_C_COMPILER} ${CMAKE_CXX_COMPILER})
set_tests_properties(st.install PROPERTIES TIMEOUT 300)
