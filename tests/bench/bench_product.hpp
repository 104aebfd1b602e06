#pragma once

#include <memory>
#include <string>
#include <vector>

#include "distributed/matmul/generated.hpp"
#include "distributed/matmul/planner.hpp"
#include "distributed/owned_matrix.hpp"
#include "distributed/recombine.hpp"
#include "distributed/session.hpp"

namespace recombine::bench {

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Waits for all ranks, runs, and returns the seconds of the slowest rank.
template <class Run>
double seconds_of(Communicator& world, Stream& stream, const Run& run) {
  const auto largest = [&](double value) {
    world.all_reduce(stream, vector_view(&value, 1), Reduction::max);
    stream.synchronize();
    return value;
  };
  largest(0);
  const double start = Session::now();
  run();
  return largest(Session::now() - start);
}

/// A rank's part of one product on one mesh: its operands at rest, and C. Any schedule can multiply them.
class BenchProduct {
 public:
  BenchProduct(RankContext& context, const MatmulShape& shape)
      : context_(context),
        a(context, {shape.k, shape.m}, kPlaceA, shape.type),
        b(context, {shape.k, shape.n}, kPlaceB, shape.type),
        c(context, {shape.m, shape.n}, kPlaceC, shape.result_type()) {
    generate(context, {1, kTensorA, shape.k}, Transpose::yes, a);
    generate(context, {1, kTensorB, shape.n}, Transpose::no, b);
  }

  void run(const Plan& plan) {
    entry_of(plan.schedule).run(context_, {.a = a, .b = b, .c = c, .panel = plan.panel, .workspace = workspace_});
    recombine::recombine(context_, c, Axis::k, plan.c_state);
    context_.compute().synchronize();
  }

 private:
  RankContext& context_;
  Workspace workspace_;
  OwnedMatrix a, b, c;
};

}  // namespace recombine::bench
