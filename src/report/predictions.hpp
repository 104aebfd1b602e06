#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/io/output_file.hpp"
#include "src/data/load_data.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// What --predictions needs to know about a table. The table is in the host's memory; it and the schema must outlive
/// this.
struct PredictedTable {
  const Table& table;
  const TableSchema& schema;
  std::int64_t outputs;  ///< of the network
  Answers answers = Answers::present;
  /// Which rows of its file the table has, as in LoadedTable; must outlive this. Null: all.
  const std::vector<bool>* rows_of_file = nullptr;
};

/// Writes --predictions on rank 0: CSV, a header and a line for each row of a table. `row` is the number
/// of the row in its file; rows count from 0, without the line of names.
///
///     row,Species,class,probability,setosa,versicolor,...   classes with names: the text of the label in the data, the
///                                                           text of the predicted class, and the softmax
///     row,label,class,probability,p0,p1,...                 classes without names, such as those of images, from 0
///     row,price,predicted_price                             regression: the target in the data and the prediction, in
///                                                           the target's own units
///     row,target0,target1,...,output0,output1,...           regression without names
///
/// If the target of classes is named row, class or probability, its column is called `label`. If there are no answers,
/// the columns of labels and targets are absent. The class is the first one with the largest output, as in the
/// accuracy. The softmax is computed in f64 from the f32 outputs. Numbers are the shortest texts that read back as the
/// same f32; targets that were scaled have only the digits that are certain after that.
class Predictions {
 public:
  /// @param path  of --predictions, for messages  @throws Error if the file cannot be written
  Predictions(OutputFile& file, std::string path, const PredictedTable& predicted);

  /// At least as many bytes as the file will have.
  static std::int64_t most_bytes(const PredictedTable& predicted);

  /// Appends the next rows. @param outputs [rows, outputs], row by row
  /// @throws InputError that names the row if an output is NaN or infinite; Error if the file cannot be written
  void add(std::span<const float> outputs);

 private:
  void skip_absent_rows();  ///< moves row_in_file_ to a row of the table
  void add_class(std::span<const float> logits);
  void add_values(std::span<const float> outputs);

  OutputFile& file_;
  std::string path_;
  PredictedTable predicted_;
  std::size_t outputs_;
  std::vector<std::string> classes_;   ///< as cells; empty: regression
  std::vector<TargetColumn> targets_;  ///< of each output of a regression
  std::int64_t row_ = 0;               ///< the next one
  std::int64_t row_in_file_ = 0;       ///< likewise, in the file
  std::string line_;
  std::vector<double> exponentials_;
};

}  // namespace recombine
