// Requests that have to wait for something else: what is wanted when, and what is answered in the
// end.
#include "baselines/common/job.h"
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

const Site& proxying_site() {
  static const Site site([] {
    SiteOptions options;
    options.origin_host = "127.0.0.1";  // nobody connects to it here
    options.origin_port = 8081;
    return options;
  }());
  return site;
}

FetchJob& fetch_of(Driver& driver) { return std::get<FetchJob>(driver.connection.job().work); }

// What whoever drives the connection would do.
std::string carry_out(Driver& driver, std::string_view from_origin) {
  EXPECT_EQ(driver.connection.want(), Want::job);
  EXPECT_EQ(fetch_of(driver).answer.take({from_origin.data(), from_origin.size()}),
            UpstreamAnswer::Progress::complete);
  driver.connection.done(driver.now);
  return driver.drain();
}

std::string fail(Driver& driver, int status) {
  EXPECT_EQ(driver.connection.want(), Want::job);
  driver.connection.job().failure = status;
  driver.connection.done(driver.now);
  return driver.drain();
}

constexpr std::string_view kFromOrigin =
    "HTTP/1.1 418 Teapot\r\nServer: other\r\nContent-Length: 5\r\n\r\nhello";

TEST(Jobs, the_answer_is_that_of_the_origin) {
  Driver driver(proxying_site());
  EXPECT_EQ(driver.feed(get("/proxy/a")), "");
  EXPECT_EQ(carry_out(driver, kFromOrigin), kFromOrigin);
  EXPECT_TRUE(driver.waiting());
  EXPECT_EQ(driver.slot.requests.load(), 1u);
  EXPECT_EQ(driver.slot.errors.load(), 1u);
}

TEST(Jobs, answers_before_are_sent_first_and_requests_behind_wait) {
  Driver driver(proxying_site());
  const std::string first =
      driver.feed(get("/plaintext") + get("/proxy/") + get("/bytes/9") + get("/proxy/") + "GET /");
  EXPECT_EQ(body_of(first), "Hello, World!");
  const std::string second = carry_out(driver, kFromOrigin);
  ASSERT_EQ(split_answers(second).size(), 2u);
  EXPECT_EQ(split_answers(second)[0], kFromOrigin);
  EXPECT_EQ(body_of(split_answers(second)[1]).size(), 9u);
  EXPECT_EQ(status_of(fail(driver, 504)), 504);
  EXPECT_EQ(status_of(driver.feed("bytes/1 HTTP/1.1\r\nHost: a\r\n\r\n")), 200);
  EXPECT_EQ(driver.slot.requests.load(), 5u);
}

TEST(Jobs, input_that_comes_meanwhile_is_kept_in_order) {
  Driver driver(proxying_site());
  driver.feed(get("/proxy/"));
  for (const char& c : get("/bytes/3") + get("/bytes/4")) EXPECT_EQ(driver.feed({&c, 1}), "");
  const auto answers = split_answers(carry_out(driver, kFromOrigin));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(body_of(answers[1]).size(), 3u);
  EXPECT_EQ(body_of(answers[2]).size(), 4u);
}

TEST(Jobs, a_large_body_is_sent_from_where_it_is) {
  const std::string body(300000, 'b');
  Driver driver(proxying_site());
  driver.feed(get("/proxy/"));
  const std::string from_origin = "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body;
  fetch_of(driver).answer.take(from_origin);
  driver.connection.done(driver.now);
  EXPECT_EQ(driver.drain(4096), from_origin);
}

TEST(Jobs, what_the_connection_says_of_itself_is_the_servers_own) {
  const std::string wish = "Connection: close\r\n";
  for (const char* version : {"1.0", "1.1"}) {
    Driver driver(proxying_site());
    driver.feed("GET /proxy/ HTTP/" + std::string(version) + "\r\nHost: a\r\n" + wish + "\r\n" +
                get("/plaintext"));
    const std::string answer =
        carry_out(driver, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + wish + "\r\n");
    EXPECT_TRUE(driver.closed());
  }
  Driver old(proxying_site());
  old.feed("GET /proxy/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(field_of(carry_out(old, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "Connection"),
            "keep-alive");
  EXPECT_TRUE(old.waiting());
}

