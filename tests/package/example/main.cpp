/// C = A B with A[m,k] and B[k,n] cut over the ranks:   mpirun -np 2 ./example
/// Prints sum over i, j of (1 + i + 2 j) C_ij^2, which does not depend on the number of ranks.

#include <cstdio>
#include <exception>

#include "distributed/multiply.hpp"
#include "distributed/owned_matrix.hpp"
#include "distributed/session.hpp"

using namespace recombine;

/// Gives every element a value by its place in the whole matrix, so that the result does not depend on the cut.
void fill(RankContext& context, const DistMatrix& matrix, std::uint64_t tensor) {
  for (const Block& block : matrix.blocks()) {
    context.math().fill(context.compute(), block.view,
                        {.seed = 1,
                         .tensor = tensor,
                         .first_row = block.rows.begin,
                         .first_col = block.cols.begin,
                         .global_cols = matrix.cols(),
                         .half_width = 1});
  }
}

void run(Session& session) {
  const auto device = make_device({.threads = 1, .progress = session.progress()});
  const auto world = make_world(session);
  const int k_parts = session.size() % 2 == 0 ? 2 : 1;
  RankContext context(Mesh(session.size() / k_parts, 1, k_parts), *world, *device);

  const std::int64_t m = 301, n = 200, k = 1001;
  OwnedMatrix a(context, {m, k}, {.rows = Axis::i, .cols = Axis::k});
  OwnedMatrix b(context, {k, n}, {.rows = Axis::k, .cols = Axis::j});
  OwnedMatrix c(context, {m, n}, {.rows = Axis::i, .cols = Axis::j});
  fill(context, a, 1);
  fill(context, b, 2);
  multiply(context, {.a = a, .b = b, .c = c});  // Partial over k
  recombine::recombine(context, c, Axis::k, State::replicated);
  context.compute().synchronize();

  double checksum = 0;
  for (const Block& block : c.blocks()) {
    if (context.coord()[Axis::k] != 0) continue;  // the same blocks as at k = 0
    const float* element = block.view.as<float>();
    for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i) {
      for (std::int64_t j = block.cols.begin; j < block.cols.end; ++j, ++element) {
        checksum += static_cast<double>(1 + i + 2 * j) * *element * static_cast<double>(*element);
      }
    }
  }
  const auto stream = device->make_stream(StreamUse::communication);
  world->all_reduce(*stream, vector_view(&checksum, 1), Reduction::sum);
  stream->synchronize();
  if (session.rank() == 0) std::printf("mesh %s checksum %.17g\n", context.mesh().to_string().c_str(), checksum);
}

int main(int argc, char** argv) {
  Session session(argc, argv);
  try {
    run(session);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "example: %s\n", error.what());
    Session::abort(1);
  }
}
