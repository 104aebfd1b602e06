#pragma once

#include <string>
#include <vector>

namespace recombine {

/// A library that a run's arithmetic depends on.
struct Library {
  std::string name;
  std::string version;
};

/// Those of one rank's arithmetic on the CPU, as loaded: oneDNN, OpenBLAS, glibc (it has the vector functions).
std::vector<Library> kernel_libraries();

/// The instruction set of the project's own loops on this processor: "AVX-512", "AVX2" or "SSE4.2".
std::string instruction_set();

}  // namespace recombine
