// /file/PATH: what is served, what is refused, and what the cache may and may not do.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "baselines/common/file_cache.h"
#include "baselines/common/http_date.h"
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A folder of its own with a docroot and a secret beside it, gone when the test is over.
class Files : public testing::Test {
 protected:
  Files() {
    std::string name = fs::temp_directory_path() / "handler_files_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category());
    folder_ = name;
    fs::create_directory(docroot());
    write(folder_ / "secret", "secret");
  }
  ~Files() override { fs::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  fs::path docroot() const { return folder_ / "docroot"; }

  static void write(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  void put(const std::string& name, std::string_view text) const { write(docroot() / name, text); }

  SiteOptions options() const {
    SiteOptions options;
    options.docroot = docroot();
    return options;
  }

  fs::path folder_;
};

TEST_F(Files, have_their_bytes_type_and_validators) {
  put("a.html", "<p>hello");
  const Site site(options());
  Driver driver(site);
  const std::string answer = driver.feed(get("/file/a.html"));
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(body_of(answer), "<p>hello");
  EXPECT_EQ(field_of(answer, "Content-Type"), "text/html");
  EXPECT_EQ(field_of(answer, "ETag").front(), '"');
  EXPECT_TRUE(parse_http_date(field_of(answer, "Last-Modified")).has_value());
}

TEST_F(Files, have_the_type_of_their_extension) {
  EXPECT_EQ(content_type_of("a/b.css"), "text/css");
  EXPECT_EQ(content_type_of("a.tar.json"), "application/json");
  EXPECT_EQ(content_type_of("a.html/b"), "application/octet-stream");
  EXPECT_EQ(content_type_of("html"), "application/octet-stream");
  EXPECT_EQ(content_type_of(".unknown"), "application/octet-stream");
}

TEST_F(Files, head_is_get_without_the_body) {
  put("a.txt", "text");
  const Site site(options());
  Driver driver(site);
  const std::string answer = driver.feed("HEAD /file/a.txt HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(field_of(answer, "Content-Length"), "4");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(Files, names_are_decoded) {
  put("a b%.txt", "found");
  fs::create_directory(docroot() / "sub");
  put("sub/c", "found");
  const Site site(options());
  Driver driver(site);
  EXPECT_EQ(body_of(driver.feed(get("/file/a%20b%25.txt"))), "found");
  EXPECT_EQ(body_of(driver.feed(get("/file/sub%2Fc?query"))), "found");
  EXPECT_EQ(body_of(driver.feed(get("/file/s%75b/c"))), "found");
}

TEST_F(Files, of_any_size_are_sent_whole) {
  SiteOptions small = options();
  small.max_cached_file_bytes = 10000;
  small.cache_bytes = 16 * std::size_t{20000};
  const Site site(small);
  Driver driver(site);
  for (const std::size_t size : {0u, 1u, 2048u, 2049u, 10000u, 10001u, 3000000u}) {
    const std::string name = std::to_string(size);
    const std::string text(default_site().pattern().substr(0, size));
    put(name, text);
    EXPECT_TRUE(body_of(driver.feed(get("/file/" + name), 65537)) == text) << size;
  }
}

TEST_F(Files, without_docroot_there_are_none) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed(get("/file/a"))), 404);
}

