# The conformance program: what State Threads 1.9 promises, checked on this library and, where Debian's libst1 is installed, on
# the original. One binary for both: it is linked without a run path and meets its library through LD_LIBRARY_PATH.

set(ST_CONFORMANCE_INCLUDE_DIR ${CMAKE_CURRENT_SOURCE_DIR}/include
    CACHE PATH "Where the conformance program finds st.h (any header compatible with 1.9)")
set(ST_CONFORMANCE_DIR ${CMAKE_CURRENT_LIST_DIR})
find_file(ST_REFERENCE_LIBRARY libst.so.1 NO_DEFAULT_PATH
          PATHS /usr/lib /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}
          DOC "The original libst.so.1, to see that the cases hold there too")

add_executable(
  st_conformance
  ${ST_CONFORMANCE_DIR}/main.c
  ${ST_CONFORMANCE_DIR}/support.c
  ${ST_CONFORMANCE_DIR}/header.c
  ${ST_CONFORMANCE_DIR}/init.c
  ${ST_CONFORMANCE_DIR}/threads.c
  ${ST_CONFORMANCE_DIR}/schedule.c
  ${ST_CONFORMANCE_DIR}/no_switch.c
  ${ST_CONFORMANCE_DIR}/blocking.c
  ${ST_CONFORMANCE_DIR}/every_blocking_call.c
  ${ST_CONFORMANCE_DIR}/interrupt.c
  ${ST_CONFORMANCE_DIR}/cond.c
  ${ST_CONFORMANCE_DIR}/mutex.c
  ${ST_CONFORMANCE_DIR}/keys.c
  ${ST_CONFORMANCE_DIR}/netfd.c
  ${ST_CONFORMANCE_DIR}/poll.c
  ${ST_CONFORMANCE_DIR}/read.c
  ${ST_CONFORMANCE_DIR}/write.c
  ${ST_CONFORMANCE_DIR}/vectors.c
  ${ST_CONFORMANCE_DIR}/datagram.c
  ${ST_CONFORMANCE_DIR}/random_transfers.c
  ${ST_CONFORMANCE_DIR}/clock.c
  ${ST_CONFORMANCE_DIR}/accept_connect.c
  ${ST_CONFORMANCE_DIR}/callbacks.c
  ${ST_CONFORMANCE_DIR}/process.c)
set_target_properties(st_conformance PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                                                SKIP_BUILD_RPATH ON)
target_compile_definitions(st_conformance PRIVATE _GNU_SOURCE)
target_compile_options(st_conformance PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Werror)
target_include_directories(st_conformance PRIVATE ${ST_CONFORMANCE_INCLUDE_DIR})
# The file and not the target, whose own include directory would come along.
target_link_libraries(st_conformance PRIVATE $<TARGET_LINKER_FILE:st_shared>)
add_dependencies(st_conformance st_shared)

# About a second each; the limit is for the case that many cases hang for their ten seconds. An event system that the library or
# the kernel does not have is skipped.
foreach(eventsys select poll alt io_uring default)
  add_test(NAME st.conformance.${eventsys} COMMAND ${ST_CONFORMANCE_DIR}/run $<TARGET_FILE:st_conformance>
                                                   $<TARGET_FILE_DIR:st_shared> ${eventsys})
  set_tests_properties(st.conformance.${eventsys} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()

# The original knows nothing of sanitizers, and programs compiled with one would misread its switches.
if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
  add_test(NAME st.debian_examples COMMAND ${ST_CONFORMANCE_DIR}/debian_examples ${ST_CONFORMANCE_INCLUDE_DIR}
                                           $<TARGET_FILE_DIR:st_shared>)
  set_tests_properties(st.debian_examples PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
  if(ST_REFERENCE_LIBRARY)
    get_filename_component(reference_dir ${ST_REFERENCE_LIBRARY} DIRECTORY)
    foreach(eventsys select poll alt default)
      add_test(NAME st.conformance.original.${eventsys}
               COMMAND ${ST_CONFORMANCE_DIR}/run $<TARGET_FILE:st_conformance> ${reference_dir} ${eventsys})
      set_tests_properties(st.conformance.original.${eventsys} PROPERTIES TIMEOUT 120)
    endforeach()
  endif()
endif()
