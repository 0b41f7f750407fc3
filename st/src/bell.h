// Internal: include only inside st/src. What wakes a scheduler from outside.
#pragma once

#include "io.h"
#include "list.h"

struct _st_bell : st::Link {
  _st_netfd* netfd;  // an eventfd: the kernel keeps the count, and writing to it is safe in a
                     // signal handler
};

namespace st {

// In a child process: gives every bell of this scheduler an eventfd of its own, under the same
// number, so that child and parent do not take each other's rings.
void bells_after_fork();

// Gives up all bells of this scheduler with their descriptors.
void bells_end();

}  // namespace st
