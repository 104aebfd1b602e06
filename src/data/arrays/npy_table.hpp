#pragma once

#include "src/data/load_data.hpp"

namespace recombine {

/// Reads --data X.npy with --target-data Y.npy: one row of X, and one or several values of Y, for each row of the data.
/// X has 2 to 4 dimensions; the values of a row are its inputs. Elements of u1 are pixels and stay bytes; others become
/// f32 in a FeatureStore, in parts, so that X may be larger than the memory. Rows are not split or scaled here. Y may be
/// missing if options.schema says what the answers are.
/// @throws InputError that names the file and what is expected
DataSet load_npy(const DataOptions& options, DataBudget& budget);

}  // namespace recombine
