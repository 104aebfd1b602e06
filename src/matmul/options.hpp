#pragma once

#include <optional>
#include <string>

#include "distributed/comparison.hpp"
#include "distributed/matmul/planner.hpp"
#include "kernels/math.hpp"
#include "src/program/rank_device.hpp"

namespace recombine {

/// Upper limit of --m, --n, --k and the extents of files. Matrices have at most 2^50 elements (problem.cpp), so 64 bits
/// hold every size in bytes.
inline constexpr std::int64_t kLargestExtent = std::int64_t{1} << 40;

/// Rows, columns and k of the matrices of --explain, if no sizes and no files are given.
inline constexpr std::int64_t kExampleExtent = 4;

/// The options of the command line and the configuration file, checked as far as possible without the other files.
struct MatmulCommand {
  enum class Action { multiply, plan, help, version };

  Action action = Action::multiply;
  Facts options;  ///< as texts, for the comparison of ranks
  std::optional<std::int64_t> m, n, k;
  std::string a, b, c, out;  ///< .npy files; "": none
  Transpose trans_a = Transpose::no, trans_b = Transpose::no;
  double alpha = 1;
  double beta = 0;
  std::optional<DataType> type;  ///< of the product; none: f64 if a file is f8, else f32
  std::optional<Mesh> mesh;
  std::optional<Schedule> schedule;
  State c_state = State::replicated;
  std::optional<double> memory_limit;  ///< bytes per rank
  int repeat = 1;
  bool verify = false;
  bool explain = false;  ///< print a small product step by step
  std::uint64_t seed = 0;
  std::string machine, calibrate, json, config;  ///< files; "": none
  DeviceCommand device;
  std::string kernel;  ///< the name of device.kernel
  bool quiet = false;
};

/// @throws InputError: one line that names the option, and says what is expected
MatmulCommand parse_matmul_command(int argc, const char* const* argv);

/// The options in groups, with their defaults.
std::string matmul_help();

}  // namespace recombine
