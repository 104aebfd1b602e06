#pragma once

#include <cstdint>
#include <string_view>

namespace recombine {

/// The type of the elements of a matrix or vector.
enum class DataType : std::uint8_t { f32, f64, bf16, i64, i32, u8 };

/// Bytes of one element.
constexpr std::int64_t size_of(DataType type) {
  switch (type) {
    case DataType::f64:
    case DataType::i64: return 8;
    case DataType::f32:
    case DataType::i32: return 4;
    case DataType::bf16: return 2;
    case DataType::u8: return 1;
  }
  return 0;
}

constexpr std::string_view name_of(DataType type) {
  switch (type) {
    case DataType::f32: return "f32";
    case DataType::f64: return "f64";
    case DataType::bf16: return "bf16";
    case DataType::i64: return "i64";
    case DataType::i32: return "i32";
    case DataType::u8: return "u8";
  }
  return "?";
}

/// Storage of a bf16: the upper half of an f32. Math::cast converts to and from it.
struct BFloat16 {
  std::uint16_t bits = 0;
  bool operator==(const BFloat16&) const = default;
};

/// The DataType of a C++ type: data_type_of<float> is f32.
template <class T>
inline constexpr DataType data_type_of = T::no_such_data_type;
template <>
inline constexpr DataType data_type_of<float> = DataType::f32;
template <>
inline constexpr DataType data_type_of<double> = DataType::f64;
template <>
inline constexpr DataType data_type_of<BFloat16> = DataType::bf16;
template <>
inline constexpr DataType data_type_of<std::int64_t> = DataType::i64;
template <>
inline constexpr DataType data_type_of<std::int32_t> = DataType::i32;
template <>
inline constexpr DataType data_type_of<std::uint8_t> = DataType::u8;

}  // namespace recombine
