#pragma once

#include <string>
#include <vector>

#include "src/data/load_data.hpp"

namespace recombine {

/// The paths that load_idx() may read; they may not exist.
std::vector<std::string> idx_files(const std::string& place);

/// Reads a data set in IDX format, such as MNIST, from a folder or FOLDER/PREFIX: its training images and labels, and
/// its test images and labels if there are any. idx_files.hpp has the names of the files. Images have 2 to 4
/// dimensions: bytes stay bytes, other types become f32. Labels are whole numbers: [n], or [n,m] whose first column is
/// the label (QMNIST). The different labels, sorted, are the classes; with options.schema the classes are those of the
/// saved model.
/// @throws InputError naming the file
DataSet load_idx(const std::string& place, const DataOptions& options, DataBudget& budget);

}  // namespace recombine
