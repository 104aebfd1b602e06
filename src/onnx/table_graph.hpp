#pragma once

#include <string>

#include "src/data/table_schema.hpp"
#include "src/onnx/graph_builder.hpp"

namespace recombine {

/// Adds the operations that turn raw values into the network's inputs. Returns the name of X [N, width].
///
///     number    float [N,1] --------------------------------------+-- Concat -- (x - mean) / deviation -- fill NaN -- X
///     yes_no    string [N,1] -- LabelEncoder to 0, 1, fill or NaN -+
///     category  string [N,1] -- OneHotEncoder ---------------------+   "" is the category of missing values
///
/// Each column is an input under its name. Columns without names are one input, "x". A text that the training data did
/// not have becomes zeros in a category column, and NaN in a yes_no column.
std::string add_table(GraphBuilder& graph, const TableSchema& schema);

/// Adds the operations that turn the network's outputs Y [N, outputs] into answers, and declares the answers as outputs
/// of the graph. Classes: "probabilities" [N, classes], and "label" [N], int64 if all classes are whole numbers, else
/// string. Regression: "value" [N, targets]. If an input has the name of an output, the name of the output gets a "_"
/// at its end.
void add_answers(GraphBuilder& graph, const TableSchema& schema, const std::string& y);

}  // namespace recombine
