// getaddrinfo(3) in a helper thread.
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>

#include "scheduler.h"

namespace {

// Shared by the waiting call and the helper; whoever is done with it last frees it.
struct Query {
  std::atomic<bool> left;  // the other side is done with it
  char* node;              // copies: the caller may have given up and returned
  char* service;
  addrinfo hints;
  bool has_hints;
  int code;
  int error;
  addrinfo* answer;
};

void leave(Query* query) {
  if (!query->left.exchange(true, std::memory_order_acq_rel)) return;
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
  leave(query);
  return nullptr;
}

}  // namespace

int st_getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                   struct addrinfo** res, st_utime_t timeout) {
  // Here, and not in st_offload(), which could not say whether a helper has the query.
  if (st::scheduler.take_interrupt()) return EAI_SYSTEM;
  auto* query = static_cast<Query*>(calloc(1, sizeof(Query)));
  if (!query) return EAI_MEMORY;
  query->node = node ? strdup(node) : nullptr;
  query->service = service ? strdup(service) : nullptr;
  query->has_hints = hints != nullptr;
  if (hints) query->hints = *hints;
  const bool copied = (!node || query->node) && (!service || query->service);

  int code = EAI_MEMORY;
  int error = 0;
  if (!copied) {
    leave(query);  // for the helper that never came
  } else if (st_offload(resolve, query, nullptr, timeout) == 0) {
    code = query->code;
    error = query->error;
    if (code == 0) *res = query->answer;
    query->answer = nullptr;
  } else {
    code = EAI_SYSTEM;
    error = errno;
    // After a timeout or an interrupt the helper still has it; after any other failure there is no
    // helper.
    if (error != ETIME && error != EINTR) leave(query);
  }
  leave(query);
  if (code == EAI_SYSTEM) errno = error;
  return code;
}
