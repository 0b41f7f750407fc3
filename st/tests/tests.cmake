# The unit tests (README.md). They link the archive, where what the shared object hides can be reached.
find_package(GTest REQUIRED)
include(GoogleTest)

set(ST_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR})

function(st_add_tests name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE ${ST_TESTS_DIR} ${ST_TESTS_DIR}/../src)
  # The layout of a control block depends on the context that is built in.
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE $<$<STREQUAL:${ST_CONTEXT},ucontext>:ST_CONTEXT_UCONTEXT>)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wshadow -Werror)
  target_link_libraries(${name} PRIVATE GTest::gtest GTest::gtest_main Threads::Threads)
endfunction()

# The switch alone, without the library around it: this program has a st_thread_main() of its own.
set(context_sources ${ST_SOURCES})
list(FILTER context_sources INCLUDE REGEX "^src/context/")
list(TRANSFORM context_sources PREPEND ${ST_TESTS_DIR}/../)
st_add_tests(st_context_tests ${ST_TESTS_DIR}/context.cc ${context_sources})
target_include_directories(st_context_tests PRIVATE ${ST_TESTS_DIR}/../include)
gtest_discover_tests(st_context_tests TEST_PREFIX st. PROPERTIES TIMEOUT 60)

set(st_test_support ${ST_TESTS_DIR}/isolated.cc ${ST_TESTS_DIR}/support.cc)
st_add_tests(
  st_tests
  ${st_test_support}
  ${ST_TESTS_DIR}/descriptor_numbers.cc
  ${ST_TESTS_DIR}/destroy.cc
  ${ST_TESTS_DIR}/endurance.cc
  ${ST_TESTS_DIR}/exceptions.cc
  ${ST_TESTS_DIR}/fairness.cc
  ${ST_TESTS_DIR}/fork.cc
  ${ST_TESTS_DIR}/kernel_threads.cc
  ${ST_TESTS_DIR}/keys.cc
  ${ST_TESTS_DIR}/many_threads.cc
  ${ST_TESTS_DIR}/misuse.cc
  ${ST_TESTS_DIR}/order.cc
  ${ST_TESTS_DIR}/random_program.cc
  ${ST_TESTS_DIR}/readiness.cc
  ${ST_TESTS_DIR}/sockets.cc
  ${ST_TESTS_DIR}/stacks.cc
  ${ST_TESTS_DIR}/timer_heap.cc
  ${ST_TESTS_DIR}/transfers.cc
  ${ST_TESTS_DIR}/waits.cc)
target_link_libraries(st_tests PRIVATE st_static)
gtest_discover_tests(st_tests TEST_PREFIX st. PROPERTIES TIMEOUT 120)

# The same program with each of the other mechanisms, as one test each; skipped where the kernel does not offer it.
set(st_other_mechanisms select poll)
if(ST_HAVE_IO_URING)
  list(APPEND st_other_mechanisms io_uring)
endif()
foreach(mechanism ${st_other_mechanisms})
  add_test(NAME st.unit.${mechanism} COMMAND st_tests --gtest_brief=1)
  set_tests_properties(
    st.unit.${mechanism}
    PROPERTIES ENVIRONMENT ST_EVENTSYS=${mechanism} TIMEOUT 300
               SKIP_REGULAR_EXPRESSION "Which is: -1\n  0\n(Function not implemented|Operation not permitted)")
endforeach()

# Where Valgrind keeps account of memory: what changes stacks, begins, ends and unwinds. An error makes the process of the test
# that made it end badly. Memory that a test means to leave behind is none.
find_program(ST_VALGRIND valgrind)
if(ST_VALGRIND AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  add_test(NAME st.valgrind
           COMMAND ${ST_VALGRIND} -q --error-exitcode=9 --leak-check=no $<TARGET_FILE:st_tests> --gtest_brief=1
                   --gtest_filter=Stacks.*:Keys.*:Exceptions.*:Destroy.*)
  set_tests_properties(st.valgrind PROPERTIES TIMEOUT 300)
endif()

# System calls and allocations that fail on request: the linker puts wrapped.cc between all code and the C library. With
# epoll, the mechanism whose calls are wrapped.
st_add_tests(st_fault_tests ${st_test_support} ${ST_TESTS_DIR}/faults.cc ${ST_TESTS_DIR}/faults_in_turn.cc
             ${ST_TESTS_DIR}/wrapped.cc)
target_link_libraries(st_fault_tests PRIVATE st_static)
foreach(function accept4 aligned_alloc calloc connect epoll_create1 epoll_ctl epoll_wait eventfd fcntl getrlimit getsockopt
                 ioctl madvise malloc mmap mprotect open pthread_create read readv realloc recv recvmsg send sendmsg setrlimit
                 sigaction syscall write writev)
  target_link_options(st_fault_tests PRIVATE LINKER:--wrap=${function})
endforeach()
gtest_discover_tests(st_fault_tests TEST_PREFIX st. PROPERTIES TIMEOUT 120 ENVIRONMENT ST_EVENTSYS=epoll)
