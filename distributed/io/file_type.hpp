#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "distributed/io/byte_order.hpp"
#include "kernels/types.hpp"

namespace recombine {

/// The types of elements in files, under numpy's names: bool (b), integer (i), unsigned (u) or float (f), and the
/// number of bytes. Devices compute with fewer types (DataType), so a file's elements are converted when they are read.
enum class Element : std::uint8_t { b1, i1, i2, i4, i8, u1, u2, u4, u8, f2, f4, f8 };

constexpr std::int64_t size_of(Element element) {
  switch (element) {
    case Element::b1:
    case Element::i1:
    case Element::u1: return 1;
    case Element::i2:
    case Element::u2:
    case Element::f2: return 2;
    case Element::i4:
    case Element::u4:
    case Element::f4: return 4;
    case Element::i8:
    case Element::u8:
    case Element::f8: return 8;
  }
  return 0;
}

constexpr bool is_float(Element element) { return element >= Element::f2; }

/// How a file holds its elements.
struct FileType {
  Element element = Element::f4;
  ByteOrder order = ByteOrder::little;

  constexpr FileType() = default;
  constexpr FileType(Element of, ByteOrder in = ByteOrder::little) : element(of), order(in) {}
  FileType(DataType type);  ///< @throws Error unless type is f32 or f64

  bool operator==(const FileType&) const = default;
};

constexpr std::int64_t size_of(FileType type) { return size_of(type.element); }

/// The type with which a device computes on these elements as they are; none: they must be converted, or their bytes
/// swapped.
std::optional<DataType> native_type(FileType type);

/// For messages: "f32", "i8 (64-bit integers)", "big-endian f4".
std::string text_of(FileType type);

/// The type that numpy calls `descr`: "<f4", "|b1", "float32", "f". None: `descr` is not one of the types above.
std::optional<FileType> file_type_named(std::string_view descr);

/// Reverses the bytes of each of `count` elements.
void swap_bytes(std::byte* data, std::int64_t count, Element element);

}  // namespace recombine
