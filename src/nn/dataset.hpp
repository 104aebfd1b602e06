#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/matrix.hpp"
#include "src/nn/feature_store.hpp"

namespace recombine {

/// Rows of features, each with a class label or target values. The views do not own their memory.
struct Table {
  ConstMatrixView features;      ///< [rows, inputs] u8 or f32; its data are null if `stored` is set
  ConstVectorView labels = {};   ///< [rows] i32, if classes > 0
  ConstMatrixView targets = {};  ///< [rows, outputs] f32, if classes == 0
  /// Features on a disk, which are read batch by batch; null: they are in memory.
  const FeatureStore* stored = nullptr;
  bool streamed = false;  ///< the device cannot read the features itself: BatchLoader brings them batch by batch
  std::int64_t rows() const { return features.rows; }
};

/// Makes a model input of a stored feature: stored * scale + shift.
struct Affine {
  float scale = 1;
  float shift = 0;
};

/// A table in the memory of the rank that has read it.
struct LoadedTable {
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;                   ///< columns of targets; 0 for labels
  std::vector<std::uint8_t> pixels;           ///< rows x inputs, or empty
  std::vector<float> features;                ///< rows x inputs, or empty
  std::shared_ptr<const FeatureStore> store;  ///< rows x inputs, or null
  std::vector<std::int32_t> labels;           ///< rows, or empty
  std::vector<float> targets;                 ///< rows x outputs, or empty
  /// For each row of the file, whether it is in this table; the rows keep their order. Empty: all rows are.
  std::vector<bool> rows_of_file;
};

/// A data set in the memory of the rank that has read it.
struct LoadedData {
  std::string name;          ///< for the report: "fashion-mnist"
  std::int64_t classes = 0;  ///< 0: regression
  LoadedTable train;
  LoadedTable test;        ///< rows == 0: none
  LoadedTable validation;  ///< rows == 0: none
  Affine input;            ///< of all features of the three tables
};

}  // namespace recombine
