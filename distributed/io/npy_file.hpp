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

/// A matrix in a .npy file, of which each rank reads what it needs, on its own. Made and destroyed while no
/// communication stream has work.
class NpyReader {
 public:
  /// `option` is named in errors: "--a a.npy: ...". @throws InputError unless `path` holds a matrix of f32 or
  /// f64
  NpyReader(const std::string& option, const std::string& path);

  const NpyHeader& header() const;

  /// Enqueues the reading of a rectangle into the host's memory: to = its elements, or transposed, converted
  /// to to.type (f32, f64, bf16; rounded to nearest even). The stream fails with an Error when the file
  /// cannot be read.
  /// @pre `stream` is a CPU's; to [rows, cols], transposed [cols, rows]
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
  /// @throws InputError on every rank, with nothing left behind, when the file cannot be made or does not fit
  NpyWriter(Communicator& world, Stream& stream, const std::string& option, const std::string& path, DataType type,
            DistMatrix::Shape shape);
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  /// On the first rank, what a user should know before the run (TemporaryFile::note). "": nothing
  std::string note() const;

  /// Enqueues the writing of this rectangle, f32, f64 or bf16 in the host's memory. Together the ranks write
  /// each element once. What fails is thrown by commit().
  void write(Stream& stream, Range rows, Range cols, ConstMatrixView from);

  /// Where the file is until commit(), on every rank: it may be read there after what was written.
  const std::string& temporary_path() const;

  /// Waits for the writes of `stream`, writes the file to disk, and gives it its name. Blocks; every rank calls it.
  /// @throws Error on every rank if a rank fails, such as for a full disk; also if the file cannot get its name: then
  /// the temporary file is kept, and the Error names it
  void commit(Stream& stream);

 private:
  struct Output;
  void create(const NpyHeader& header);

  Communicator& world_;
  std::string name_;  ///< what errors begin with
  std::string path_;
  std::optional<TemporaryFile> temporary_;  ///< on the first rank
  std::shared_ptr<Output> output_;
};

}  // namespace recombine