TEST_F(Files, no_path_leads_out_of_the_docroot) {
  put("a", "inside");
  fs::create_directory(docroot() / "sub");
  fs::create_symlink("../secret", docroot() / "out");
  fs::create_symlink(folder_ / "secret", docroot() / "absolute");
  fs::create_directory_symlink("..", docroot() / "up");
  fs::create_symlink("../a", docroot() / "sub" / "in");
  const Site site(options());
  for (const char* target : {"/file/../secret",
                             "/file/%2e%2e/secret",
                             "/file/%2E./secret",
                             "/file/sub/../../secret",
                             "/file/sub/../a",
                             "/file/..",
                             "/file/sub/..",
                             "/file/..%2fsecret",
                             "/file/%2e%2e%2fsecret",
                             "/file//etc/passwd",
                             "/file/%2fetc/passwd",
                             "/file/out",
                             "/file/absolute",
                             "/file/up/secret",
                             "/file/a%00",
                             "/file/%00",
                             "/file/a%00.html",
                             "/file/a%",
                             "/file/a%2",
                             "/file/a%zz",
                             "/file/",
                             "/file/sub",
                             "/file/sub/",
                             "/file/a/",
                             "/file/a/b",
                             "/file/none",
                             "/file/."}) {
    Driver driver(site);
    const std::string answer = driver.feed(get(target));
    EXPECT_EQ(status_of(answer), 404) << target;
    EXPECT_EQ(answer.find("secret"), std::string::npos) << target;
    EXPECT_TRUE(driver.waiting()) << target;
  }
  Driver driver(site);
  EXPECT_EQ(body_of(driver.feed(get("/file/sub/in"))), "inside") << "links within are followed";
  EXPECT_EQ(status_of(driver.feed(get("/file/" + std::string(5000, 'a')))), 404);
}

TEST_F(Files, only_regular_files_are_opened) {
  ASSERT_EQ(mkfifo((docroot() / "fifo").c_str(), 0600), 0);
  const Site site(options());
  Driver driver(site);
  EXPECT_EQ(status_of(driver.feed(get("/file/fifo"))), 404);
}

TEST_F(Files, that_the_client_has_are_not_sent_again) {
  put("a.txt", "text");
  const Site site(options());
  Driver driver(site);
  const std::string first = driver.feed(get("/file/a.txt"));
  const std::string etag = field_of(first, "ETag");
  const std::string date = field_of(first, "Last-Modified");
  const auto status = [&](const std::string& fields) {
    const std::string answer = driver.feed(get("/file/a.txt", fields));
    if (status_of(answer) == 304) {
      EXPECT_EQ(body_of(answer), "");
      EXPECT_EQ(field_of(answer, "Content-Length"), "");
      EXPECT_EQ(field_of(answer, "ETag"), etag);
    }
    return status_of(answer);
  };
  EXPECT_EQ(status("If-None-Match: " + etag + "\r\n"), 304);
  EXPECT_EQ(status("If-None-Match: \"x\", W/" + etag + " , \"y\"\r\n"), 304);
  EXPECT_EQ(status("If-None-Match: *\r\n"), 304);
  EXPECT_EQ(status("If-None-Match: \"x\"\r\n"), 200);
  EXPECT_EQ(status("If-None-Match: x\r\n"), 200);
  EXPECT_EQ(status("If-Modified-Since: " + date + "\r\n"), 304);
  EXPECT_EQ(status("If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n"), 200);
  EXPECT_EQ(status("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), 200);
  EXPECT_EQ(status("If-Modified-Since: nonsense\r\n"), 200);
  EXPECT_EQ(status("If-None-Match: \"x\"\r\nIf-Modified-Since: " + date + "\r\n"), 200);
}

TEST_F(Files, dates_of_all_three_forms_are_read) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), std::optional<std::time_t>(784111777)) << text;
  }
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT+1").has_value());
  EXPECT_FALSE(parse_http_date(std::string(100, ' ')).has_value());
}

TEST_F(Files, a_change_is_seen_after_a_second) {
  put("a", "one");
  const Site site(options());
  Driver driver(site);
  EXPECT_EQ(body_of(driver.feed(get("/file/a"))), "one");
  put("a", "three");
  driver.now += 999ms;
  EXPECT_EQ(body_of(driver.feed(get("/file/a"))), "one") << "not looked at more than once a second";
  driver.now += 1ms;
  EXPECT_EQ(body_of(driver.feed(get("/file/a"))), "three");
  fs::remove(docroot() / "a");
  driver.now += 1s;
  EXPECT_EQ(status_of(driver.feed(get("/file/a"))), 404);
  EXPECT_EQ(site.files()->bytes_in_use(), 0u);
}

