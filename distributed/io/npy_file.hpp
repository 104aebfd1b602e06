#pragma once

#include <memory>
#include <optional>
#include <string>

#include "distributed/communicator.hpp"
#include "distributed/dist_matrix.hpp"
#include "distributed/io/npy_header.hpp"
#include "distributed/io/temporary_file.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// A matrix in a .npy file, with elements of any type that Element has. Each rank reads the parts that it needs,
/// independently of other ranks.
/// @pre of constructor and destructor: no communication stream has work
class NpyReader {
 public:
  /// `option` is named in errors: "--a a.npy: ...". @throws InputError unless `path` holds a matrix of numbers
  NpyReader(const std::string& option, const std::string& path);

  const NpyHeader& header() const;

  /// Enqueues the reading of a rectangle, or of its transpose, into `to` in the host's memory, converted to to.type
  /// (f32, f64, bf16; rounded to nearest even). The stream fails with an Error if the file cannot be read.
  /// @pre `stream` is a CPU's; `to` is [rows, cols], transposed [cols, rows]
  void read(Stream& stream, Range rows, Range cols, Transpose transpose, MatrixView to);

 private:
  struct Source;
  std::shared_ptr<const Source> source_;
};

/// All ranks of `world` write a matrix into one .npy file. The file appears completely or not at all: it is written
/// under a temporary name in the same folder, then renamed by commit(), or removed by the destructor.
/// @pre of constructor and destructor: no communication stream has work
class NpyWriter {
 public:
  /// Blocks; every rank calls it. The first rank writes the header and claims the room that the matrix needs.
  /// @throws InputError on every rank if the file cannot be made or does not fit on the disk; then no file is left
  NpyWriter(Communicator& world, Stream& stream, const std::string& option, const std::string& path, DataType type,
            DistMatrix::Shape shape);
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  /// On the first rank, what a user should know before the run (TemporaryFile::note). "": nothing
  std::string note() const;

  /// Enqueues the writing of this rectangle, f32, f64 or bf16 in the host's memory. Together the ranks write
  /// each element once. commit() throws the first error.
  void write(Stream& stream, Range rows, Range cols, ConstMatrixView from);

  /// The path of the file until commit(), on every rank. Elements that are written can be read from there.
  const std::string& temporary_path() const;

  /// Waits for the writes of `stream`, writes the file to disk, and gives it its name. Blocks; every rank calls it.
  /// @throws Error on every rank if a rank fails, such as for a full disk; also if the file cannot get its name: then
  /// the temporary file is kept, and the Error names it
  void commit(Stream& stream);

 private:
  struct Output;
  void create(const NpyHeader& header);

  Communicator& world_;
  std::string name_;  ///< messages of errors begin with it
  std::string path_;
  std::optional<TemporaryFile> temporary_;  ///< on the first rank
  std::shared_ptr<Output> output_;
};

}  // namespace recombine
