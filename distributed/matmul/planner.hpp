#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// The speed of this job: an alpha-beta-gamma model with measured constants. Times are those of the slowest rank while
/// all ranks do the same.
struct Machine {
  /// Seconds of one local product C[m,n] += A[m,k] B[k,n].
  struct Product {
    double per_call = 0;
    double per_flop = 0;    ///< gamma
    double per_a = 0;       ///< of m k, for packing; libraries treat A and B differently
    double per_b = 0;       ///< of k n
    double per_result = 0;  ///< of m n: reading and writing C
    double seconds(std::int64_t m, std::int64_t n, std::int64_t k) const;
  };
  struct Sample {
    double bytes = 0;
    double seconds = 0;
  };
  /// The times of a collective among a number of ranks: alpha + beta bytes, by straight lines through measured points.
  using Lines = std::map<std::pair<Collective, int>, std::vector<Sample>>;

  int np = 1;
  DataType type = DataType::f32;
  Product product;
  Lines collectives;

  double seconds(Collective collective, int ranks, double bytes) const;
};

/// A way to run one product: a value, apart from its execution.
struct Plan {
  Mesh mesh{1, 1, 1};
  Schedule schedule = Schedule::gather;
  std::int64_t panel = 0;             ///< rows of k, at most those of a rank's piece; 0: the schedule takes no panels
  State c_state = State::replicated;  ///< C along k: Replicated (all-reduce) or Sharded (reduce-scatter)
  double product_seconds = 0;         ///< predicted, of the slowest rank
  double communication_seconds = 0;
  double bytes_sent_per_rank = 0;
  double peak_bytes_per_rank = 0;  ///< operands at rest, C and workspace
  double seconds() const { return product_seconds + communication_seconds; }
  std::string to_string() const;  ///< "2x1x1 panels of 256"
};

/// What the user has fixed. The planner chooses the rest.
struct PlanLimits {
  std::optional<Mesh> mesh;
  std::optional<Schedule> schedule;
  State c_state = State::replicated;
  double memory_bytes = 0;  ///< per rank; 0: no limit
};

/// The model's figures for one plan. @pre the schedule fits the mesh
Plan predict(const Machine& machine, const MatmulShape& shape, Plan plan);

/// Every mesh of machine.np ranks within the limits, with every schedule that fits it, best first: the fewest seconds.
/// The model cannot distinguish plans within 5% of the fastest: of those, first the fewest bytes sent, then the fewest
/// local products. @throws InputError if no plan is within the limits
std::vector<Plan> plan_matmul(const Machine& machine, const MatmulShape& shape, const PlanLimits& limits);

/// How many products a rank computes for a plan, one after the other.
std::int64_t local_products(const MatmulShape& shape, const Plan& plan);

/// All meshes of np ranks.
std::vector<Mesh> meshes_of(int np);

}  // namespace recombine
