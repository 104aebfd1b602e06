#pragma once

#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// The paths of all files below in `folder`, plain and .gz, whether they exist or not.
std::vector<std::string> idx_files(const std::string& folder);

/// Reads images and labels in MNIST's format: train-images-idx3-ubyte, train-labels-idx1-ubyte and, if they exist,
/// t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz. @throws InputError naming the file
LoadedData load_idx_folder(const std::string& folder, DataBudget& budget);

}  // namespace recombine
