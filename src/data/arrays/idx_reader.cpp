#include "src/data/arrays/idx_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "distributed/io/convert.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

std::optional<Element> element_of(std::uint32_t magic) {
  switch (magic >> 8) {
    case 0x08: return Element::u1;
    case 0x09: return Element::i1;
    case 0x0B: return Element::i2;
    case 0x0C: return Element::i4;
    case 0x0D: return Element::f4;
    case 0x0E: return Element::f8;
    default: return std::nullopt;
  }
}

std::uint32_t big_endian(std::span<const char> bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

IdxReader::IdxReader(const std::string& path, Growth growth) : file_(path, growth) {
  std::array<char, 20> header{};
  std::size_t got = 0;
  const auto take = [&](std::size_t bytes) {
    const std::size_t more = file_.read(std::span(header).subspan(got, bytes));
    got += more;
    require_input(more == bytes, "{}: has {} bytes; expected an IDX file, whose header is longer", path, got);
  };
  take(4);
  const std::uint32_t magic = big_endian(std::span(header).first(4));
  const std::uint32_t dimensions = magic & 0xFF;
  const auto element = element_of(magic);
  require_input(element.has_value() && dimensions >= 1 && dimensions <= 4,
                "{}: has magic number {:#010x}; expected 0x00000803, or another IDX file of 1 to 4 dimensions", path,
                magic);
  element_ = *element;
  take(std::size_t{4} * dimensions);
  for (std::uint32_t d = 0; d < dimensions; ++d) {
    shape_.push_back(big_endian(std::span(header).subspan(4 * (d + 1), 4)));
  }
  require_input(std::ranges::count(shape_, 0) == 0, "{}: holds no items; expected at least one", path);
  bool uncountable = false;
  for (std::size_t d = 1; d < shape_.size(); ++d) {
    uncountable = __builtin_mul_overflow(cols_, shape_[d], &cols_) || uncountable;
  }
  std::int64_t size = 0;
  uncountable = uncountable || __builtin_mul_overflow(rows(), cols_, &size) ||
                __builtin_mul_overflow(size, size_of(element_), &size);
  const std::int64_t held = file_.file_bytes() - std::int64_t{4} * (1 + dimensions);
  if (uncountable || (!file_.packed() && size != held)) refuse_size(std::to_string(held));
  file_.require_allowed(size);
}

void IdxReader::refuse_size(const std::string& held) const {
  std::vector<std::int64_t> item(shape_.begin() + 1, shape_.end());
  if (item.empty() || size_of(element_) > 1) item.push_back(size_of(element_));
  throw InputError(fmt::format("{}: holds {} bytes after its header; expected {} items of {} byte{}, as it says",
                               path(), held, rows(), fmt::join(item, " x "),
                               cols_ * size_of(element_) == 1 ? "" : "s"));
}

void IdxReader::read_bytes(std::span<char> to) {
  const std::size_t got = file_.read(to);
  done_ += static_cast<std::int64_t>(got);
  if (got < to.size()) refuse_size(std::to_string(done_));
}

void IdxReader::read(std::span<std::uint8_t> to) {
  require(element_ == Element::u1, "{}: reading of {} as bytes", path(), text_of(element_));
  read_bytes({reinterpret_cast<char*>(to.data()), to.size()});
}

template <class T>
void IdxReader::read_converted(std::span<T> to) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 17;
  const auto size = static_cast<std::size_t>(size_of(element_));
  std::vector<char> bytes(std::min(to.size(), kAtOnce) * size);
  for (std::size_t done = 0; done < to.size(); done += kAtOnce) {
    const std::size_t n = std::min(kAtOnce, to.size() - done);
    const auto count = static_cast<std::int64_t>(n);
    read_bytes(std::span(bytes).first(n * size));
    auto* const elements = reinterpret_cast<std::byte*>(bytes.data());
    swap_bytes(elements, count, element_);
    convert({elements, 1, count, count, element_}, Transpose::no,
            as_matrix(vector_view(to.data() + done, count), 1, count));
  }
}

void IdxReader::read(std::span<float> to) { read_converted(to); }
void IdxReader::read(std::span<double> to) { read_converted(to); }

void IdxReader::finish() {
  std::array<char, 1> more{};
  if (file_.read(more) > 0) refuse_size("more");
}

}  // namespace recombine
