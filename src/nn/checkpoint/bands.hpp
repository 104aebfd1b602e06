#pragma once

#include <exception>
#include <functional>
#include <span>
#include <vector>

#include "src/nn/model.hpp"

namespace recombine {

/// Sends matrices [rows, cols] f32 to rank 0, band by band. A band is whole rows of one matrix, at most a few MiB. So
/// rank 0 needs memory for one band, not for the matrix.
///
///     W [out, in] on 1x2x2     band of rows 0-1        band of rows 2-3
///       ranks  0 0 | 1 1       0 0 1 1  -> rank 0      2 2 3 3  -> rank 0
///              0 0 | 1 1       0 0 1 1                 2 2 3 3
///              ---------
///              2 2 | 3 3
///              2 2 | 3 3
class BandReader {
 public:
  using Visit = std::function<void(std::span<const float>)>;

  /// @param group  all ranks of the mesh, in its order, for memory of the context's device
  /// @param name   names the exchange in the journal; a string literal
  /// @param visit  gets each band on rank 0, first row first
  BandReader(RankContext& context, Communicator& group, const char* name, Visit visit);

  /// Passes each band of a matrix on any mesh to `visit`. Every rank calls it. After `visit` throws, the reader still
  /// runs every exchange, because the other ranks take part in it, but calls `visit` no more.
  void read(const DistMatrix& matrix);

  /// @throws what `visit` threw, on rank 0 alone
  void finish() const;

 private:
  struct Part;
  std::vector<Part> parts_of(const DistMatrix& matrix, Range rows) const;
  void exchange(const DistMatrix& matrix, const std::vector<Part>& parts);
  void reserve(const std::vector<Part>& parts);
  std::span<const float> in_rows(const std::vector<Part>& parts, Range rows, std::int64_t cols);

  RankContext& context_;
  Communicator& group_;
  const char* name_;
  Visit visit_;
  std::exception_ptr failure_;
  Buffer packed_, host_;  ///< on rank 0
  std::vector<float> band_;
};

/// Reads the weights in the order of the file. Every rank calls it.
/// @throws what `visit` threw, on rank 0 alone, after the last exchange
void for_each_band(RankContext& context, Communicator& group, const Model& model, const BandReader::Visit& visit);

}  // namespace recombine
