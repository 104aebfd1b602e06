#pragma once

#include <string>
#include <vector>

namespace recombine {

/// The files of a data set in IDX format. "": there is no such file.
struct IdxFiles {
  std::string prefix;  ///< "emnist-letters" of emnist-letters-train-images-idx3-ubyte.gz; "" of MNIST's own names
  std::string train_images, train_labels, test_images, test_labels;  ///< paths
};

/// True if `place` is a folder, or FOLDER/PREFIX of IDX files: data/emnist-letters.
bool is_idx_place(const std::string& place);

/// The data sets in FOLDER or FOLDER/PREFIX, by prefix. A file's name has these parts, joined by - or _ or . : an
/// optional prefix; train, test or t10k; images (or features, vectors, data) or labels; and idx with anything after it.
/// Examples: qmnist-train-labels-idx2-int.gz, train-images.idx3-ubyte (Kaggle). If a file exists in several forms, the
/// uncompressed one is used, else .gz, .xz or .zst.
std::vector<IdxFiles> idx_data_sets(const std::string& place);

/// The only data set in `place`. @throws InputError that names the missing files, or the data sets to choose from
IdxFiles find_idx_files(const std::string& place);

}  // namespace recombine
