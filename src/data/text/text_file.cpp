#include "src/data/text/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <unistd.h>

#include "kernels/error.hpp"
#include "src/data/text/encoding.hpp"
#include "src/nn/disk_folder.hpp"

namespace recombine {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

UnpackedFile open_source(const std::string& path, Growth growth) {
  return path == "-" ? UnpackedFile::standard_input(growth) : UnpackedFile(path, growth);
}

/// The byte order of UTF-16 text, by its first mark, or because many bytes are zero in the even or the odd places only:
/// half of Latin letters in UTF-16. None: other text.
std::optional<ByteOrder> utf16_order(std::string_view start) {
  static constexpr std::string_view kUtf32 = {"\xFF\xFE\0\0", 4};
  if (start.starts_with(kUtf32)) return std::nullopt;
  if (start.starts_with("\xFF\xFE")) return ByteOrder::little;
  if (start.starts_with("\xFE\xFF")) return ByteOrder::big;
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i + 1 < start.size(); i += 2) {
    even += start[i] == '\0' ? 1 : 0;
    odd += start[i + 1] == '\0' ? 1 : 0;
  }
  const std::size_t most = start.size() / 2;
  if (even == 0 && odd > most / 2) return ByteOrder::little;
  if (odd == 0 && even > most / 2) return ByteOrder::big;
  return std::nullopt;
}

}  // namespace

TextFile::TextFile(const std::string& path, const DataBudget& budget) {
  UnpackedFile source = open_source(path, budget.growth());
  name_ = source.path();
  std::vector<char> first(kPiece);
  first.resize(source.read(first));
  require_input(!first.empty(), "{}: is empty; expected data", name_);
  const bool is_itself = path != "-" && !source.packed() && !utf16_order({first.data(), first.size()});
  if (is_itself) {
    bytes_ = source.file_bytes();
    file_ = std::move(source).take_file();
  } else {
    copy(source, std::move(first));
  }
}

/// Copies the text, of which `first` is read already, to a temporary file; UTF-16 as UTF-8.
void TextFile::copy(UnpackedFile& source, std::vector<char> first) {
  file_ = make_disk_file();
  require_input(file_.is_open(), "{}: no temporary file can be made in {} (set TMPDIR for another folder): {}", name_,
                disk_folder(), std::strerror(errno));
  static constexpr std::size_t kMark = 2;
  const std::string_view start(first.data(), first.size());
  const std::optional<ByteOrder> order = utf16_order(start);
  const bool has_mark = order && (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF"));
  std::optional<Utf16Decoder> decoder;
  if (order) {
    decoder.emplace(*order);
    notes_.push_back(fmt::format("{}: is UTF-16", name_));
  }
  std::string text;
  std::vector<char> piece = std::move(first);
  if (has_mark) piece.erase(piece.begin(), piece.begin() + kMark);
  for (std::size_t got = piece.size(); got > 0; got = source.read(piece)) {
    const std::string_view bytes(piece.data(), got);
    if (decoder) decoder->add(bytes, text);
    append(decoder ? text : bytes);
    text.clear();
    piece.resize(kPiece);
  }
  if (decoder) decoder->end(text);
  append(text);
  require_input(bytes_ > 0, "{}: is empty; expected data", name_);
}

void TextFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = pwrite(file_.get(), text.data(), text.size(), bytes_);
    if (done < 0 && errno == EINTR) continue;
    require_input(done > 0, "{}: its text does not fit into {} (set TMPDIR for another folder): {}; expected more room",
                  name_, disk_folder(), std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(done));
    bytes_ += done;
  }
}

std::size_t TextFile::read(std::int64_t offset, std::span<char> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got =
        pread(file_.get(), to.data() + done, to.size() - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    require_input(got >= 0, "{}: cannot read it: {}", name_, std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace recombine
