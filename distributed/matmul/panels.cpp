// panels: SUMMA. The contracted dimension k is cut into panels. Step by step, the ranks that have a panel broadcast it
// along their row or column of the mesh, and every rank adds the product of the two panels to its C.
//
//     mesh 2x2x1, panel p of k:           step p                            step p+1 travels meanwhile
//
//             A panel      B panel             b . . b
//       i=0  [a0]-->---   [b0][b1]       C_00 += a0 b0 | C_01 += a0 b1
//       i=1  [a1]-->---    |   |         C_10 += a1 b0 | C_11 += a1 b1
//                          v   v
//       two buffers an operand: while one is multiplied, the other is filled
//
// The rank that holds this piece of k broadcasts A's panel along j. B's panel is broadcast along i in the same way.
// Needs memory for two panels of each operand. van de Geijn and Watts, "SUMMA: scalable universal matrix
// multiplication algorithm", Concurrency 9(4), 1997.

#include <algorithm>

#include "distributed/matmul/matmul.hpp"

namespace recombine {

namespace {

/// One operand's panels on their way to this rank.
class PanelStream {
 public:
  PanelStream(RankContext& context, const DistMatrix& rest, Workspace& workspace, std::size_t first_slot,
              std::int64_t panel)
      : context_(context),
        rest_(rest),
        axis_(*rest.placement().rows_then),
        own_(only_block(rest)),
        what_{.name = first_slot == 0 ? "panel of A" : "panel of B"} {
    if (context.mesh().parts(axis_) == 1) return;
    context.after_compute(axis_);  // the compute stream may still write the operand
    for (std::size_t s = 0; s < 2; ++s) {
      slots_[s] = as_matrix(workspace.get(context.device(), first_slot + s, rest.memory().type, panel * own_.view.cols),
                            panel, own_.view.cols);
    }
  }

  /// The end of the piece of k that contains row `at`.
  std::int64_t piece_end(std::int64_t at) const { return piece(owner(at)).end; }

  /// Starts to broadcast rows `range` of k, which one rank has. Waits for `free`: the last multiplication that used the
  /// buffer.
  void fetch(std::size_t step, Range range, const Event& free) {
    if (context_.mesh().parts(axis_) == 1) {
      panels_[step % 2] = rows_of(own_, range);
      return;
    }
    const int root = owner(range.begin);
    const bool mine = context_.coord()[axis_] == root;
    panels_[step % 2] = mine ? rows_of(own_, range) : slots_[step % 2].block(0, 0, range.size(), own_.view.cols);
    Stream& communication = context_.communication(axis_);
    if (free) communication.wait(free);
    context_.communicator(axis_).named(what_).broadcast(communication, as_vector(panels_[step % 2]), root);
    arrived_[step % 2] = communication.record();
  }

  /// The panel of that step; the compute stream waits for it.
  ConstMatrixView take(std::size_t step) {
    if (arrived_[step % 2]) context_.compute_waits(arrived_[step % 2]);
    return panels_[step % 2];
  }

 private:
  Range piece(int index) const {
    const int pieces = context_.mesh().parts(axis_);
    return DistMatrix::rows_of_part(context_.mesh(), rest_.rows(), rest_.placement(),
                                    context_.coord()[Axis::k] * pieces + index);
  }
  int owner(std::int64_t at) const {
    int index = 0;
    while (piece(index).end <= at) ++index;
    return index;
  }

  RankContext& context_;
  const DistMatrix& rest_;
  Axis axis_;
  const Block& own_;
  What what_;
  std::array<MatrixView, 2> slots_;
  std::array<MatrixView, 2> panels_;
  std::array<Event, 2> arrived_;
};

}  // namespace

void multiply_panels(RankContext& context, const Matmul& call) {
  LocalProduct sum = begin_product(context, call);
  const Range k = split_range(call.b.rows(), context.mesh().parts(Axis::k), context.coord()[Axis::k]);
  const std::int64_t thickest = call.panel > 0 ? std::min(call.panel, std::max<std::int64_t>(k.size(), 1)) : k.size();
  PanelStream a(context, call.a, call.workspace, 0, thickest);
  PanelStream b(context, call.b, call.workspace, 2, thickest);

  // A step ends at the end of a panel, or of one owner's piece.
  std::vector<Range> steps;
  for (std::int64_t at = k.begin; at < k.end;) {
    const std::int64_t end = std::min({at + thickest, a.piece_end(at), b.piece_end(at)});
    steps.push_back({at, end});
    at = end;
  }
  std::array<Event, 2> multiplied;  // of the step that used a buffer last
  const auto fetch = [&](std::size_t step) {
    a.fetch(step, steps[step], multiplied[step % 2]);
    b.fetch(step, steps[step], multiplied[step % 2]);
  };
  if (!steps.empty()) fetch(0);
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (step + 1 < steps.size()) fetch(step + 1);
    sum.add(a.take(step), b.take(step), {.k = steps[step]});
    multiplied[step % 2] = context.compute().record();
  }
  sum.finish(call.a.memory().type);
}

}  // namespace recombine
