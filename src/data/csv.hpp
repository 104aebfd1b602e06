#pragma once

#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

struct CsvTable {
  LoadedTable table;
  std::vector<std::string> inputs;  ///< names of the input columns, in their order
};

/// Reads a table with a header line. `target` names the columns to predict, separated by commas; all others are inputs.
/// All values are numbers. Each row is added to the table as soon as it is read, so memory holds little text at a time.
/// @throws InputError that names the file, the line and the column
CsvTable load_csv(const std::string& path, const std::string& target, DataBudget& budget);

/// Turns a single target column of whole numbers 0 .. C-1 into labels of C classes. @throws InputError
void make_classes(LoadedData& data);

}  // namespace recombine
