#pragma once

#include "src/data/load_data.hpp"

namespace recombine {

/// Reads --data X.npy with --target-data Y.npy: row r of X and row r of Y belong together. X has 2 to 4 dimensions; the
/// values of a row are its inputs. Elements of u1 are pixels and stay bytes. Others become f32 in a FeatureStore, part
/// by part, so X may be larger than the memory. Does not split or scale the rows. Y may be absent if options.schema
/// says what the answers are.
/// @throws InputError that names the file and what is expected
DataSet load_npy(const DataOptions& options, DataBudget& budget);

}  // namespace recombine
