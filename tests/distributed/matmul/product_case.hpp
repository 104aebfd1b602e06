#pragma once

#include <memory>
#include <string>
#include <vector>

#include "distributed/matmul/generated.hpp"
#include "distributed/matmul/schedule.hpp"

namespace recombine::test {

/// One product: how it runs, and with which operands.
struct ProductCase {
  Mesh mesh{1, 1, 1};
  Schedule schedule = Schedule::gather;
  State c_state = State::replicated;
  MatmulShape shape;
  double alpha = 1;
  double beta = 0;
  std::int64_t panel = 0;

  std::string to_string() const;
};

/// A mesh of the test's ranks, and products on it.
class ProductRunner {
 public:
  ProductRunner(const Mesh& mesh, Communicator& world, Device& device);

  /// Compares this rank's C with a plain loop in double precision. Returns the first wrong element, or "".
  std::string failure_of(const ProductCase& what);

 private:
  RankContext context_;
  Workspace workspace_;
};

/// Elements of A, B or C0 in double precision, [rows, cols], as generate() makes them.
std::vector<double> plain_matrix(const Generated& matrix, std::int64_t rows, DataType type);

}  // namespace recombine::test
