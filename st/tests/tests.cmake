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
  ${ST_TESTS_DIR}/leaf.cc
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
# epoll, but for the tests that name another mechanism.
st_add_tests(st_fault_tests ${st_test_support} ${ST_TESTS_DIR}/faults.cc ${ST_TESTS_DIR}/faults_in_turn.cc
             ${ST_TESTS_DIR}/faults_of_transfers.cc ${ST_TESTS_DIR}/wrapped.cc)
target_link_libraries(st_fault_tests PRIVATE st_static)
set(st_wrapped
    accept4 aligned_alloc calloc close connect dup3 epoll_create1 epoll_ctl epoll_wait eventfd fcntl getrlimit
    getsockopt ioctl madvise malloc mmap mprotect open poll ppoll pthread_atfork pthread_create pthread_key_create
    pthread_setspecific read readv realloc recv recvmsg select send sendmsg setrlimit sigaction sigaltstack strdup
    syscall write writev)
if(ST_HAVE_IO_URING)
  target_compile_definitions(st_fault_tests PRIVATE ST_HAVE_IO_URING)
  target_include_directories(st_fault_tests PRIVATE ${LIBURING_INCLUDE_DIR})
  list(APPEND st_wrapped io_uring_queue_init_params io_uring_submit io_uring_submit_and_get_events
       io_uring_submit_and_wait_timeout)
endif()
foreach(function ${st_wrapped})
  target_link_options(st_fault_tests PRIVATE LINKER:--wrap=${function})
endforeach()
gtest_discover_tests(st_fault_tests TEST_PREFIX st. PROPERTIES TIMEOUT 120 ENVIRONMENT ST_EVENTSYS=epoll)

# What a program sees of the shared library before it calls anything. Sanitizers need more, and make it larger.
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT CMAKE_BUILD_TYPE STREQUAL Debug)
  add_test(NAME st.shared_object COMMAND ${ST_TESTS_DIR}/shared_object_test.sh $<TARGET_FILE:st_shared>
                                         ${ST_TESTS_DIR}/../include/st.h)
endif()

# The other compiler, which knows other warnings and not all of our options, builds a library that keeps the same promises.
find_program(ST_CLANG clang++)
if(ST_CLANG AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  add_test(NAME st.clang
           COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${ST_TESTS_DIR}/.. ${CMAKE_CURRENT_BINARY_DIR}/clang
                   --build-generator ${CMAKE_GENERATOR} --build-makeprogram ${CMAKE_MAKE_PROGRAM} --build-noclean
                   --build-options -DST_BUILD_TESTS=OFF -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
                   --test-command ${ST_TESTS_DIR}/conformance/run $<TARGET_FILE:st_conformance>
                   ${CMAKE_CURRENT_BINARY_DIR}/clang default)
  set_tests_properties(st.clang PROPERTIES TIMEOUT 180)
endif()

# The points for tracers, in a library of its own that has them: that they are there, and with what arguments.
find_path(ST_SDT_INCLUDE_DIR sys/sdt.h)
if(ST_SDT_INCLUDE_DIR AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  add_test(NAME st.probes COMMAND ${ST_TESTS_DIR}/probes_test.sh ${ST_TESTS_DIR}/.. ${CMAKE_CXX_COMPILER})
  set_tests_properties(st.probes PROPERTIES TIMEOUT 120)
endif()

# Several schedulers under ThreadSanitizer, which must find nothing; and a program in which it must find something. The library
# is compiled into it once more, without io_uring, whose kernel side the tool cannot see.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -fsanitize=thread)
check_cxx_source_compiles("int main() {}" ST_HAS_THREAD_SANITIZER)
unset(CMAKE_REQUIRED_FLAGS)
if(ST_HAS_THREAD_SANITIZER AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(tsan_sources ${ST_SOURCES})
  list(FILTER tsan_sources EXCLUDE REGEX io_uring)
  list(TRANSFORM tsan_sources PREPEND ${ST_TESTS_DIR}/../)
  add_executable(st_tsan_program ${ST_TESTS_DIR}/thread_sanitizer.cc ${tsan_sources})
  target_include_directories(st_tsan_program PRIVATE ${ST_TESTS_DIR}/../include ${ST_TESTS_DIR}/../src)
  target_compile_definitions(st_tsan_program PRIVATE _GNU_SOURCE)
  target_compile_options(st_tsan_program PRIVATE -Wall -Wextra -Wshadow -Werror -g -O1 -fno-exceptions -fno-rtti
                                                 -fsanitize=thread)
  target_link_options(st_tsan_program PRIVATE -fsanitize=thread)
  target_link_libraries(st_tsan_program PRIVATE Threads::Threads)
  add_test(NAME st.tsan COMMAND st_tsan_program)
  add_test(NAME st.tsan.finds_a_race COMMAND st_tsan_program race)
  set_tests_properties(st.tsan.finds_a_race PROPERTIES PASS_REGULAR_EXPRESSION "WARNING: ThreadSanitizer: data race")
  # Where the kernel places mappings more at random than the tool of this compiler knows.
  set_tests_properties(st.tsan st.tsan.finds_a_race
                       PROPERTIES TIMEOUT 120 SKIP_REGULAR_EXPRESSION "ThreadSanitizer: unexpected memory mapping")
endif()
