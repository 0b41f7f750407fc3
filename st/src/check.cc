#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

namespace st {

const char kTooEarly[] = "called before st_init() in this kernel thread";
const char kForeign[] = "the object belongs to the scheduler of another kernel thread";

namespace {
iovec piece(const char* text) { return {const_cast<char*>(text), strlen(text)}; }
}  // namespace

void check_failed(const char* function, const char* what) {
  // writev and abort only: the heap or the stack may be what is broken.
  const iovec line[] = {piece("st: "), piece(function), piece(": "), piece(what), piece("\n")};
  [[maybe_unused]] const ssize_t written = writev(STDERR_FILENO, line, 5);
  abort();
}

}  // namespace st
