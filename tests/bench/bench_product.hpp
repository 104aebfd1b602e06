#pragma once

#include <memory>
#include <string>
#include <vector>

#include "distributed/matmul/generated.hpp"
#include "distributed/matmul/planner.hpp"
#include "distributed/multiply.hpp"
#include "distributed/session.hpp"

namespace recombine::bench {

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// All ranks arrive, run, and get the time of the slowest.
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

/// A rank's part of one product on one mesh: its operands at rest and C, to be multiplied by any schedule.
class BenchProduct {
 public:
  BenchProduct(RankContext& context, const MatmulShape& shape)
      : context_(context),
        a_(memory({shape.k, shape.m}, kPlaceA, shape.type)),
        b_(memory({shape.k, shape.n}, kPlaceB, shape.type)),
        c_(memory({shape.m, shape.n}, kPlaceC, shape.result_type())),
        a(place({shape.k, shape.m}, kPlaceA, a_)),
        b(place({shape.k, shape.n}, kPlaceB, b_)),
        c(place({shape.m, shape.n}, kPlaceC, c_)) {
    generate(context, {1, kTensorA, shape.k}, Transpose::yes, a);
    generate(context, {1, kTensorB, shape.n}, Transpose::no, b);
  }

  void run(const Plan& plan) {
    row_of(plan.schedule).run(context_, {.a = a, .b = b, .c = c, .panel = plan.panel, .workspace = workspace_});
    recombine::recombine(context_, c, Axis::k, plan.c_state);
    context_.compute().synchronize();
  }

 private:
  Buffer memory(DistMatrix::Shape shape, const Placement& placement, DataType type) const {
    return {context_.device(), type, DistMatrix::local_size(context_.mesh(), context_.coord(), shape, placement)};
  }
  DistMatrix place(DistMatrix::Shape shape, const Placement& placement, const Buffer& buffer) const {
    return {context_.mesh(), context_.coord(), shape, placement, buffer.view()};
  }

  RankContext& context_;
  Workspace workspace_;
  Buffer a_, b_, c_;
  DistMatrix a, b, c;
};

}  // namespace recombine::bench
