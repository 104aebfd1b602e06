#include "distributed/io/file_type.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "kernels/error.hpp"

namespace recombine {

namespace {

struct Name {
  std::string_view name;
  Element element;
};

/// Names that may follow a byte order. The letters are those of Python's module array, for Linux on 64 bits.
constexpr std::array kCodes = {
    Name{"b1", Element::b1}, Name{"?", Element::b1}, Name{"i1", Element::i1}, Name{"b", Element::i1},
    Name{"i2", Element::i2}, Name{"h", Element::i2}, Name{"i4", Element::i4}, Name{"i", Element::i4},
    Name{"i8", Element::i8}, Name{"l", Element::i8}, Name{"q", Element::i8},  Name{"p", Element::i8},
    Name{"u1", Element::u1}, Name{"B", Element::u1}, Name{"u2", Element::u2}, Name{"H", Element::u2},
    Name{"u4", Element::u4}, Name{"I", Element::u4}, Name{"u8", Element::u8}, Name{"L", Element::u8},
    Name{"Q", Element::u8},  Name{"P", Element::u8}, Name{"f2", Element::f2}, Name{"e", Element::f2},
    Name{"f4", Element::f4}, Name{"f", Element::f4}, Name{"f8", Element::f8}, Name{"d", Element::f8}};

/// Names that stand alone.
constexpr std::array kWords = {
    Name{"bool", Element::b1},     Name{"bool_", Element::b1},     Name{"int8", Element::i1},
    Name{"byte", Element::i1},     Name{"int16", Element::i2},     Name{"short", Element::i2},
    Name{"int32", Element::i4},    Name{"intc", Element::i4},      Name{"int64", Element::i8},
    Name{"int", Element::i8},      Name{"int_", Element::i8},      Name{"long", Element::i8},
    Name{"longlong", Element::i8}, Name{"intp", Element::i8},      Name{"uint8", Element::u1},
    Name{"ubyte", Element::u1},    Name{"uint16", Element::u2},    Name{"ushort", Element::u2},
    Name{"uint32", Element::u4},   Name{"uintc", Element::u4},     Name{"uint64", Element::u8},
    Name{"uint", Element::u8},     Name{"ulonglong", Element::u8}, Name{"uintp", Element::u8},
    Name{"float16", Element::f2},  Name{"half", Element::f2},      Name{"float32", Element::f4},
    Name{"single", Element::f4},   Name{"float64", Element::f8},   Name{"double", Element::f8},
    Name{"float", Element::f8}};

template <class Names>
std::optional<Element> find(const Names& names, std::string_view name) {
  const auto at = std::ranges::find(names, name, &Name::name);
  return at == names.end() ? std::nullopt : std::optional(at->element);
}

template <class Word>
void swap_words(std::byte* data, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, data + i * sizeof word, sizeof word);
    if constexpr (sizeof word == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof word == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof word == 8) word = __builtin_bswap64(word);
    std::memcpy(data + i * sizeof word, &word, sizeof word);
  }
}

}  // namespace

FileType::FileType(DataType type) : element(type == DataType::f64 ? Element::f8 : Element::f4) {
  require(type == DataType::f32 || type == DataType::f64, "no .npy file of {}", name_of(type));
}

std::optional<DataType> native_type(FileType type) {
  if (type == FileType(Element::f4)) return DataType::f32;
  if (type == FileType(Element::f8)) return DataType::f64;
  return std::nullopt;
}

std::string text_of(FileType type) {
  if (const auto native = native_type(type)) return std::string(name_of(*native));
  const auto* const code = std::ranges::find(kCodes, type.element, &Name::element);
  const std::int64_t bits = 8 * size_of(type);
  const std::string order = type.order == ByteOrder::big && bits > 8 ? "big-endian " : "";
  if (type.element == Element::b1) return "b1 (bool)";
  if (is_float(type.element) && bits > 16) return order + std::string(code->name);
  const bool is_unsigned = type.element >= Element::u1 && type.element <= Element::u8;
  return fmt::format("{}{} ({}{}-bit {})", order, code->name, is_unsigned ? "unsigned " : "", bits,
                     is_float(type.element) ? "floats" : "integers");
}

std::optional<FileType> file_type_named(std::string_view descr) {
  if (const auto element = find(kWords, descr)) return FileType(*element);
  ByteOrder order = ByteOrder::little;
  if (!descr.empty() && std::string_view("<>=|").find(descr.front()) != std::string_view::npos) {
    if (descr.front() == '>') order = ByteOrder::big;
    descr.remove_prefix(1);
  }
  const auto element = find(kCodes, descr);
  if (!element) return std::nullopt;
  return FileType(*element, size_of(*element) == 1 ? ByteOrder::little : order);
}

void swap_bytes(std::byte* data, std::int64_t count, Element element) {
  switch (size_of(element)) {
    case 2: return swap_words<std::uint16_t>(data, count);
    case 4: return swap_words<std::uint32_t>(data, count);
    case 8: return swap_words<std::uint64_t>(data, count);
    default: return;
  }
}

}  // namespace recombine
