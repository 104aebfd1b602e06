#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "src/nn/dataset.hpp"

namespace recombine {

enum class ColumnKind {
  number,
  yes_no,    ///< one of two texts, such as no and yes: 0 or 1
  category,  ///< one of several texts: one-hot, an input for each text
};

/// What --missing does with missing values of inputs. mean, median: fill them in columns of numbers or of yes and no;
/// in a category column they are a category of their own. drop: leave their rows out. error: refuse them.
enum class Missing { mean, median, drop, error };

/// A column of a table, and the inputs of the network that it becomes. `number` and `yes_no`: one input. `category`: one
/// input for each text, and one more for missing values if has_missing.
struct InputColumn {
  std::string name;
  ColumnKind kind = ColumnKind::number;
  std::vector<std::string> categories = {};  ///< category: its texts, sorted; yes_no: the texts of 0 and of 1
  bool has_missing = false;                  ///< category: missing values are a category of their own, the last one
  /// number, yes_no: a missing value becomes this. NaN: a missing value is an error.
  double fill = std::numeric_limits<double>::quiet_NaN();
  double mean = 0;       ///< number: the input is (value - mean) / deviation
  double deviation = 1;  ///< not 0
  /// number: f32 holds value - origin. Not 0 where f32 has too few bits for the value itself, as for times in seconds.
  double origin = 0;

  std::int64_t width() const {
    if (kind != ColumnKind::category) return 1;
    return static_cast<std::int64_t>(categories.size()) + (has_missing ? 1 : 0);
  }
};

/// A column that the network predicts. Regression: the network's output is (value - mean) / deviation.
struct TargetColumn {
  std::string name;
  double mean = 0;
  double deviation = 1;  ///< not 0
  double origin = 0;     ///< as in InputColumn
};

/// The input of the network for a number or yes_no column. @param value  minus the origin; NaN: it is missing
float as_input(const InputColumn& column, float value);
/// What the network learns for a target column. @param value  minus the origin
float as_output(const TargetColumn& column, float value);

/// How the raw values of a data set become the inputs of a network, and its outputs become answers. It is saved with
/// the model, so that new data are read like the training data.
struct TableSchema {
  /// In the order of the network's inputs. Arrays of numbers that are scaled column by column have names too: 1, 2, ...
  std::vector<InputColumn> inputs;
  std::vector<TargetColumn> targets;  ///< one for classes
  std::vector<std::string> classes;   ///< texts of the classes, in their order; empty: regression
  std::vector<std::string> left_out;  ///< columns of the training table that are no inputs
  Missing missing = Missing::mean;    ///< of the training run; `drop` and `error` also hold for new data
  std::int64_t unnamed_inputs = 0;    ///< > 0: images or arrays with this many inputs without names; `inputs` is empty
  Affine unnamed = {};                ///< how each unnamed value becomes an input

  std::int64_t width() const;  ///< inputs of the network
};

/// Converts the schema to JSON text, and back. Numbers keep all their bits. @throws InputError that begins with `name`
/// if `text` is not such a text, or if its parts do not fit together
std::string to_json(const TableSchema& schema);
TableSchema schema_from_json(const std::string& name, const std::string& text);

}  // namespace recombine
