#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/collective.hpp"
#include "distributed/matmul/matmul.hpp"

namespace recombine {

/// C[m,n] = A[m,k] B[k,n] with operands of `type`.
struct MatmulShape {
  std::int64_t m = 0, n = 0, k = 0;
  DataType type = DataType::f32;

  double flops() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
  /// The type in which C is stored and summed: f64 for f64, else f32.
  DataType result_type() const { return type == DataType::f64 ? DataType::f64 : DataType::f32; }
};

/// `times` collectives along `axis`. `bytes` is the size of the whole block for all_gather, all_reduce and
/// reduce_scatter, and of what a rank receives for broadcast and shift.
struct Movement {
  Collective collective;
  Axis axis;
  std::int64_t bytes = 0;
  std::int64_t times = 1;
  std::int64_t overlapped = 0;  ///< how many of them overlap a product
};

/// What one rank (the one with the largest blocks) does in a schedule, before C is recombined over k.
struct Work {
  std::vector<Movement> movements;
  std::int64_t products = 1;  ///< local products, each C[m,n] += A[m,k] B[k,n] of these sizes
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t workspace_bytes = 0;  ///< in addition to operands and C
};

enum class Schedule { gather, panels, shift };

/// A way to bring the panels of the operands to the ranks.
struct ScheduleEntry {
  Schedule schedule;
  std::string_view name;
  std::string_view fits_text;  ///< the meshes that fit, for messages
  bool (*fits)(const Mesh& mesh);
  /// Its name in the literature on this mesh, with the paper: "Cannon 1969", "a ring".
  std::string (*known_as)(const Mesh& mesh);
  bool takes_panels;  ///< the number of rows of a panel can be chosen
  Work (*work)(const MatmulShape& shape, const Mesh& mesh, std::int64_t panel);
  void (*run)(RankContext& context, const Matmul& call);
};

/// All of them; programs, planner, tests and benchmarks walk this table.
std::span<const ScheduleEntry> schedules();
const ScheduleEntry& entry_of(Schedule schedule);

}  // namespace recombine
