#include "distributed/io/output_file.hpp"

#include <filesystem>
#include <utility>

#include "kernels/error.hpp"

namespace recombine {

namespace {

namespace fs = std::filesystem;

/// The absolute path. A symbolic link as its last part is not followed: writing an output replaces the link itself.
fs::path own_name(const NamedFile& file) {
  std::error_code ignored;
  const fs::path path = fs::absolute(file.path, ignored);
  return fs::weakly_canonical(path.parent_path(), ignored) / path.filename();
}

fs::path followed(const NamedFile& file) {
  std::error_code ignored;
  return fs::weakly_canonical(fs::absolute(file.path, ignored), ignored);
}

void refuse_if(bool same, const NamedFile& output, const NamedFile& other) {
  require_input(!same, "--{} {}: is the file of --{} too; expected another file", output.option, output.path,
                other.option);
}

}  // namespace

void require_apart(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs) {
  std::vector<NamedFile> earlier;
  for (const NamedFile& output : outputs) {
    if (output.path.empty()) continue;
    const fs::path name = own_name(output);
    for (const NamedFile& input : inputs) {
      refuse_if(!input.path.empty() && (name == own_name(input) || name == followed(input)), output, input);
    }
    for (const NamedFile& other : earlier) refuse_if(name == own_name(other), output, other);
    earlier.push_back(output);
  }
}

OutputFile::OutputFile(const std::string& option, const std::string& path)
    : temporary_(fmt::format("--{} {}", option, path), path) {}

void OutputFile::write(std::string_view bytes) {
  static constexpr std::size_t kBuffer = std::size_t{1} << 16;
  if (buffer_.size() + bytes.size() > kBuffer) flush();
  if (bytes.size() > kBuffer) return temporary_.write(bytes);
  buffer_ += bytes;
}

void OutputFile::flush() { temporary_.write(std::exchange(buffer_, {})); }

void OutputFile::publish() {
  flush();
  temporary_.publish();
}

void OutputFile::commit() {
  flush();
  temporary_.commit();
}

}  // namespace recombine
