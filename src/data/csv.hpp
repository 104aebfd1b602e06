#pragma once

#include <string>

#include "src/data/dataset.hpp"

namespace recombine {

/// A table with a header line: `target` names the column to predict, or several with commas between; all others
/// are inputs. All values are numbers. @throws InputError naming file, line and column
LoadedTable load_csv(const std::string& path, const std::string& target);

/// Turns a single target column of whole numbers 0 .. C-1 into labels of C classes. @throws InputError
void make_classes(LoadedData& data);

}  // namespace recombine
