// The models of this architecture: one function and one file each.
#pragma once

namespace baselines {

struct Server;

void serve_epoll(Server& server);     // epoll.cc
void serve_poll(Server& server);      // poll.cc
void serve_select(Server& server);    // select.cc
void serve_amped(Server& server);     // amped.cc
void serve_io_uring(Server& server);  // io_uring.cc; where it was not built, no_io_uring.cc

}  // namespace baselines
