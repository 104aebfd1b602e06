#pragma once

#include <string>
#include <vector>

namespace recombine {

/// The files of a data set in IDX format. "": there is none.
struct IdxFiles {
  std::string prefix;  ///< "emnist-letters" of emnist-letters-train-images-idx3-ubyte.gz; "" of MNIST's own names
  std::string train_images, train_labels, test_images, test_labels;  ///< paths
};

/// True if `place` is a folder, or FOLDER/PREFIX of IDX files: data/emnist-letters.
bool is_idx_place(const std::string& place);

/// The data sets in FOLDER or FOLDER/PREFIX, by prefix. A file's name is PREFIX, train, test or t10k, images or labels,
/// and idx with anything after it, such as qmnist-train-labels-idx2-int.gz, joined by - or _ or . (Kaggle:
/// train-images.idx3-ubyte). `images` may also be features, vectors or data. Of a file that exists several times, the
/// plain one is taken, else .gz, .xz or .zst.
std::vector<IdxFiles> idx_data_sets(const std::string& place);

/// The one data set in `place`. @throws InputError that names the files that are missing, or the data sets to choose from
IdxFiles find_idx_files(const std::string& place);

}  // namespace recombine
