#pragma once

#include "src/data/load_data.hpp"

namespace recombine {

/// What --standardize auto means for a kind of data.
enum class ByDefault { as_they_are, standardized };

/// Completes images, arrays and synthetic data, whose inputs have no names: splits off --test and --validation, scales,
/// and sets the schema. With `options.schema`, it does what that says. @throws InputError
void finish_unnamed(const DataOptions& options, ByDefault by_default, DataSet& set);

}  // namespace recombine
