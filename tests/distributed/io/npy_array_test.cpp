#include "distributed/io/npy_array.hpp"

#include <numeric>

#include "tests/distributed/io/npy_fixture.hpp"

namespace recombine {
namespace {

struct Type {
  FileType type;
  std::string descr;
};
const std::vector<Type> kTypes = {{Element::b1, "|b1"},
                                  {Element::i1, "|i1"},
                                  {Element::u1, "|u1"},
                                  {Element::i2, "<i2"},
                                  {Element::u2, "<u2"},
                                  {Element::i4, "<i4"},
                                  {Element::u4, "<u4"},
                                  {Element::i8, "<i8"},
                                  {Element::u8, "<u8"},
                                  {Element::f2, "<f2"},
                                  {Element::f4, "<f4"},
                                  {Element::f8, "<f8"},
                                  {{Element::i2, ByteOrder::big}, ">i2"},
                                  {{Element::u4, ByteOrder::big}, ">u4"},
                                  {{Element::i8, ByteOrder::big}, ">i8"},
                                  {{Element::f2, ByteOrder::big}, ">f2"},
                                  {{Element::f4, ByteOrder::big}, ">f4"},
                                  {{Element::f8, ByteOrder::big}, ">f8"}};

/// The lowest `size` bytes of `bits`.
std::string bytes_of(std::uint64_t bits, std::int64_t size, ByteOrder order) {
  std::string bytes;
  for (std::int64_t b = 0; b < size; ++b) bytes += static_cast<char>(bits >> (8 * b) & 0xFF);
  if (order == ByteOrder::big) std::ranges::reverse(bytes);
  return bytes;
}

/// A whole number from 0 to 127 as an element.
std::string encoded(int value, FileType type) {
  std::uint64_t bits = static_cast<std::uint64_t>(value);
  if (type.element == Element::f4) bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  if (type.element == Element::f8) bits = std::bit_cast<std::uint64_t>(static_cast<double>(value));
  if (type.element == Element::f2 && value != 0) {
    const int exponent = std::ilogb(value);
    bits = static_cast<std::uint64_t>((exponent + 15) << 10 | (value << (10 - exponent) & 1023));
  }
  return bytes_of(bits, size_of(type), type.order);
}

/// Arrays with another element at every place: its number in C order, below 128.
class NpyArrayTest : public NpyTest {
 protected:
  static int number(std::int64_t place, FileType type) {
    return static_cast<int>(type.element == Element::b1 ? place % 2 : place % 127);
  }
  static std::string file_of(const Type& type, const std::vector<std::int64_t>& shape, MatrixOrder order) {
    std::string extents;
    for (const std::int64_t extent : shape) extents += fmt::format("{},", extent);
    std::string literal = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}\n", type.descr,
                                      order == MatrixOrder::columns ? "True" : "False", extents);
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(literal.size());
    bytes += '\0' + literal;
    const std::int64_t count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    for (std::int64_t at = 0; at < count; ++at) {
      bytes += encoded(number(order == MatrixOrder::rows ? at : place_of(at, shape), type.type), type.type);
    }
    return bytes;
  }
  /// Where the element of Fortran order's place `at` lies in C order.
  static std::int64_t place_of(std::int64_t at, const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> index;
    for (const std::int64_t extent : shape) {
      index.push_back(at % extent);
      at /= extent;
    }
    std::int64_t place = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) place = place * shape[d] + index[d];
    return place;
  }
};

TEST_F(NpyArrayTest, RowsOfEveryTypeOrderAndShapeAreRead) {
  for (const Type& type : kTypes) {
    for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{
             {0}, {5}, {0, 3}, {3, 0}, {7, 1}, {4, 33}, {33, 4}, {3, 2, 5}, {6, 3, 4, 2}, {2, 1, 1, 1}}) {
      for (const MatrixOrder order : {MatrixOrder::rows, MatrixOrder::columns}) {
        save(own_path(), file_of(type, shape, order));
        const NpyArray array("--data x.npy", own_path());
        ASSERT_EQ(array.header().shape, shape);
        const std::int64_t cols = array.header().cols;
        for (std::int64_t first = 0; first < shape[0]; ++first) {
          const std::int64_t rows = std::min<std::int64_t>(shape[0] - first, 1 + first % 3);
          std::vector<float> narrow(static_cast<std::size_t>(rows * cols));
          std::vector<double> wide(narrow.size());
          array.read(first, as_matrix(vector_view(narrow.data(), rows * cols), rows, cols));
          array.read(first, as_matrix(vector_view(wide.data(), rows * cols), rows, cols));
          for (std::int64_t i = 0; i < rows * cols; ++i) {
            const int expected = number(first * cols + i, type.type);
            ASSERT_EQ(narrow[static_cast<std::size_t>(i)], expected) << type.descr << " at " << i << " from " << first;
            ASSERT_EQ(wide[static_cast<std::size_t>(i)], expected) << type.descr << " at " << i << " from " << first;
          }
        }
      }
    }
  }
}

