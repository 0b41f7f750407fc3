# The switch for other CPUs, built and run where a cross compiler and an emulator are installed
# (g++-aarch64-linux-gnu g++-riscv64-linux-gnu qemu-user), and the ucontext switch, built natively. Each is one test that
# configures, builds and runs the small project in this folder.

function(st_add_cross_test name)
  add_test(NAME st.switch.${name}
           COMMAND ${CMAKE_CTEST_COMMAND}
                   --build-and-test ${CMAKE_CURRENT_FUNCTION_LIST_DIR} ${CMAKE_CURRENT_BINARY_DIR}/cross/${name}
                   --build-generator ${CMAKE_GENERATOR} --build-makeprogram ${CMAKE_MAKE_PROGRAM} --build-noclean
                   --build-options -DCMAKE_BUILD_TYPE=Release ${ARGN}
                   --test-command ${CMAKE_CTEST_COMMAND} --output-on-failure)
  set_tests_properties(st.switch.${name} PROPERTIES TIMEOUT 180)
endfunction()

st_add_cross_test(ucontext -DST_CONTEXT=ucontext -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
                  -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER})
foreach(cpu aarch64 riscv64)
  find_program(ST_CROSS_${cpu} ${cpu}-linux-gnu-g++)
  find_program(ST_EMULATOR_${cpu} qemu-${cpu})
  if(ST_CROSS_${cpu} AND ST_EMULATOR_${cpu})
    st_add_cross_test(${cpu} -DCMAKE_TOOLCHAIN_FILE=${CMAKE_CURRENT_LIST_DIR}/${cpu}.cmake)
    st_add_cross_test(${cpu}.ucontext -DCMAKE_TOOLCHAIN_FILE=${CMAKE_CURRENT_LIST_DIR}/${cpu}.cmake
                      -DST_CONTEXT=ucontext)
  endif()
endforeach()
