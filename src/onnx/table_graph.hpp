#pragma once

#include <string>

#include "src/data/table_schema.hpp"
#include "src/onnx/graph_builder.hpp"

namespace recombine {

/// Adds what makes the network's inputs of raw values. Returns the name of X [N, width].
///
///     number    float [N,1] --------------------------------------+-- Concat -- (x - mean) / deviation -- fill NaN -- X
///     yes_no    string [N,1] -- LabelEncoder to 0, 1, fill or NaN -+
///     category  string [N,1] -- OneHotEncoder ---------------------+   "" is the category of missing values
///
/// Each column is an input of its name. Columns without names are one input, "x". A text that the training data did
/// not have is no category: zeros; a yes_no column becomes NaN.
std::string add_table(GraphBuilder& graph, const TableSchema& schema);

/// Adds what makes answers of the network's outputs Y [N, outputs], and declares them as outputs of the graph. Classes:
/// "probabilities" [N, classes], and "label" [N], int64 if all classes are whole numbers, else string. Regression:
/// "value" [N, targets]. An input of the same name gives an output a "_" at its end.
void add_answers(GraphBuilder& graph, const TableSchema& schema, const std::string& y);

}  // namespace recombine