TEST_F(NpyArrayTest, BytesAreReadAsTheyAre) {
  for (const MatrixOrder order : {MatrixOrder::rows, MatrixOrder::columns}) {
    save(own_path(), file_of(kTypes[2], {6, 3, 4}, order));
    const NpyArray array("--data x.npy", own_path());
    std::vector<std::uint8_t> bytes(36);
    array.read(2, bytes);
    for (std::size_t i = 0; i < 36; ++i) EXPECT_EQ(bytes[i], 24 + i);
  }
  save(own_path(), file_of(kTypes[1], {2, 2}, MatrixOrder::rows));
  std::vector<std::uint8_t> bytes(4);
  EXPECT_THROW(NpyArray("--data x.npy", own_path()).read(0, bytes), Error);
}

TEST_F(NpyArrayTest, LongFilesAreConvertedInParts) {
  constexpr std::int64_t kRows = 1100, kCols = 2003;  // of f8: more than 16 MiB
  for (const MatrixOrder order : {MatrixOrder::rows, MatrixOrder::columns}) {
    save(own_path(), file_of({{Element::f8, ByteOrder::big}, ">f8"}, {kRows, kCols}, order));
    std::vector<float> values(kRows * kCols);
    NpyArray("--data x.npy", own_path()).read(0, as_matrix(vector_view(values.data(), kRows * kCols), kRows, kCols));
    for (std::int64_t i = 0; i < kRows * kCols; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], i % 127) << i;
  }
}

TEST_F(NpyArrayTest, MatricesOfEveryTypeAreReadByBlocks) {
  constexpr std::int64_t kRows = 37, kCols = 2100;  // a row of f8 is longer than a gap that is read
  for (const Type& type : kTypes) {
    for (const MatrixOrder order : {MatrixOrder::rows, MatrixOrder::columns}) {
      save(own_path(), file_of(type, {kRows, kCols}, order));
      NpyReader reader("a", own_path());
      for (const auto& [rows, cols] : {std::pair{Range{0, kRows}, Range{0, kCols}},
                                       {{3, 9}, {0, kCols}},
                                       {{1, 30}, {5, 8}},
                                       {{36, 37}, {7, 2099}}}) {
        for (const Transpose transpose : {Transpose::no, Transpose::yes}) {
          const bool turned = transpose == Transpose::yes;
          std::vector<float> values(static_cast<std::size_t>(rows.size() * cols.size()));
          reader.read(*stream_, rows, cols, transpose,
                      as_matrix(vector_view(values.data(), rows.size() * cols.size()),
                                turned ? cols.size() : rows.size(), turned ? rows.size() : cols.size()));
          stream_->synchronize();
          for (std::int64_t i = 0; i < rows.size(); ++i) {
            for (std::int64_t j = 0; j < cols.size(); ++j) {
              const std::int64_t at = turned ? j * rows.size() + i : i * cols.size() + j;
              ASSERT_EQ(values[static_cast<std::size_t>(at)],
                        number((rows.begin + i) * kCols + cols.begin + j, type.type))
                  << type.descr << " at " << i << ", " << j;
            }
          }
        }
      }
    }
  }
}

TEST_F(NpyArrayTest, AFileThatBecomesShorterIsAnError) {
  save(own_path(), file_of(kTypes[7], {10, 10}, MatrixOrder::rows));
  const NpyArray array("--data x.npy", own_path());
  std::filesystem::resize_file(own_path(), 200);
  std::vector<float> values(100);
  const auto read = [&] { array.read(0, as_matrix(vector_view(values.data(), 100), 10, 10)); };
  EXPECT_EQ(error_of<Error>(read), "--data x.npy: ends at byte 200: it was cut short while it was read");
}

}  // namespace
}  // namespace recombine
