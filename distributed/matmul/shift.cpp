// shift: Cannon's algorithm; on a mesh of one row or one column, a ring. Every rank multiplies the pieces that it has,
// and passes them on to its neighbour.
//
//     mesh 2x2x1: who multiplies which pieces p of k (A_ip B_pj), at step s: p = (i + j + s) mod 2
//
//              skew           s = 0                     s = 1
//       i=0   A stays         A.0 B.0 | A.1 B.1         A.1 B.1 | A.0 B.0       A goes left by one along j,
//       i=1   A left by 1     A.1 B.1 | A.0 B.0         A.0 B.0 | A.1 B.1       B goes up by one along i
//             B up by j
//
// No rank has more than three pieces of an operand. After the skew, all messages go to neighbours. Cannon, "A cellular
// computer to implement the Kalman filter algorithm", Montana State University, 1969.

#include <algorithm>

#include "distributed/matmul/matmul.hpp"
#include "distributed/ring.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// An operand whose pieces travel in a ring along one axis of the mesh.
class Ring {
 public:
  Ring(RankContext& context, const DistMatrix& rest, Workspace& workspace, std::size_t first_slot)
      : context_(context),
        rest_(rest),
        axis_(*rest.placement().rows_then),
        what_{.name = first_slot == 0 ? "shift A" : "shift B"},
        own_(only_block(rest)),
        current_(own_.view) {
    const int pieces = context.mesh().parts(axis_);
    if (pieces == 1) return;
    context.after_compute(axis_);  // the compute stream may still write the operand
    for (std::size_t s = 0; s < 2; ++s) {
      const std::int64_t largest = piece(0).size();
      slots_[s] = workspace.get(context.device(), first_slot + s, rest.memory().type, largest * current_.cols);
    }
  }

  /// Starts to replace the current piece by piece `index` of k, which is `distance` ranks further along the axis, after
  /// event `free`: the multiplication that used the receiving buffer last.
  void start_shift(int index, int distance, const Event& free) {
    if (context_.mesh().parts(axis_) == 1) return;
    const std::int64_t rows = piece(index).size();
    next_ = as_matrix(slots_[turn_ % 2].range(0, rows * current_.cols), rows, current_.cols);
    ++turn_;
    Stream& communication = context_.communication(axis_);
    if (free) communication.wait(free);
    // To the rank `distance` before this one; from the rank `distance` after it.
    shift(context_.communicator(axis_).named(what_), communication, as_vector(current_), as_vector(next_), -distance);
    arrived_ = communication.record();
  }
  /// The compute stream waits for the new piece, which becomes the current one.
  void finish_shift() {
    if (!arrived_) return;
    context_.compute_waits(arrived_);
    arrived_.reset();
    current_ = next_;
  }

  /// Piece `index` of `steps` of k: the current piece if pieces travel along this axis, otherwise a part of it.
  ConstMatrixView part(int index, int steps) const {
    if (context_.mesh().parts(axis_) > 1) return current_;
    const Range rows = split_range(current_.rows, steps, index);
    return current_.block(rows.begin, 0, rows.size(), current_.cols);
  }
  /// The rows of k in that piece.
  Range range_of(int index, int steps) const {
    if (context_.mesh().parts(axis_) > 1) return piece(index);
    const Range rows = split_range(own_.rows.size(), steps, index);
    return {own_.rows.begin + rows.begin, own_.rows.begin + rows.end};
  }

 private:
  Range piece(int index) const {
    return DistMatrix::rows_of_part(context_.mesh(), rest_.rows(), rest_.placement(),
                                    context_.coord()[Axis::k] * context_.mesh().parts(axis_) + index);
  }

  RankContext& context_;
  const DistMatrix& rest_;
  Axis axis_;
  What what_;
  const Block& own_;
  MatrixView current_, next_;
  std::array<VectorView, 2> slots_;
  std::size_t turn_ = 0;
  Event arrived_;
};

}  // namespace

void multiply_shift(RankContext& context, const Matmul& call) {
  const int rows = context.mesh().parts(Axis::i);
  const int cols = context.mesh().parts(Axis::j);
  require(rows == cols || rows == 1 || cols == 1, "mesh {}: shift needs i = j, or one of them to be 1",
          context.mesh().to_string());
  const int steps = std::max(rows, cols);
  const int i = context.coord()[Axis::i];
  const int j = context.coord()[Axis::j];
  const auto piece_at = [&](int step) { return (i + j + step) % steps; };
  LocalProduct sum = begin_product(context, call);
  Ring a(context, call.a, call.workspace, 0);
  Ring b(context, call.b, call.workspace, 2);

  // The skew: row i of A by i, column j of B by j. Nothing moves if the mesh is one row or one column.
  if (i > 0) a.start_shift(piece_at(0), i, {});
  if (j > 0) b.start_shift(piece_at(0), j, {});
  a.finish_shift();
  b.finish_shift();
  std::array<Event, 2> multiplied;
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps) {
      const Event& free = multiplied[static_cast<std::size_t>(step + 1) % 2];
      a.start_shift(piece_at(step + 1), 1, free);
      b.start_shift(piece_at(step + 1), 1, free);
    }
    const int piece = piece_at(step);
    sum.add(a.part(piece, steps), b.part(piece, steps), {.k = a.range_of(piece, steps)});
    multiplied[static_cast<std::size_t>(step) % 2] = context.compute().record();
    a.finish_shift();
    b.finish_shift();
  }
  sum.finish(call.a.memory().type);
}

}  // namespace recombine
