#include "distributed/mesh.hpp"
#include "distributed/mpi/mpi_file.hpp"
#include "tests/distributed/io/npy_fixture.hpp"

namespace recombine {
namespace {

const std::vector<std::int64_t> kExtents = {0, 1, 2, 3, 7, 64, 65, 257};
constexpr std::array kTypes = {DataType::f32, DataType::f64, DataType::bf16};
constexpr std::array kFileTypes = {DataType::f32, DataType::f64};
constexpr std::array kOrders = {MatrixOrder::rows, MatrixOrder::columns};

class NpyFile : public NpyTest {
 protected:
  /// Reads the rectangle into memory with a gap of `gap` elements after each row. The gaps must stay as they were.
  void expect_read(NpyReader& reader, Range rows, Range cols, Transpose transpose, DataType type, std::int64_t gap) {
    const bool turned = transpose == Transpose::yes;
    const std::int64_t n_rows = turned ? cols.size() : rows.size();
    const std::int64_t n_cols = turned ? rows.size() : cols.size();
    std::vector<std::byte> memory(static_cast<std::size_t>(n_rows * (n_cols + gap) * size_of(type)), std::byte{0x5A});
    const MatrixView to{memory.data(), n_rows, n_cols, n_cols + gap, type};
    reader.read(*stream_, rows, cols, transpose, to);
    stream_->synchronize();
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      for (std::int64_t j = 0; j < cols.size(); ++j) {
        const double stored = rounded(value(rows.begin + i, cols.begin + j), native_type(reader.header().type).value());
        ASSERT_EQ(turned ? get(to, j, i) : get(to, i, j), rounded(stored, type))
            << rows.size() << " x " << cols.size() << " at " << i << ", " << j << " as " << name_of(type);
      }
    }
    for (std::int64_t i = 0; i < n_rows; ++i) {
      for (std::int64_t byte = n_cols * size_of(type); byte < (n_cols + gap) * size_of(type); ++byte) {
        ASSERT_EQ(to.data[i * to.ld * size_of(type) + byte], std::byte{0x5A}) << "written between rows";
      }
    }
  }

  /// Every rank reads its block, for two meshes, in every type, with and without gaps and transposition.
  void expect_blocks(NpyReader& reader) {
    const NpyHeader& header = reader.header();
    const int ranks = world_->size();
    for (const Mesh& mesh : {Mesh(ranks, 1, 1), Mesh(ranks % 2 == 0 ? 2 : 1, ranks % 2 == 0 ? ranks / 2 : ranks, 1)}) {
      const Coord coord = mesh.coord_of(world_->rank());
      const Range rows = split_range(header.rows, mesh.extent(Axis::i), coord[Axis::i]);
      const Range cols = split_range(header.cols, mesh.extent(Axis::j), coord[Axis::j]);
      for (const DataType type : kTypes) {
        expect_read(reader, rows, cols, Transpose::no, type, 0);
        expect_read(reader, rows, cols, Transpose::no, type, 3);
        expect_read(reader, rows, cols, Transpose::yes, type, 0);
      }
    }
  }

