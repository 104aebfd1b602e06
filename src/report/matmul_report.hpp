#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "distributed/matmul/planner.hpp"
#include "distributed/matmul/verify.hpp"
#include "src/report/output_file.hpp"
#include "src/report/provenance.hpp"

namespace recombine {

/// Streamed: they stay in their files, and panels pass through memory.
enum class Operands { in_memory, streamed };

/// What a product is, for its reports.
struct MatmulDescription {
  int np = 1;
  int threads = 1;
  std::string device;
  std::string collectives;  ///< what ranks communicate by
  std::string kernel;       ///< who multiplies: "library", "tiled" ...
  MatmulShape shape;
  std::string conversions;  ///< which files are not of the product's type; "": none
  Plan plan;
  Operands operands = Operands::in_memory;
  double peak_gflops = 0;  ///< all ranks, of a large square product; 0: unknown
  Provenance provenance;
};

/// A time that could not be seen.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// One run of a product, as the slowest rank saw it, in seconds. All but the total are kUnknown on a GPU, and the sums
/// of tiles where operands stream.
struct MatmulTimes {
  double total = 0;
  double product = 0;    ///< local products
  double exposed = 0;    ///< arithmetic waited for panels or sums of other ranks
  double io = 0;         ///< it waited for files, where operands stream
  double recombine = 0;  ///< the sum over k, part of the above
};

struct MatmulResult {
  std::vector<MatmulTimes> runs;
  double load_seconds = 0;   ///< reading or making the operands, before the runs
  double store_seconds = 0;  ///< writing C, after them
  std::optional<Verdict> by_vectors, by_loops;
  std::vector<double> small_c;  ///< [m,n], where it is small enough to look at; else empty

  MatmulTimes median() const;  ///< the run of median total time
  double fastest() const;
  double slowest() const;
};

/// Bytes of C that a rank sums over k, and the rate as nccl-tests has it: algbw = bytes / seconds, busbw = algbw times
/// 2 (P-1) / P for all-reduce, (P-1) / P for reduce-scatter. In GB/s; unknown where k = 1.
struct RecombineRate {
  double algbw = kUnknown;
  double busbw = kUnknown;
};
RecombineRate recombine_rate(const MatmulDescription& run, const MatmulTimes& times);

/// --plan: the candidates, best first, with the figures that decided.
void print_plans(const MatmulShape& shape, const std::vector<Plan>& plans, Operands operands);
void print_matmul_start(const MatmulDescription& run);
void print_matmul_result(const MatmulDescription& run, const MatmulResult& result);

/// A small C with lines between the blocks of its ranks. elements [m,n]
void print_blocks(const MatmulDescription& run, const std::vector<double>& elements);

/// Writes --json: one object; its keys are in README.
void write_matmul_json(OutputFile& file, const MatmulDescription& run, const MatmulResult& result);

/// --machine and --calibrate. @throws InputError naming the file
Machine read_machine(const std::string& path, int np, DataType type);
void write_machine(OutputFile& file, const Machine& machine);

}  // namespace recombine
