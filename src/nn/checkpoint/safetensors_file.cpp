#include "src/nn/checkpoint/safetensors_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>

#include <fcntl.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kMostHeader = 100'000'000;  // bytes, by the format's definition

/// A tensor of the header. @param size  bytes of all tensors
StoredTensor stored_tensor(const std::string& file, const std::string& key, const nlohmann::json& value,
                           std::int64_t size) {
  for (const char* const list : {"data_offsets", "shape"}) {  // get() would round 1.5
    for (const nlohmann::json& number : value.at(list)) {
      require_input(number.is_number_unsigned(), "{}: tensor {}: {} has {}; expected whole numbers >= 0", file, key,
                    list, number.dump());
    }
  }
  const auto offsets = value.at("data_offsets").get<std::vector<std::int64_t>>();
  StoredTensor tensor{.type = value.at("dtype").get<std::string>(),
                      .shape = value.at("shape").get<std::vector<std::int64_t>>()};
  require_input(offsets.size() == 2 && 0 <= offsets[0] && offsets[0] <= offsets[1] && offsets[1] <= size,
                "{}: tensor {} lies at bytes {} of the data; expected at most byte {}, where the file ends: it was cut "
                "short, or is damaged",
                file, key, fmt::join(offsets, " to "), size);
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  return tensor;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& option, const std::string& path)
    : name_("--" + option + " " + path) {
  require_regular(name_, path);
  file_ = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require_input(file_.is_open(), "{}: cannot open it: {}; expected a safetensors file", name_, std::strerror(errno));
  struct stat status {};
  require(fstat(file_.get(), &status) == 0, "{}: fstat: {}", name_, std::strerror(errno));
  size_ = status.st_size;
  read_header();
}

void SafetensorsFile::read_at(std::int64_t offset, void* to, std::int64_t size) const {
  auto* at = static_cast<std::byte*>(to);
  while (size > 0) {
    const ssize_t got = pread(file_.get(), at, static_cast<std::size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    require(got >= 0, "{}: cannot read it: {}", name_, std::strerror(errno));
    require_input(got > 0, "{}: ends at byte {}: it was cut short", name_, offset);
    at += got, offset += got, size -= got;
  }
}

void SafetensorsFile::read_header() {
  static constexpr std::int64_t kLength = 8;
  require_input(size_ >= kLength, "{}: has {} bytes; expected a safetensors file", name_, size_);
  std::array<unsigned char, kLength> bytes{};
  read_at(0, bytes.data(), kLength);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
  const std::int64_t most = std::min(size_ - kLength, kMostHeader);
  require_input(length <= static_cast<std::uint64_t>(most),
                "{}: is no safetensors file, or was cut short: its first 8 bytes announce a header of {} bytes; "
                "expected at most {}",
                name_, length, most);
  std::string text(length, '\0');
  read_at(kLength, text.data(), static_cast<std::int64_t>(length));
  data_ = kLength + static_cast<std::int64_t>(length);
  const auto no_tensors = [&] {
    return InputError(fmt::format("{}: its header is no JSON of tensors; expected a safetensors file", name_));
  };
  try {
    const auto header = nlohmann::json::parse(text);
    if (!header.is_object()) throw no_tensors();
    for (const auto& [key, value] : header.items()) {
      if (key != "__metadata__") tensors_.emplace(key, stored_tensor(name_, key, value, size_ - data_));
    }
  } catch (const nlohmann::json::exception&) {
    throw no_tensors();
  }
  require_covered();
}

/// The tensors must lie one after the other, from the first byte after the header to the last byte of the file.
void SafetensorsFile::require_covered() const {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> ranges;
  for (const auto& [name, tensor] : tensors_) ranges.emplace_back(tensor.begin, tensor.end, name);
  std::ranges::sort(ranges);
  std::int64_t end = 0;
  for (const auto& [begin, after, name] : ranges) {
    require_input(begin == end, "{}: tensor {} begins at byte {}; expected byte {}, where the one before it ends",
                  name_, name, begin, end);
    end = after;
  }
  require_input(end == size_ - data_, "{}: its tensors end at byte {}; expected byte {}, where the file ends", name_,
                end, size_ - data_);
}

}  // namespace recombine
