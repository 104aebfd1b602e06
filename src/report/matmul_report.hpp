#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/io/output_file.hpp"
#include "distributed/matmul/planner.hpp"
#include "distributed/matmul/verify.hpp"
#include "src/report/peak.hpp"
#include "src/report/provenance.hpp"

namespace recombine {

/// Streamed: the operands stay in their files, and panels of them pass through memory.
enum class Operands { in_memory, streamed };

/// Describes a product in its reports.
struct MatmulDescription {
  int np = 1;
  int threads = 1;
  std::string device;
  std::string collectives;  ///< how ranks communicate: "mpi", "nccl" or "staged"
  std::string kernel;       ///< that multiplies on a GPU: "library", "tiled" ...
  MatmulShape shape;
  std::string conversions;  ///< which files are not of the product's type; "": none
  Plan plan;
  Operands operands = Operands::in_memory;
  Peak peak;
  Provenance provenance;
};

/// A time that was not measured.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Seconds of one run of a product: on one rank, or of all ranks, each on the rank where it is largest. On a GPU `product`, `exposed` and `recombine`
/// are kUnknown: the host does not see them. If operands are streamed and summed, `recombine` is kUnknown.
struct MatmulTimes {
  double total = 0;
  double product = 0;    ///< local products
  double exposed = 0;    ///< waiting for panels or sums of other ranks
  double io = 0;         ///< waiting for files, if operands are streamed
  double recombine = 0;  ///< the sum over k; also contained in the times above

  /// Of all ranks: the parts of the rank that took longest. They add up to `total`, which is this rank's.
  struct Slowest {
    int rank = 0;
    double product = 0, exposed = 0, io = 0;
  } slowest = {};
};
/// The largest of each time, and the parts of the rank with the largest total. @param ranks  one or more
MatmulTimes over_ranks(std::span<const MatmulTimes> ranks);

struct MatmulResult {
  std::vector<MatmulTimes> runs;
  double load_seconds = 0;   ///< reading or making the operands, before the runs
  double store_seconds = 0;  ///< writing C, after them
  std::optional<Verdict> by_vectors, by_loops;
  std::vector<double> small_c;  ///< [m,n], if small enough to print; else empty

  MatmulTimes median() const;  ///< the run of median total time
  double fastest() const;
  double slowest() const;
};

/// The rate of the sum over k, in GB/s, as nccl-tests defines it: algbw = bytes of a rank's C / seconds; busbw = algbw
/// times 2 (P-1) / P for all-reduce, times (P-1) / P for reduce-scatter. kUnknown if k = 1.
struct RecombineRate {
  double algbw = kUnknown;
  double busbw = kUnknown;
};
RecombineRate recombine_rate(const MatmulDescription& run, const MatmulTimes& times);

/// For --plan: prints the candidates, best first, with their predicted figures, and the reason for the choice.
void print_plans(const MatmulShape& shape, const std::vector<Plan>& plans, std::string_view reason);
void print_matmul_start(const MatmulDescription& run);
void print_matmul_result(const MatmulDescription& run, const MatmulResult& result);

/// Prints a small C with lines between the blocks of its ranks. elements [m,n]
void print_blocks(const MatmulDescription& run, const std::vector<double>& elements);

/// Writes --json: one object; src/matmul/README.md explains its keys.
void write_matmul_json(OutputFile& file, const MatmulDescription& run, const MatmulResult& result);

/// The files of --machine and --calibrate. @throws InputError that names the file
Machine read_machine(const std::string& path, int np, DataType type);
void write_machine(OutputFile& file, const Machine& machine);

}  // namespace recombine
