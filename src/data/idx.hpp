#pragma once

#include <string>

#include "src/data/dataset.hpp"

namespace recombine {

/// Images and labels as MNIST's files have them: train-images-idx3-ubyte, train-labels-idx1-ubyte and, if there,
/// t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz. @throws InputError naming the file
LoadedData load_idx_folder(const std::string& folder);

}  // namespace recombine