TEST_F(Files, a_file_replaced_by_a_link_to_the_outside_is_refused) {
  put("a", "inside");
  const Site site(options());
  Driver driver(site);
  EXPECT_EQ(status_of(driver.feed(get("/file/a"))), 200);
  fs::remove(docroot() / "a");
  fs::create_symlink("../secret", docroot() / "a");
  driver.now += 1s;
  EXPECT_EQ(status_of(driver.feed(get("/file/a"))), 404);
}

TEST_F(Files, a_body_being_sent_outlives_the_cache) {
  const std::string text(100000, 'x');
  put("a", text);
  const Site site(options());
  Driver slow(site);
  slow.connection.advance(get("/file/a"), slow.now);
  fs::remove(docroot() / "a");
  Driver other(site);
  other.now += 1s;
  EXPECT_EQ(status_of(other.feed(get("/file/a"))), 404);
  EXPECT_EQ(site.files()->bytes_in_use(), 0u);
  EXPECT_TRUE(body_of(slow.drain(3333)) == text);
}

TEST_F(Files, the_cache_stays_within_its_bytes_and_forgets_the_oldest) {
  SiteOptions small = options();
  small.cache_bytes = 64 * kKiB;  // 4 KiB for each shard
  small.max_cached_file_bytes = 3000;
  const Site site(small);
  Driver driver(site);
  for (int i = 0; i < 200; ++i) {
    const std::string name = std::to_string(i);
    put(name, std::string(1000, 'x'));
    ASSERT_EQ(status_of(driver.feed(get("/file/" + name))), 200);
    ASSERT_LE(site.files()->bytes_in_use(), small.cache_bytes);
  }
  EXPECT_GT(site.files()->bytes_in_use(), small.cache_bytes / 2);
}

TEST_F(Files, many_threads_share_the_cache) {
  for (int i = 0; i < 8; ++i) put(std::to_string(i), std::string(3000 + i, 'x'));
  SiteOptions small = options();
  small.cache_bytes = 64 * kKiB;  // too small for all of them: hits, misses and evictions
  const Site site(small);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&site, &wrong, t] {
      Driver driver(site);
      for (unsigned i = 0; i < 500; ++i) {
        driver.now += 100ms;
        const unsigned file = (i * (t + 1)) % 8;
        const std::string body = body_of(driver.feed(get("/file/" + std::to_string(file))));
        if (body.size() != 3000 + file) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_F(Files, the_site_works_in_a_child_after_fork) {
  put("a", "text");
  const Site site(options());
  Driver before(site);
  EXPECT_EQ(body_of(before.feed(get("/file/a"))), "text");
  const pid_t child = fork();
  if (child == 0) {
    Driver driver(site);
    const bool right = body_of(driver.feed(get("/file/a"))) == "text" &&
                       body_of(driver.feed(get("/bytes/9"))) == site.pattern().substr(0, 9);
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(Files, running_out_of_descriptors_is_not_the_clients_error) {
  put("known", "text");
  put("unknown", "text");
  const Site site(options());
  Driver driver(site);
  EXPECT_EQ(body_of(driver.feed(get("/file/known"))), "text");
  driver.now += 1s;
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string known = driver.feed(get("/file/known"));
  const std::string unknown = driver.feed(get("/file/unknown"));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_EQ(body_of(known), "text");
  EXPECT_EQ(status_of(unknown), 500);
  EXPECT_EQ(status_of(driver.feed(get("/file/unknown"))), 200);
}

TEST_F(Files, a_docroot_that_cannot_be_opened_is_named) {
  for (const fs::path& bad : {folder_ / "missing", folder_ / "secret"}) {
    SiteOptions wrong;
    wrong.docroot = bad;
    try {
      const Site site(wrong);
      FAIL() << "accepted " << bad;
    } catch (const std::system_error& error) {
      EXPECT_NE(std::string(error.what()).find(bad.string()), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace baselines::test
