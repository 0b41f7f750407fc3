# The HTTP handler, its tests and its benchmark. Included by baselines/CMakeLists.txt.

find_package(Boost 1.74 REQUIRED)

# Everything a server needs to answer HTTP; knows no architecture. One object for all servers.
add_library(baselines_handler STATIC
  ${CMAKE_CURRENT_LIST_DIR}/body_reader.cc
  ${CMAKE_CURRENT_LIST_DIR}/buffer_pool.cc
  ${CMAKE_CURRENT_LIST_DIR}/clock.cc
  ${CMAKE_CURRENT_LIST_DIR}/disk_file.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_alloc.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_bytes.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_cpu.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_disk.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_file.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_plaintext.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_proxy.cc
  ${CMAKE_CURRENT_LIST_DIR}/file.cc
  ${CMAKE_CURRENT_LIST_DIR}/file_cache.cc
  ${CMAKE_CURRENT_LIST_DIR}/head_scanner.cc
  ${CMAKE_CURRENT_LIST_DIR}/http.cc
  ${CMAKE_CURRENT_LIST_DIR}/http_date.cc
  ${CMAKE_CURRENT_LIST_DIR}/job.cc
  ${CMAKE_CURRENT_LIST_DIR}/limits.cc
  ${CMAKE_CURRENT_LIST_DIR}/log.cc
  ${CMAKE_CURRENT_LIST_DIR}/origin.cc
  ${CMAKE_CURRENT_LIST_DIR}/output.cc
  ${CMAKE_CURRENT_LIST_DIR}/request.cc
  ${CMAKE_CURRENT_LIST_DIR}/routes.cc
  ${CMAKE_CURRENT_LIST_DIR}/site.cc
  ${CMAKE_CURRENT_LIST_DIR}/status.cc
  ${CMAKE_CURRENT_LIST_DIR}/upstream_answer.cc)
target_include_directories(baselines_handler PUBLIC ${CMAKE_CURRENT_LIST_DIR}/../..)
target_link_libraries(baselines_handler PUBLIC Threads::Threads
                                        PRIVATE project_warnings Boost::headers)

set(handler_tests ${CMAKE_CURRENT_LIST_DIR}/../tests)

add_executable(handler_test
  ${handler_tests}/handler_answers.cc
  ${handler_tests}/handler_bodies.cc
  ${handler_tests}/handler_disk.cc
  ${handler_tests}/handler_files.cc
  ${handler_tests}/handler_goodbyes.cc
  ${handler_tests}/handler_jobs.cc
  ${handler_tests}/handler_memory.cc
  ${handler_tests}/handler_mutations.cc
  ${handler_tests}/handler_output.cc
  ${handler_tests}/handler_refusals.cc
  ${handler_tests}/handler_splits.cc
  ${handler_tests}/handler_time.cc
  ${handler_tests}/handler_upstream.cc
  ${handler_tests}/fuzz_handler.cc)
target_link_libraries(handler_test PRIVATE baselines_handler project_warnings GTest::gtest_main)
target_compile_definitions(handler_test PRIVATE HANDLER_CORPUS="${handler_tests}/corpus/handler")
include(GoogleTest)
gtest_discover_tests(handler_test TEST_PREFIX handler. PROPERTIES LABELS handler TIMEOUT 60)

# What the handler costs, without system calls. Not a test: run it by hand on a quiet machine.
find_package(benchmark QUIET)
if(benchmark_FOUND)
  add_executable(bench_handler ${handler_tests}/bench_handler.cc)
  target_compile_definitions(bench_handler PRIVATE BENCH_DOCROOT="${CMAKE_CURRENT_LIST_DIR}")
  target_link_libraries(bench_handler PRIVATE baselines_handler project_warnings
                                              benchmark::benchmark)
endif()

# The same properties, driven by coverage: clang only, when asked for with -DHANDLER_FUZZER=ON and
# -fsanitize=fuzzer-no-link in the flags of everything. scripts/fuzz does all of it.
option(HANDLER_FUZZER "build fuzz_handler and fuzz_upstream (clang)" OFF)
if(HANDLER_FUZZER)
  foreach(subject handler upstream)
    add_executable(fuzz_${subject} ${handler_tests}/fuzz_${subject}.cc)
    target_link_libraries(fuzz_${subject} PRIVATE baselines_handler project_warnings)
    target_link_options(fuzz_${subject} PRIVATE -fsanitize=fuzzer)
  endforeach()
endif()
