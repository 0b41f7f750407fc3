#!/bin/sh
# What a program sees of libst.so.1 before it calls anything: the name, what else is loaded with it, what it exports, how large
# it is. Size and needs are what was promised; the 61 names are the binary interface of State Threads 1.9.
#
#     shared_object_test.sh LIBRARY st.h
set -eu

library=$1 header=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# 70 KB: what the ancestor was proud of.
most_bytes=70000
bad=0

complain() {
  echo "shared_object_test: $*" >&2
  bad=1
}

dynamic=$(objdump -p "$library")
soname=$(echo "$dynamic" | awk '$1 == "SONAME" { print $2 }')
needed=$(echo "$dynamic" | awk '$1 == "NEEDED" { print $2 }')
test "$soname" = libst.so.1 || complain "it calls itself '$soname', and programs look for libst.so.1"
test "$needed" = libc.so.6 || complain "it needs '$needed', not libc.so.6 alone"
# The flags of the program header: a stack that can be executed would make that of the whole program so.
echo "$dynamic" | grep -A1 ' STACK ' | grep -q 'flags rw-' || complain "it asks for an executable stack"

tr ' ' '\n' >"$work/of_1.9" <<'END'
st_accept st_cond_broadcast st_cond_destroy st_cond_new st_cond_signal st_cond_timedwait st_cond_wait st_connect
st_get_eventsys st_get_eventsys_name st_getfdlimit st_init st_key_create st_key_getlimit st_mutex_destroy st_mutex_lock
st_mutex_new st_mutex_trylock st_mutex_unlock st_netfd_close st_netfd_fileno st_netfd_free st_netfd_getspecific st_netfd_open
st_netfd_open_socket st_netfd_poll st_netfd_serialize_accept st_netfd_setspecific st_open st_poll st_randomize_stacks st_read
st_read_fully st_read_resid st_readv st_readv_resid st_recvfrom st_recvmsg st_sendmsg st_sendto st_set_eventsys
st_set_switch_in_cb st_set_switch_out_cb st_set_utime_function st_sleep st_thread_create st_thread_exit st_thread_getspecific
st_thread_interrupt st_thread_join st_thread_self st_thread_setspecific st_time st_timecache_set st_usleep st_utime
st_utime_last_clock st_write st_write_resid st_writev st_writev_resid
END
LC_ALL=C sort -o "$work/of_1.9" "$work/of_1.9"
test "$(wc -l <"$work/of_1.9")" = 61 || complain "the list in this test has lost a name of 1.9"

nm -D --defined-only "$library" >"$work/exported"
# Declarations begin with `extern`, and a name is followed by its parameters.
grep -o '^extern [^(]*(' "$header" | grep -o 'st_[a-z0-9_]*(' | tr -d '(' | LC_ALL=C sort >"$work/declared"
awk '{ print $3 }' "$work/exported" | LC_ALL=C sort >"$work/names"
missing=$(LC_ALL=C comm -23 "$work/of_1.9" "$work/names")
test -z "$missing" || complain "it lacks, of 1.9: $missing"
differing=$(LC_ALL=C comm -3 "$work/declared" "$work/names")
test -z "$differing" || complain "not both declared in st.h (left) and exported (right): $differing"
others=$(awk '$2 != "T" { print $2, $3 }' "$work/exported")
test -z "$others" || complain "it exports more than functions: $others"

strip -o "$work/stripped" "$library"
bytes=$(wc -c <"$work/stripped")
test "$bytes" -le "$most_bytes" || complain "stripped it has $bytes bytes; at most $most_bytes were promised"

test "$bad" = 0 && echo "$bytes bytes stripped, $(wc -l <"$work/names") functions, needs $needed"
