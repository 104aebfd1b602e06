#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/io/output_file.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// Writes --predictions on rank 0: CSV, a header and a line for each row of a table. Rows and classes count from 0.
///
///     row,label,class,probability,p0,p1,...      classes: the label in the data, the predicted class, the softmax
///     row,target0,target1,...,output0,output1,... regression: the targets in the data, the outputs
///
/// The class is the first one with the largest output, as the accuracy counts it. The softmax is computed in f64 from
/// the f32 outputs. Numbers are the shortest texts that read back as the same f32.
class Predictions {
 public:
  /// @param path   of --predictions, for messages
  /// @param table  in the host's memory; must outlive this
  /// @throws Error if the file cannot be written
  Predictions(OutputFile& file, std::string path, const Table& table, std::int64_t outputs);

  /// At least as many bytes as the file will have.
  static std::int64_t most_bytes(const Table& table, std::int64_t outputs);

  /// Appends the next rows. @param outputs [rows, outputs], row by row
  /// @throws InputError that names the row if an output is NaN or infinite; Error if the file cannot be written
  void add(std::span<const float> outputs);

 private:
  void add_class(std::span<const float> logits);
  void add_values(std::span<const float> outputs);

  OutputFile& file_;
  std::string path_;
  const Table& table_;
  std::size_t outputs_;
  std::int64_t row_ = 0;  ///< the next one
  std::string line_;
  std::vector<double> exponentials_;
};

}  // namespace recombine