  /// Writes 5 x 2 tiles from strided memory. The ranks take tiles in turn.
  void write_tiles(NpyWriter& writer, DistMatrix::Shape shape, DataType type) {
    std::vector<std::vector<std::byte>> memory;
    for (std::int64_t tile = world_->rank(); tile < 10; tile += world_->size()) {
      const Range rows = split_range(shape.rows, 5, tile / 2);
      const Range cols = split_range(shape.cols, 2, tile % 2);
      memory.emplace_back(static_cast<std::size_t>(rows.size() * (cols.size() + 2) * size_of(type)));
      const MatrixView from{memory.back().data(), rows.size(), cols.size(), cols.size() + 2, type};
      for (std::int64_t i = 0; i < rows.size(); ++i) {
        for (std::int64_t j = 0; j < cols.size(); ++j) set(from, i, j, value(rows.begin + i, cols.begin + j));
      }
      writer.write(*stream_, rows, cols, from);
    }
    stream_->synchronize();
  }
};

TEST_F(NpyFile, BlocksOfEveryShapeTypeAndOrderAreRead) {
  for (const std::int64_t rows : kExtents) {
    for (const std::int64_t cols : kExtents) {
      for (const DataType type : kFileTypes) {
        for (const MatrixOrder order : kOrders) {
          const NpyHeader header{.type = type, .rows = rows, .cols = cols, .order = order};
          if (world_->rank() == 0) save(path("a.npy"), file_bytes(header, type));
          barrier();
          NpyReader reader("a", path("a.npy"));
          ASSERT_EQ(reader.header().rows, rows);
          ASSERT_EQ(reader.header().cols, cols);
          ASSERT_NO_FATAL_FAILURE(expect_blocks(reader));
          barrier();
        }
      }
    }
  }
}

TEST_F(NpyFile, LongRowsAreReadInParts) {
  constexpr std::int64_t kRows = 70;
  constexpr std::int64_t kCols = 20001;
  for (const MatrixOrder order : kOrders) {
    const bool by_rows = order == MatrixOrder::rows;
    const NpyHeader header{.rows = by_rows ? kRows : kCols, .cols = by_rows ? kCols : kRows, .order = order};
    if (world_->rank() == 0) save(path("a.npy"), file_bytes(header, DataType::f32));
    barrier();
    NpyReader reader("a", path("a.npy"));
    const Range all_rows{0, header.rows};
    for (const Transpose transpose : {Transpose::no, Transpose::yes}) {
      for (const DataType type : {DataType::f32, DataType::bf16}) {
        ASSERT_NO_FATAL_FAILURE(expect_read(reader, all_rows, {0, header.cols}, transpose, type, 0));
        ASSERT_NO_FATAL_FAILURE(expect_read(reader, {3, header.rows}, {5, header.cols - 1}, transpose, type, 0));
        ASSERT_NO_FATAL_FAILURE(expect_read(reader, {1, 69}, {7, 66}, transpose, type, 2));
      }
    }
    barrier();
  }
}

TEST_F(NpyFile, TilesOfAllRanksMakeTheFileThatNumpyWrites) {
  for (const std::int64_t rows : kExtents) {
    for (const std::int64_t cols : kExtents) {
      for (const DataType type : kFileTypes) {
        for (const DataType from : kTypes) {
          if ((rows + cols + static_cast<int>(from)) % 3 != 0) continue;
          NpyWriter writer(*world_, *stream_, "out", path("c.npy"), type, {rows, cols});
          write_tiles(writer, {rows, cols}, from);
          writer.commit(*stream_);
          ASSERT_TRUE(load(path("c.npy")) == file_bytes({.type = type, .rows = rows, .cols = cols}, from))
              << rows << " x " << cols << " " << name_of(from) << " as " << name_of(type);
          EXPECT_EQ(files_there(), 1);
          barrier();
        }
      }
    }
  }
}

TEST_F(NpyFile, WholeRowsAreWrittenFromContiguousMemory) {
  NpyWriter writer(*world_, *stream_, "out", path("c.npy"), DataType::f64, {1000, 300});
  const Range rows = split_range(1000, world_->size(), world_->rank());
  for (const DataType type : kTypes) {  // f32 and bf16 are overwritten by the next; f64 needs no conversion
    if (type == DataType::f64) continue;
    std::vector<float> memory(static_cast<std::size_t>(rows.size() * 300));
    const MatrixView from{reinterpret_cast<std::byte*>(memory.data()), rows.size(), 300, 300, type};
    for (std::int64_t i = 0; i < rows.size() * 300; ++i)
      set(from, i / 300, i % 300, value(rows.begin + i / 300, i % 300));
    writer.write(*stream_, rows, {0, 300}, from);
    stream_->synchronize();
  }
  writer.commit(*stream_);
  EXPECT_TRUE(load(path("c.npy")) == file_bytes({.type = DataType::f64, .rows = 1000, .cols = 300}, DataType::bf16));
}

TEST_F(NpyFile, WhatIsWrittenIsReadBack) {
  NpyWriter writer(*world_, *stream_, "out", path("c.npy"), DataType::f64, {65, 257});
  write_tiles(writer, {65, 257}, DataType::f64);
  writer.commit(*stream_);
  NpyReader reader("a", path("c.npy"));
  expect_blocks(reader);
}

TEST_F(NpyFile, LongRunsAreWrittenInPieces) {
  std::string text(10001, 'a');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  save(own_path(), std::string(1, 'x').append(text, 0, 10000));
  std::string back(10001, ' ');
  const mpi::File file("--a", own_path(), 999);
  file.read(0, reinterpret_cast<std::byte*>(back.data()), 10001);
  EXPECT_EQ(back[0], 'x');
  EXPECT_EQ(back.substr(1), text.substr(0, 10000));
  for (const std::int64_t bytes : {3, 400, 1500}) {  // the last is longer than a piece
    const std::int64_t runs = 8000 / (bytes + 100);
    std::string strided(static_cast<std::size_t>(runs * bytes), ' ');
    file.read_strided(1, runs, bytes, bytes + 100, reinterpret_cast<std::byte*>(strided.data()));
    for (std::int64_t i = 0; i < runs * bytes; ++i) {
      const std::int64_t at = i / bytes * (bytes + 100) + i % bytes;
      ASSERT_EQ(strided[static_cast<std::size_t>(i)], text[static_cast<std::size_t>(at)]) << bytes << " at " << i;
    }
  }
}

}  // namespace
}  // namespace recombine
