// The file behind /disk/: what is accepted as one, where the reads go, and what they prove.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <stdexcept>

#include "baselines/common/job.h"
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

constexpr std::uint64_t kBlocks = 32;

// A file of the test, where the tests of a build usually run; skips where that is in memory.
class Disk : public testing::Test {
 protected:
  void SetUp() override {
    write_blocks(0);
    try {
      const DiskFile usable(path_);
    } catch (const std::runtime_error& error) {
      if (std::string(error.what()).find("file system") == std::string::npos) throw;
      GTEST_SKIP() << error.what();
    }
  }
  void TearDown() override { unlink(path_.c_str()); }

  // Blocks 0 to kBlocks - 1 as they would be numbered from `first`.
  void write_blocks(std::uint64_t first) const {
    std::ofstream file(path_, std::ios::binary);
    std::array<char, kDiskBlockBytes> block;
    for (std::uint64_t i = 0; i < kBlocks; ++i) {
      fill_disk_block(first + i, block);
      file.write(block.data(), block.size());
    }
  }

  std::string why_refused() const {
    try {
      const DiskFile file(path_);
      return "not refused";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  std::string path_ = "disk_file_" + std::to_string(getpid());
  DiskBuffer block_ = make_disk_buffer();
};

TEST_F(Disk, reads_go_everywhere_and_end) {
  const DiskFile file(path_);
  DiskReads reads = file.random_reads(400);
  std::set<off_t> places;
  while (reads.left > 0) {
    const off_t at = reads.offset();
    places.insert(at);
    ASSERT_EQ(at % static_cast<off_t>(kDiskBlockBytes), 0);
    ASSERT_LT(at, static_cast<off_t>(kBlocks * kDiskBlockBytes));
    ASSERT_TRUE(reads.took(pread(reads.fd, block_.get(), kDiskBlockBytes, at), block_.get()));
  }
  // That one of 32 places is missed by 400 reads happens once in 10,000 runs; that half are, never.
  EXPECT_GT(places.size(), kBlocks / 2);
}

TEST_F(Disk, a_read_of_the_wrong_place_or_none_is_noticed) {
  const DiskFile file(path_);
  DiskReads reads = file.random_reads(2);
  const off_t other = (reads.offset() + static_cast<off_t>(kDiskBlockBytes)) %
                      static_cast<off_t>(kBlocks * kDiskBlockBytes);
  EXPECT_FALSE(reads.took(pread(reads.fd, block_.get(), kDiskBlockBytes, other), block_.get()));
  EXPECT_FALSE(reads.took(-1, block_.get()));
  EXPECT_FALSE(reads.took(512, block_.get()));
  EXPECT_EQ(reads.left, 2u);
  EXPECT_TRUE(reads.read_all(block_.get()));
  EXPECT_EQ(reads.left, 0u);
}

TEST_F(Disk, two_requests_read_different_places) {
  const DiskFile file(path_);
  EXPECT_NE(file.random_reads(1).random, file.random_reads(1).random);
}

TEST_F(Disk, what_is_not_such_a_file_is_refused_in_a_sentence) {
  write_blocks(1);
  EXPECT_NE(why_refused().find("does not hold the blocks"), std::string::npos);
  EXPECT_EQ(truncate(path_.c_str(), 100), 0);
  EXPECT_NE(why_refused().find("does not hold the blocks"), std::string::npos);
  unlink(path_.c_str());
  EXPECT_NE(why_refused().find("No such file"), std::string::npos);
}

TEST_F(Disk, the_answer_says_how_much_was_read) {
  SiteOptions options;
  options.disk_file = path_;
  const Site site(options);
  Driver driver(site);
  EXPECT_EQ(driver.feed(get("/disk/3")), "");
  ASSERT_EQ(driver.connection.want(), Want::job);
  auto& job = std::get<DiskJob>(driver.connection.job().work);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(job.block.get()) % kDiskAlignment, 0u);
  EXPECT_TRUE(job.reads.read_all(job.block.get()));
  driver.connection.done(driver.now);
  EXPECT_EQ(body_of(driver.drain()), "3 blocks read\n");
  for (const char* path : {"/disk/", "/disk/257", "/disk/x", "/disk/1/2"}) {
    EXPECT_EQ(status_of(driver.feed(get(path))), 404) << path;
  }
}

TEST(DiskInMemory, is_refused_because_no_read_would_reach_a_disk) {
  const std::string path = "/dev/shm/disk_file_" + std::to_string(getpid());
  const Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) GTEST_SKIP() << "there is no /dev/shm to try it in";
  std::string why;
  try {
    const DiskFile refused(path);
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  unlink(path.c_str());
  EXPECT_TRUE(why.find("is in memory") != std::string::npos ||
              why.find("has no O_DIRECT") != std::string::npos)
      << why;
}

}  // namespace
}  // namespace baselines::test
