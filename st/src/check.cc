#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

namespace st {

void say(std::initializer_list<const char*> words) {
  iovec pieces[8];
  int count = 0;
  for (const char* text : words) pieces[count++] = {const_cast<char*>(text), strlen(text)};
  [[maybe_unused]] const ssize_t written = writev(STDERR_FILENO, pieces, count);
}

void check_failed(const char* function, const char* what) {
  say({"st: ", function, ": ", what,
       "\n"});  // no more: the heap or the stack may be what is broken
  abort();
}

}  // namespace st
