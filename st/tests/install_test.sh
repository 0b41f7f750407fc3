#!/bin/sh
# Installs the library in a temporary place that is not the one it was configured for, and uses it from there: with CMake in C
# alone and in C++, with pkg-config, static and shared.
#
#     install_test.sh DIRECTORY-OF-ST CC CXX
set -eu

source=$1 CC=$2 CXX=$3
export CC CXX
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
# Where Debian and others put libraries: CMake and pkg-config must cope with it.
system=$("$CC" -print-multiarch 2>/dev/null || true)
lib=lib${system:+/$system}

fail() {
  echo "install_test: $*" >&2
  exit 1
}

quietly() {
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "$* has failed"
  }
}

quietly cmake -S "$source" -B "$work/build" -DST_BUILD_TESTS=OFF -DCMAKE_INSTALL_LIBDIR="$lib" \
  -DCMAKE_INSTALL_PREFIX=/nowhere
quietly cmake --build "$work/build" -j2
quietly cmake --install "$work/build" --prefix "$prefix"

for file in include/st.h include/st.hpp include/st/net.hpp "$lib/libst.a" "$lib/libst.so.1.9" \
  "$lib/pkgconfig/st.pc" share/st/st-gdb.py; do
  test -f "$prefix/$file" || fail "$file is not installed"
done
test "$(readlink "$prefix/$lib/libst.so.1")" = libst.so.1.9 || fail "libst.so.1 leads elsewhere"
test -L "$prefix/$lib/libst.so" || fail "there is no libst.so to link with"

mkdir "$work/c" "$work/cxx"
cp "$source/examples/hello.c" "$work/c/"
cat >"$work/c/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES C)
find_package(st 1.9 REQUIRED)
foreach(kind st shared static)
  add_executable(hello_${kind} hello.c)
  target_link_libraries(hello_${kind} PRIVATE st::${kind})
endforeach()
END
cp "$source/examples/pipeline.cc" "$work/cxx/"
cat >"$work/cxx/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
set(BUILD_SHARED_LIBS OFF)
find_package(st REQUIRED)
add_executable(pipeline pipeline.cc)
target_link_libraries(pipeline PRIVATE st::st)
END
for project in c cxx; do
  quietly cmake -S "$work/$project" -B "$work/$project/build" -DCMAKE_PREFIX_PATH="$prefix"
  quietly cmake --build "$work/$project/build"
done
for program in c/build/hello_st c/build/hello_shared c/build/hello_static cxx/build/pipeline; do
  quietly "$work/$program"
done
ldd "$work/c/build/hello_st" | grep -q "$prefix/$lib/libst.so.1" || fail "st::st is not the shared library"
! ldd "$work/cxx/build/pipeline" | grep -q "libst\.so" || fail "st::st is not the static library although BUILD_SHARED_LIBS is off"

if command -v pkg-config >/dev/null; then
  export PKG_CONFIG_PATH="$prefix/$lib/pkgconfig"
  test "$(pkg-config --modversion st)" = 1.9 || fail "st.pc has another version"
  # shellcheck disable=SC2046  # several words are meant
  quietly "$CC" "$source/examples/hello.c" $(pkg-config --cflags --libs st) -o "$work/hello"
  LD_LIBRARY_PATH=$prefix/$lib quietly "$work/hello"
fi
echo "installed, found and used"
