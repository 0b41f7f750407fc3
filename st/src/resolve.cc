// getaddrinfo(3) in a helper thread.
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <utility>

#include "offload.h"

namespace {

struct Query : st::Job {
  char* node;  // copies: the caller may have given up and returned
  char* service;
  addrinfo hints;
  bool has_hints;
  int code;
  int error;
  addrinfo* answer;
};

void dispose(st::Job* job) {
  auto* query = static_cast<Query*>(job);
  if (query->answer) freeaddrinfo(query->answer);
  free(query->node);
  free(query->service);
  free(query);
}

void* resolve(void* arg) {
  auto* query = static_cast<Query*>(arg);
  query->code = getaddrinfo(query->node, query->service, query->has_hints ? &query->hints : nullptr,
                            &query->answer);
  query->error = errno;
  return nullptr;
}

}  // namespace

int st_getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                   struct addrinfo** res, st_utime_t timeout) {
  auto* query = static_cast<Query*>(calloc(1, sizeof(Query)));
  if (!query) return EAI_MEMORY;
  query->work = resolve;
  query->arg = query;
  query->dispose = dispose;
  query->node = node ? strdup(node) : nullptr;
  query->service = service ? strdup(service) : nullptr;
  query->has_hints = hints != nullptr;
  if (hints) query->hints = *hints;
  if ((node && !query->node) || (service && !query->service)) {
    dispose(query);
    return EAI_MEMORY;
  }
  if (st::hand_over(query, timeout) != 0) return EAI_SYSTEM;
  const int code = query->code;
  const int error = query->error;
  if (code == 0) *res = std::exchange(query->answer, nullptr);
  dispose(query);
  if (code == EAI_SYSTEM) errno = error;
  return code;
}