TEST(Jobs, head_brings_no_body_with_or_without_success) {
  Driver driver(proxying_site());
  const std::string head = "HEAD /proxy/ HTTP/1.1\r\nHost: a\r\n\r\n";
  driver.feed(head);
  const std::string from_origin = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(carry_out(driver, from_origin), from_origin);
  driver.feed(head);
  EXPECT_EQ(body_of(fail(driver, 502)), "");
  EXPECT_TRUE(driver.waiting());
}

TEST(Jobs, the_origin_is_asked_for_the_same_thing) {
  Driver driver(proxying_site());
  driver.feed(get("/proxy/a/b%20c?d=e", "If-None-Match: \"x\"\r\nCookie: mine\r\n"));
  EXPECT_EQ(fetch_of(driver).request,
            "GET /a/b%20c?d=e HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nVia: 1.1 statethreads\r\n"
            "If-None-Match: \"x\"\r\n\r\n");
  fail(driver, 502);
  driver.feed("HEAD http://me/proxy/ HTTP/1.1\r\nHost: me\r\nIf-Modified-Since: then\r\n\r\n");
  EXPECT_EQ(fetch_of(driver).request,
            "HEAD / HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nVia: 1.1 statethreads\r\n"
            "If-Modified-Since: then\r\n\r\n");
}

TEST(Jobs, a_body_comes_before_the_job) {
  Driver driver(proxying_site());
  driver.feed(get("/proxy/", "Content-Length: 3\r\n") + "ab");
  EXPECT_TRUE(driver.waiting());
  driver.feed("c");
  EXPECT_EQ(carry_out(driver, kFromOrigin), kFromOrigin);
}

TEST(Jobs, a_client_that_ended_its_side_is_still_answered) {
  Driver driver(proxying_site());
  driver.feed(get("/proxy/") + get("/bytes/2"));
  EXPECT_EQ(driver.end(), "");
  EXPECT_EQ(split_answers(carry_out(driver, kFromOrigin)).size(), 2u);
  EXPECT_EQ(driver.connection.want(), Want::close);
}

TEST(Jobs, the_deadline_is_the_jobs_and_passing_it_changes_nothing) {
  Driver driver(proxying_site());
  driver.feed(get("/proxy/"));
  EXPECT_EQ(driver.connection.deadline(), kStart + SiteOptions{}.idle_timeout);
  EXPECT_EQ(driver.time_out(), "");
  EXPECT_EQ(status_of(fail(driver, 504)), 504);
  EXPECT_GT(driver.connection.deadline(), driver.now);
}

TEST(Jobs, a_connection_may_end_before_its_job) {
  const std::ptrdiff_t before = BufferPool::statistics().borrowed;
  { Driver(proxying_site()).feed(get("/proxy/") + get("/plaintext")); }
  EXPECT_EQ(BufferPool::statistics().borrowed, before);
}

TEST(Jobs, without_an_origin_or_a_disk_file_there_is_no_such_path) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed(get("/proxy/plaintext"))), 404);
  EXPECT_EQ(status_of(driver.feed(get("/disk/1"))), 404);
  EXPECT_TRUE(driver.waiting());
}

TEST(Work, is_the_same_every_time_and_bounded) {
  Driver driver;
  for (const char* path : {"/cpu/100", "/alloc/1000"}) {
    const std::string answer = driver.feed(get(path));
    EXPECT_EQ(status_of(answer), 200) << path;
    EXPECT_EQ(mask_dates(driver.feed(get(path))), mask_dates(answer)) << path;
  }
  EXPECT_NE(body_of(driver.feed(get("/cpu/1"))), body_of(driver.feed(get("/cpu/2"))));
  EXPECT_EQ(body_of(driver.feed(get("/alloc/0"))), "0 bytes\n");
  for (const char* path : {"/cpu/", "/cpu/1000001", "/cpu/x", "/cpu/-1", "/cpu/1.5", "/alloc/",
                           "/alloc/1000001", "/alloc/1/", "/cpu/99999999999999999999"}) {
    EXPECT_EQ(status_of(driver.feed(get(path))), 404) << path;
  }
}

}  // namespace
}  // namespace baselines::test
