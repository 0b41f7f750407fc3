# The HTTP handler, its tests and its benchmark. Included by baselines/CMakeLists.txt.

find_package(Boost 1.74 REQUIRED)

# Everything a server needs to answer HTTP; knows no architecture. One object for all servers.
add_library(baselines_handler STATIC
  ${CMAKE_CURRENT_LIST_DIR}/body_reader.cc
  ${CMAKE_CURRENT_LIST_DIR}/buffer_pool.cc
  ${CMAKE_CURRENT_LIST_DIR}/clock.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_bytes.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_file.cc
  ${CMAKE_CURRENT_LIST_DIR}/endpoint_plaintext.cc
  ${CMAKE_CURRENT_LIST_DIR}/file.cc
  ${CMAKE_CURRENT_LIST_DIR}/file_cache.cc
  ${CMAKE_CURRENT_LIST_DIR}/head_scanner.cc
  ${CMAKE_CURRENT_LIST_DIR}/http.cc
  ${CMAKE_CURRENT_LIST_DIR}/http_date.cc
  ${CMAKE_CURRENT_LIST_DIR}/output.cc
  ${CMAKE_CURRENT_LIST_DIR}/request.cc
  ${CMAKE_CURRENT_LIST_DIR}/routes.cc
  ${CMAKE_CURRENT_LIST_DIR}/site.cc
  ${CMAKE_CURRENT_LIST_DIR}/status.cc)
target_include_directories(baselines_handler PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(baselines_handler PUBLIC Threads::Threads
                                        PRIVATE project_warnings Boost::headers)
