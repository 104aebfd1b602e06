#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>

#include "distributed/io/shared_file.hpp"
#include "tests/distributed/io/npy_fixture.hpp"

namespace recombine {
namespace {

/// Limits the length of files that this process may write, as a full disk does.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

/// Runs as a user who is not root while it exists: permissions do not stop root.
class Nobody {
 public:
  Nobody() : before_(geteuid()) {
    if (before_ == 0) changed_ = seteuid(65534) == 0;
  }
  ~Nobody() {
    if (changed_ && seteuid(before_) != 0) std::abort();
  }

 private:
  uid_t before_;
  bool changed_ = false;
};

class NpyFailure : public NpyTest {
 protected:
  std::unique_ptr<NpyWriter> make_writer(const std::string& file, DistMatrix::Shape shape) {
    return std::make_unique<NpyWriter>(*world_, *stream_, "out", file, DataType::f32, shape);
  }
  void expect_nothing_left(std::int64_t files = 0) {
    barrier();
    EXPECT_EQ(files_there(), files);
    barrier();
  }
};

TEST_F(NpyFailure, FilesThatCannotBeReadAreNamed) {
  const auto error = [&](const std::string& file) { return error_of<InputError>([&] { NpyReader("a", file); }); };
  const std::string missing = path("none.npy");
  EXPECT_EQ(error(missing),
            "--a " + missing + ": cannot be read: No such file or directory; expected a readable .npy file");
  EXPECT_EQ(error(folder_.string()), "--a " + folder_.string() + ": is a folder; expected a regular .npy file");
  EXPECT_EQ(error("/dev/null"), "--a /dev/null: is a character device; expected a regular .npy file");
  save(own_path(), "");
  EXPECT_EQ(error(own_path()), "--a " + own_path() + ": is empty; expected an array saved by numpy.save");
  const NpyHeader header{.rows = 10, .cols = 100};
  save(own_path(), file_bytes(header, DataType::f32).substr(0, 1000));
  EXPECT_EQ(error(own_path()),
            "--a " + own_path() + ": is cut short: has 1000 bytes; expected 4128, as its header announces");
  save(own_path(), file_bytes(header, DataType::f32) + "\n");
  EXPECT_EQ(error(own_path()),
            "--a " + own_path() + ": is too long: has 4129 bytes; expected 4128, as its header announces");
  chmod(own_path().c_str(), 0);
  const Nobody nobody;
  EXPECT_EQ(error(own_path()),
            "--a " + own_path() + ": cannot be read: Permission denied; expected a readable .npy file");
}

TEST_F(NpyFailure, AFileCutShortWhileItIsReadFailsTheStream) {
  save(own_path(), file_bytes({.rows = 10, .cols = 100}, DataType::f32));
  NpyReader reader("a", own_path());
  std::filesystem::resize_file(own_path(), 1000);
  std::vector<float> memory(1000);
  reader.read(*stream_, {0, 10}, {0, 100}, Transpose::no, as_matrix(vector_view(memory.data(), 1000), 10, 100));
  EXPECT_EQ(error_of<Error>([&] { stream_->synchronize(); }),
            "--a " + own_path() + ": ends at byte 1000: it was cut short while it was read");
}

TEST_F(NpyFailure, ColumnsOfAFileCutShortWhileItIsReadFailTheStream) {
  save(own_path(), file_bytes({.rows = 10, .cols = 10000}, DataType::f32));
  NpyReader reader("a", own_path());
  std::filesystem::resize_file(own_path(), 200000);
  std::vector<float> memory(1000);
  reader.read(*stream_, {0, 10}, {0, 100}, Transpose::no, as_matrix(vector_view(memory.data(), 1000), 10, 100));
  EXPECT_EQ(error_of<Error>([&] { stream_->synchronize(); }),
            "--a " + own_path() + ": ends at byte 200128: it was cut short while it was read");
}

TEST_F(NpyFailure, RectanglesOutsideTheMatrixAreRefused) {
  save(own_path(), file_bytes({.rows = 10, .cols = 10}, DataType::f32));
  NpyReader reader("a", own_path());
  std::vector<float> memory(100);
  const MatrixView to = as_matrix(vector_view(memory.data(), 100), 10, 10);
  EXPECT_THROW(reader.read(*stream_, {1, 11}, {0, 10}, Transpose::no, to), Error);
  EXPECT_THROW(reader.read(*stream_, {0, 10}, {0, 9}, Transpose::no, to), Error);
  const auto writer = make_writer(path("c.npy"), {10, 10});
  EXPECT_THROW(writer->write(*stream_, {1, 11}, {0, 10}, to), Error);
  EXPECT_THROW(writer->write(*stream_, {0, 10}, {0, 9}, to), Error);
}

TEST_F(NpyFailure, EveryRankReportsAPathThatCannotBeWritten) {
  const std::string nowhere = path("none/c.npy");
  EXPECT_EQ(
      error_of<InputError>([&] {
        make_writer(nowhere, {4, 4});
      }),
      "--out " + nowhere + ": cannot write there: No such file or directory; expected a path in a writable folder");
  EXPECT_EQ(error_of<InputError>([&] {
              make_writer(folder_.string(), {4, 4});
            }),
            "--out " + folder_.string() + ": is a folder; expected a regular file or a new name");
  EXPECT_EQ(error_of<InputError>([&] {
              make_writer("", {4, 4});
            }),
            "--out : cannot write there: No such file or directory; expected a path in a writable folder");
  const std::string file = path("c.npy");
  const Nobody nobody;
  EXPECT_EQ(error_of<InputError>([&] {
              make_writer(file, {4, 4});
            }),
            "--out " + file + ": cannot write there: Permission denied; expected a path in a writable folder");
  expect_nothing_left();
}

TEST_F(NpyFailure, AMatrixThatDoesNotFitOnTheDiskIsReportedBeforeTheWork) {
  const std::string file = path("c.npy");
  {
    const FileLimit limit(2000);
    EXPECT_EQ(error_of<InputError>([&] {
                make_writer(file, {10, 100});
              }),
              "--out " + file + ": cannot write there: File too large; expected a place with room for 4128 bytes");
  }
  expect_nothing_left();
}

TEST_F(NpyFailure, EveryRankReportsAWriteThatFailsOnOneRank) {
  const std::string file = path("c.npy");
  save(own_path(), "kept");
  auto writer = make_writer(file, {1000, 1000});
  const std::vector<float> memory(1000000);
  const ConstMatrixView from = as_matrix(vector_view(memory.data(), 1000000), 1000, 1000);
  if (world_->rank() == world_->size() - 1) {
    const FileLimit limit(2000);
    writer->write(*stream_, {0, 1000}, {0, 1000}, from);
    writer->write(*stream_, {0, 1000}, {0, 10}, from.block(0, 0, 1000, 10));
    stream_->synchronize();
  }
  EXPECT_EQ(error_of<Error>([&] { writer->commit(*stream_); }), "--out " + file + ": cannot write: File too large");
  writer.reset();
  expect_nothing_left(world_->size());
}

TEST_F(NpyFailure, WithoutCommitTheOldFileStays) {
  const std::string file = path("c.npy");
  if (world_->rank() == 0) save(file, "old");
  barrier();
  make_writer(file, {10, 10}).reset();
  expect_nothing_left(1);
  EXPECT_EQ(load(file), "old");
  make_writer(file, {0, 10})->commit(*stream_);
  EXPECT_EQ(load(file), format_npy_header({.rows = 0, .cols = 10}));
}

TEST_F(NpyFailure, KeepsAResultThatCannotBeRenamedAndNamesItOnEveryRank) {
  const std::string file = path("c.npy");
  auto writer = make_writer(file, {1, 1});
  const std::string kept = writer->temporary_path();
  const float one = 1;
  if (world_->rank() == 0) writer->write(*stream_, {0, 1}, {0, 1}, as_matrix(vector_view(&one, 1), 1, 1));
  if (world_->rank() == 0) std::filesystem::create_directory(file);
  EXPECT_EQ(error_of<Error>([&] { writer->commit(*stream_); }),
            "--out " + file + ": cannot rename the finished file: Is a directory; the data are kept in " + kept);
  writer.reset();
  expect_nothing_left(2);
  NpyReader reader("a", kept);
  EXPECT_EQ(reader.header().rows, 1);
}

TEST_F(NpyFailure, DoesNotWriteAFileThatWasReplaced) {
  save(own_path(), "foreign");
  SharedFile::Identity identity{own_path(), 0};
  const std::string error = error_of<InputError>([&] { SharedFile("--out c", identity); });
  EXPECT_NE(error.find("expected a folder that all hosts share"), std::string::npos) << error;
  struct stat status {};
  ASSERT_EQ(stat(own_path().c_str(), &status), 0);
  identity = {own_path() + ".link", status.st_ino};
  std::filesystem::create_symlink(own_path(), identity.path);
  EXPECT_THROW(SharedFile("--out c", identity), InputError);
  ASSERT_EQ(mkfifo((own_path() + ".pipe").c_str(), 0600), 0);  // a pipe without a reader
  EXPECT_THROW(SharedFile("--out c", {own_path() + ".pipe", status.st_ino}), InputError);
  EXPECT_EQ(load(own_path()), "foreign");
}

}  // namespace
}  // namespace recombine
