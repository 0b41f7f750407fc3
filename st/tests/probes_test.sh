#!/bin/sh
# Compiles the files that have points for tracers as -DST_PROBES=ON does, and reads from the object files what a tracer would:
# the name of every point that src/probe.h lists, and as many arguments as it lists.
#
#     probes_test.sh DIRECTORY-OF-ST CXX
set -eu

source=$1 compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for file in thread scheduler; do
  "$compiler" -std=c++20 -O2 -D_GNU_SOURCE -DST_PROBES -fno-exceptions -fno-rtti -I"$source/include" -I"$source/src" \
    -c "$source/src/$file.cc" -o "$work/$file.o"
  readelf --notes --wide "$work/$file.o" >>"$work/notes"
done
# Each is told as Provider, Name and Arguments; an argument is SIZE@PLACE, and a place may contain spaces.
awk '/Provider: st$/ { getline; name = $2; getline; getline; print name, gsub(/@/, "") }' "$work/notes" |
  sort -u >"$work/found"
sed -n 's|^// *st:\([a-z_]*\)  *|\1 |p' "$source/src/probe.h" |
  awk '{ print $1, $1 ~ /^thread/ ? 2 : 1 }' | sort >"$work/listed"
diff "$work/listed" "$work/found" && test -s "$work/found"
