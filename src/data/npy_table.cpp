#include "src/data/npy_table.hpp"

#include "kernels/error.hpp"

namespace recombine {

DataSet load_npy(const DataOptions& options, DataBudget& /*budget*/) {
  throw InputError("--data " + options.data + ": not yet");
}

}  // namespace recombine
