#pragma once

#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/data/dataset.hpp"

namespace recombine {

struct CsvTable {
  LoadedTable table;
  std::vector<std::string> inputs;  ///< names of the input columns, in their order
};

/// A table with a header line: `target` names the column to predict, or several with commas between; all others
/// are inputs. All values are numbers. Rows go straight into the table: only a line of text is held.
/// @throws InputError naming file, line and column
CsvTable load_csv(const std::string& path, const std::string& target, DataBudget& budget);

/// Turns a single target column of whole numbers 0 .. C-1 into labels of C classes. @throws InputError
void make_classes(LoadedData& data);

}  // namespace recombine
