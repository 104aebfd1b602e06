#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// What to load. All fields except `memory` are the options of the same names.
struct DataOptions {
  std::string data = "fashion-mnist";  ///< fashion-mnist | DIR with IDX files | FILE.csv | synthetic:ROWS,IN,OUT
  std::string target;                  ///< CSV: the target's column
  bool standardize = false;
  std::string validation;  ///< "": none; a fraction of the training rows ("0.1"), or a CSV file
  std::uint64_t seed = 0;
  DataMemory memory = {};  ///< limits on what the tables may take
};

/// The paths that load_data() may read; some may not exist.
std::vector<std::string> files_of(const DataOptions& options);

/// Reads, checks and splits. Called on the first rank of each host. @throws InputError naming file, line and column
LoadedData load_data(const DataOptions& options);

}  // namespace recombine
