#include "src/report/peak.hpp"

#include <algorithm>

#include "distributed/session.hpp"

namespace recombine {

double measure_peak_gflops(MeshRank& rank, Communicator& world, Stream& stream, DataType type) {
  static constexpr std::int64_t kSize = 1024;
  static constexpr int kRounds = 5;
  const Buffer a(rank.device(), type, kSize * kSize);
  const Buffer b(rank.device(), type, kSize * kSize);
  const Buffer c(rank.device(), type == DataType::f64 ? DataType::f64 : DataType::f32, kSize * kSize);
  std::uint64_t tensor = 0;
  for (const Buffer* m : {&a, &b}) {
    rank.math().fill(rank.compute(), m->matrix(kSize, kSize),
                     {.tensor = tensor++, .global_cols = kSize, .half_width = 1});
  }
  double best = 0;
  for (int round = 0; round <= kRounds; ++round) {
    double seconds = 0;
    world.all_reduce(stream, vector_view(&seconds, 1), Reduction::max);  // all start together
    stream.synchronize();
    const double start = Session::now();
    rank.math().gemm(rank.compute(), {.a = a.matrix(kSize, kSize),
                                      .b = b.matrix(kSize, kSize),
                                      .trans_b = Transpose::yes,
                                      .c = c.matrix(kSize, kSize)});
    rank.compute().synchronize();
    seconds = Session::now() - start;
    world.all_reduce(stream, vector_view(&seconds, 1), Reduction::max);
    stream.synchronize();
    const double flops = 2.0 * kSize * kSize * kSize * world.size();
    if (round > 0) best = std::max(best, flops / seconds / 1e9);  // the first prepares the library
  }
  return best;
}

}  // namespace recombine
