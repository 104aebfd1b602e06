#include "src/report/output_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "kernels/error.hpp"

namespace recombine {

void require_apart(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs) {
  const auto place = [](const NamedFile& file) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(file.path, ignored), ignored);
  };
  const auto same = [&](const NamedFile& a, const NamedFile& b) {
    return !a.path.empty() && !b.path.empty() && place(a) == place(b);
  };
  std::vector<NamedFile> others = inputs;
  for (const NamedFile& output : outputs) {
    for (const NamedFile& other : others) {
      require_input(!same(output, other), "--{} {}: is --{} too; a file of its own is right", output.option,
                    output.path, other.option);
    }
    others.push_back(output);
  }
}

OutputFile::OutputFile(const std::string& option, const std::string& path)
    : name_(fmt::format("--{} {}", option, path)), path_(path), temporary_(path) {
  require_replaceable(name_, path);
  file_ = std::fopen(temporary_.path().c_str(), "wb");
  require_input(file_ != nullptr, "{}: cannot write there: {}; a path in a writable folder is right", name_,
                std::strerror(errno));
}

OutputFile::~OutputFile() {
  if (file_) std::fclose(file_);
}

void OutputFile::fail() const { throw Error(fmt::format("{}: cannot write: {}", name_, std::strerror(errno))); }

void OutputFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail();
}

void OutputFile::flush() {
  if (std::fflush(file_) != 0) fail();
}

void OutputFile::publish() { temporary_.rename(name_); }

void OutputFile::commit() {
  flush();
  if (fsync(fileno(file_)) != 0) fail();
  temporary_.rename(name_);
  std::fclose(file_);
  file_ = nullptr;
}

}  // namespace recombine
