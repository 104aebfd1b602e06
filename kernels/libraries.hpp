#pragma once

#include <string>
#include <vector>

namespace recombine {

/// A library on which a run's results depend.
struct Library {
  std::string name;
  std::string version;
};

/// The libraries that compute on the CPU, with the loaded versions: oneDNN, OpenBLAS, glibc (its vector functions).
std::vector<Library> kernel_libraries();

/// The instruction set of the project's own loops on this processor: "AVX-512", "AVX2" or "SSE4.2".
std::string instruction_set();

}  // namespace recombine
