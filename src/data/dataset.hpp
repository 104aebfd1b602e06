#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/matrix.hpp"
#include "src/data/data_budget.hpp"

namespace recombine {

/// Rows of features with a class label or target values each, as views of memory that somebody else holds.
struct Table {
  ConstMatrixView features;      ///< [rows, inputs] u8 or f32
  ConstVectorView labels = {};   ///< [rows] i32, when classes > 0
  ConstMatrixView targets = {};  ///< [rows, outputs] f32, when classes == 0
  std::int64_t rows() const { return features.rows; }
};

/// What a model input is made from a stored feature: stored * scale + shift.
struct Affine {
  float scale = 1;
  float shift = 0;
};

/// A data set, read into host memory by one rank.
struct LoadedTable {
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;          ///< columns of targets; 0 for labels
  std::vector<std::uint8_t> pixels;  ///< rows x inputs, or empty
  std::vector<float> features;       ///< rows x inputs, or empty
  std::vector<std::int32_t> labels;  ///< rows, or empty
  std::vector<float> targets;        ///< rows x outputs, or empty
};

struct LoadedData {
  std::string name;          ///< for the report: "fashion-mnist"
  std::int64_t classes = 0;  ///< 0: regression
  LoadedTable train;
  LoadedTable test;        ///< rows == 0: none
  LoadedTable validation;  ///< rows == 0: none
  Affine input;            ///< how stored features become inputs
};

/// What to load. All fields except `memory` are the options of the same names.
struct DataOptions {
  std::string data = "fashion-mnist";  ///< fashion-mnist | DIR with IDX files | FILE.csv | synthetic:ROWS,IN,OUT
  std::string target;                  ///< CSV: the target's column
  bool standardize = false;
  std::string validation;  ///< "": none, a fraction of the training rows ("0.1"), or a file like data
  std::uint64_t seed = 0;
  DataMemory memory = {};  ///< what the tables may take
};

/// The files that `options.data` may be read from; some need not be there.
std::vector<std::string> files_of(const DataOptions& options);

/// Reads, checks and splits. Called on the first rank of each host. @throws InputError naming file, line and column
LoadedData load_data(const DataOptions& options);

}  // namespace recombine
